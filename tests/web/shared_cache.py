"""A cache that stands before a site and serves many visitors, as a CDN does."""

from __future__ import annotations

from tests.web.sites.site import Response, Site, Visitor


class SharedCache:
    """Keeps what RFC 9111 lets a shared cache keep, for as long as it lives, and asks no one again.

    It is as greedy as the standard allows: it keeps responses that say nothing of caches
    (section 4.2.2), and hands a stored `Set-Cookie` to everybody (section 7.3).
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.hits = 0
        self._stored: dict[str, list[tuple[dict[str, str], Response]]] = {}

    def get(self, visitor: Visitor, path: str, cookies: tuple[str, ...] = ("ab_id",)) -> Response:
        """Answer a visitor, from what is kept if that matches their request."""
        sent = "; ".join(
            f"{name}={visitor.cookie(name)}" for name in cookies if visitor.cookie(name)
        )
        for selected, response in self._stored.get(path, ()):
            if all({"cookie": sent}.get(name, "") == value for name, value in selected.items()):
                self.hits += 1
                for cookie in response.cookies:  # as the browser does
                    name, _, value = cookie.split(";")[0].partition("=")
                    visitor.set_cookie(name, value)
                return response
        response = visitor.get(path)
        vary = [name.strip().lower() for name in response.header("vary").split(",") if name.strip()]
        if self._may_keep(response) and "*" not in vary:
            selected = {name: sent if name == "cookie" else "" for name in vary}
            self._stored.setdefault(path, []).append((selected, response))
        return response

    @staticmethod
    def _may_keep(response: Response) -> bool:
        said = {part.split("=")[0].strip() for part in response.header("cache-control").split(",")}
        return response.status == 200 and not said & {"private", "no-store", "no-cache"}
