"""A panel on the pages of Starlette and FastAPI: what each asked, and why it was answered so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from abmiddleware.asgi import SCOPE_KEY
from abmiddleware.client import ExperimentClient
from abmiddleware.console.panel import panel, title

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: No content, a part of it, and not modified: what is added would not be the page's.
_NO_WHOLE_BODY: Final = (204, 206, 304)

#: It must look the same on every page, so nothing is left to the page's own style.
_STYLE: Final = """
<style>
#abm-panel { all: initial; position: fixed; right: 0; bottom: 0; z-index: 2147483647;
  max-width: 100vw; max-height: 80vh; overflow: auto; font: 13px/1.45 system-ui, sans-serif;
  color: #1c2430; background: #fff; border: 1px solid #9aa5b1; border-radius: 6px 0 0 0;
  box-shadow: 0 0 12px rgb(0 0 0 / .25); color-scheme: light; }
#abm-panel * { all: revert; font: inherit; color: inherit; }
#abm-panel summary { padding: 6px 12px; cursor: pointer; font-weight: 600; }
#abm-panel div { padding: 0 12px 10px; }
#abm-panel p { margin: 4px 0; }
#abm-panel table { border-collapse: collapse; }
#abm-panel th, #abm-panel td { padding: 4px 10px 4px 0; text-align: left; vertical-align: top;
  border-top: 1px solid #dde3e9; }
#abm-panel th { font-weight: 600; border-top: 0; }
#abm-panel code { font: 12px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; }
#abm-panel strong { color: #a4262c; }
@media (prefers-color-scheme: dark) {
  #abm-panel { color: #e6eaee; background: #1d232b; border-color: #47515c; color-scheme: dark; }
  #abm-panel th, #abm-panel td { border-color: #343d47; }
  #abm-panel strong { color: #ff9a9f; }
}
</style>
"""


class ExperimentsPanel:
    """Adds the panel to pages of HTML, in debug mode only.

        app = FastAPI(debug=True)
        app.add_middleware(ExperimentsPanel)
        app.add_middleware(ExperimentsMiddleware, engine=engine)

    A page that is compressed behind it, or has no text of HTML, is left as it is. A policy
    (`Content-Security-Policy`) that forbids styles within a page leaves the panel without.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not getattr(scope.get("app"), "debug", False):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Page(scope, send).send)


class _Page:
    """One response, whose start waits for the first part of the body, which changes its length."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        #: The start of a page of HTML, as long as it waits.
        self._start: Message | None = None
        self._is_html = False

    async def send(self, message: Message) -> None:
        """Send a message, with the panel behind the last part of the body."""
        if message["type"] == "http.response.start" and self._is_page(message):
            self._start, self._is_html = message, True
            return
        if not self._is_html or message["type"] != "http.response.body":
            await self._begin(None)
            await self._send(message)
            return
        if message.get("more_body"):
            await self._begin(None)
            await self._send(message)
            return
        self._is_html = False
        body = _with_panel(message.get("body", b""), self._panel())
        await self._begin(len(body))
        await self._send({**message, "body": body})

    async def _begin(self, length: int | None) -> None:
        """Send the start if it waits, with the length of the body if that is known."""
        start, self._start = self._start, None
        if start is None:
            return
        headers = [each for each in start["headers"] if each[0].lower() != b"content-length"]
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        await self._send({**start, "headers": headers})

    def _is_page(self, start: Message) -> bool:
        if self._scope["method"] == "HEAD" or not isinstance(self._client(), ExperimentClient):
            return False
        if start["status"] in _NO_WHOLE_BODY:
            return False
        headers: dict[bytes, bytes] = {
            name.lower(): value.lower() for name, value in start.get("headers", ())
        }
        kind = headers.get(b"content-type", b"")
        # Other encodings would need other bytes.
        is_utf8 = b"charset" not in kind or b"utf-8" in kind
        is_plain = headers.get(b"content-encoding", b"identity") == b"identity"
        return kind.startswith(b"text/html") and is_utf8 and is_plain

    def _client(self) -> Any:
        return self._scope.get(SCOPE_KEY)

    def _panel(self) -> bytes:
        seen = self._client().inspect()
        return (
            f'{_STYLE}<details id="abm-panel"><summary>Experiments: {title(seen)}</summary>'
            f"<div>{panel(seen)}</div></details>"
        ).encode()


def _with_panel(body: bytes, told: bytes) -> bytes:
    """Put the panel at the end of the body, or of the page where it has no end."""
    end = body.lower().rfind(b"</body")
    at = len(body) if end < 0 else end
    return body[:at] + told + body[at:]
