"""One GET of a configuration, bounded in time, size and redirects; some places are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.extras import required
from abmiddleware.sources.addresses import Origin, is_forbidden
from abmiddleware.sources.answer import Answer, FetchError, check_status
from abmiddleware.sources.json_text import MAX_BYTES
from abmiddleware.sources.proxies import proxy_of
from abmiddleware.sources.refresher import Life
from abmiddleware.sources.retry import Deadlines

if TYPE_CHECKING:
    import httpx2

MAX_REDIRECTS: Final = 3
#: Longer ones are not sent back, in characters.
_MAX_ETAG: Final = 256
#: Seconds; a wait of none would be an error of the socket.
_LEAST_WAIT: Final = 0.001
_REDIRECTS: Final = (301, 302, 303, 307, 308)


class Http:
    """Asks one server.

    A connection serves one request: between two polls it would only wait to be cut, and what is
    not there cannot be shared by a fork.

    Args:
        origin: the server.
        deadlines: how long to wait for it.
        secrets: texts that no error may show.

    Raises:
        ConfigurationError: the package httpx2 is missing, certificates cannot be loaded, or the
            proxy of the environment cannot be used.
    """

    def __init__(self, origin: Origin, deadlines: Deadlines, secrets: tuple[str, ...] = ()) -> None:
        # All of it is imported here: a thread that imports while its process forks leaves the
        # child with a lock that nobody holds.
        self._httpx = required("httpx2", "http", "GrowthBook")
        self._httpcore = required("httpcore2", "http", "GrowthBook")
        required("encodings.idna", "http", "GrowthBook")
        self.origin = origin
        self.deadlines = deadlines
        self._secrets = secrets
        # Made once, and for http, too, which may redirect to https: to load certificates takes
        # 40 ms of each poll, in which a fork would leave the child the locks of OpenSSL held.
        try:
            self._verify = self._httpx.create_ssl_context()
        except OSError as error:
            raise ConfigurationError(f"certificates cannot be loaded: {error}") from error
        self._proxy = proxy_of(origin, self._httpx, self._verify)

    def get(self, path: str, headers: Mapping[str, str], life: Life) -> Answer | None:
        """Return the answer to a GET; None for 304.

        Raises:
            FetchError: there is none that can be used.
        """
        end = monotonic() + self.deadlines.total
        wanted = {"accept": "application/json", "accept-encoding": "gzip", **headers}
        with life.until(end), self.asking(path, wanted, life) as response:
            if response.status_code == 304:
                return None
            coding = response.headers.get("content-encoding", "identity").strip().lower()
            if coding not in ("gzip", "x-gzip", "identity", ""):
                raise FetchError(f"the answer is encoded as {coding[:20]!r}, must be gzip")
            etag = response.headers.get("etag", "")
            return Answer(
                _body(response, end),
                coding in ("gzip", "x-gzip"),
                etag if len(etag) <= _MAX_ETAG and etag.isascii() else "",
                response.headers.get("x-sse-support", "").strip().lower() == "enabled",
            )

    @contextmanager
    def asking(
        self, path: str, headers: Mapping[str, str], life: Life, *, silence: float | None = None
    ) -> Iterator[httpx2.Response]:
        """Hold a connection with the answer to a GET, whose body is still to be read.

        Args:
            path: added to the server's URL.
            headers: of the request.
            life: may cut the connection.
            silence: seconds to wait for the next bytes of the body, instead of the deadline.

        Raises:
            FetchError: no answer came, or one of another status than 2xx and 304.
        """
        url = self._httpx.URL(self.origin.url + path)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                with self._sent(url, headers, life, silence) as response:
                    target = response.headers.get("location")
                    if response.status_code not in _REDIRECTS or target is None:
                        check_status(response)
                        yield response
                        return
                    url = self._redirected(url, target)
            raise FetchError(f"the server redirects more than {MAX_REDIRECTS} times")
        except (self._httpx.HTTPError, self._httpx.InvalidURL, OSError) as error:
            raise FetchError(self.masked(error)) from None

    @contextmanager
    def _sent(
        self, url: Any, headers: Mapping[str, str], life: Life, silence: float | None
    ) -> Iterator[httpx2.Response]:
        """Send one request, and close its connection afterwards.

        The transport alone is used: a client would follow redirects, keep cookies and write the
        URL, with the client key in it, to the log.
        """
        httpx2, deadlines = self._httpx, self.deadlines
        waits = dict.fromkeys(("connect", "write", "pool"), deadlines.connect)
        waits["read"] = deadlines.read
        asked = httpx2.Request("GET", url, headers={"user-agent": "abmiddleware", **headers})
        asked.extensions.update(timeout=waits, trace=_watcher(life, proxied=bool(self._proxy)))
        if self.origin.login:
            asked = next(httpx2.BasicAuth(*self.origin.login).auth_flow(asked))
        limits = httpx2.Limits(max_connections=1, max_keepalive_connections=0)
        with (
            life.sockets_forgotten(),
            httpx2.HTTPTransport(self._verify, limits=limits, proxy=self._proxy) as transport,
        ):
            response = transport.handle_request(asked)
            if silence is not None:
                waits["read"] = silence
            try:
                yield response
            finally:
                response.close()

    def meanwhile(self, response: httpx2.Response, work: Callable[[], float]) -> None:
        """Let something else be done while the next bytes of a body are waited for.

        A read that has timed out ends the response, so this one waits in pieces, and lets only
        the last one time out. TLS keeps what came of a record, so a piece loses nothing.

        Args:
            response: its body is not read yet.
            work: does what is due; returns when to call it again, on the monotonic clock.
        """
        stream = response.extensions["network_stream"]
        read = stream.read

        def read_in_pieces(size: int, timeout: float) -> bytes:
            end = monotonic() + timeout
            while True:
                until = min(end, work())
                try:
                    return bytes(read(size, max(_LEAST_WAIT, until - monotonic())))
                except self._httpcore.ReadTimeout:
                    if monotonic() >= end:
                        raise

        stream.read = read_in_pieces

    def _redirected(self, url: Any, target: str) -> Any:
        """Return the URL that a redirect leads to.

        Raises:
            FetchError: it is of another host, or less safe.
        """
        to = url.join(target)
        is_same = (to.scheme, to.port) == (url.scheme, url.port)
        is_safer = (url.scheme, to.scheme) == ("http", "https")
        if to.host != url.host or to.userinfo or not (is_same or is_safer):
            raise FetchError("the server redirects to another place, which is refused")
        return to

    def masked(self, error: Exception) -> str:
        """Tell of an error without the client key and the password."""
        text = f"{type(error).__name__}: {error}"
        for secret in (*self._secrets, *(self.origin.login or ())):
            text = text.replace(secret, "***") if secret else text
        return text


def _watcher(life: Life, *, proxied: bool) -> Callable[[str, Mapping[str, Any]], None]:
    """Return what is told of each step of a connection, before anything is sent over it."""

    def watch(step: str, told: Mapping[str, Any]) -> None:
        if not step.endswith(("connect_tcp.complete", "start_tls.complete")):
            return
        stream = told["return_value"]
        socket = stream.get_extra_info("socket")
        if not life.watch(socket):
            stream.close()
            raise FetchError("the refresher was stopped")
        if not proxied and is_forbidden(str(stream.get_extra_info("server_addr")[0])):
            stream.close()
            raise FetchError("the host's address is link-local, which is refused", refused=True)

    return watch


def _body(response: httpx2.Response, end: float) -> bytes:
    chunks, size = [], 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > MAX_BYTES:
            raise FetchError(f"the answer is larger than {MAX_BYTES} bytes")
        if monotonic() > end:
            raise FetchError("the answer did not come within its deadline")
        chunks.append(chunk)
    return b"".join(chunks)
