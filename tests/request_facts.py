"""A request without a framework."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from abmiddleware.facts import PURPOSES


class Page:
    """What an adapter would tell of a request: of a newcomer's GET, unless it is given."""

    def __init__(
        self,
        url: str = "https://shop.example/",
        method: str = "GET",
        *,
        cookie: str = "",
        headers: Mapping[str, str] | None = None,
        request: Any = None,
    ) -> None:
        self._url = url
        self._method = method
        self._cookie = cookie
        self._headers = dict(headers or {})
        self.request = request
        self.is_private = False

    def cookie_header(self) -> str:
        time.sleep(0)  # so that threads meet
        return self._cookie

    def header(self, name: str) -> str:
        return self._headers.get(name, "")

    def tells_purpose(self) -> bool:
        return any(map(self.header, PURPOSES))

    def is_secure(self) -> bool:
        return self._url.startswith("https:")

    def method(self) -> str:
        return self._method

    def path(self) -> str:
        return urlsplit(self._url).path

    def query(self) -> str:
        return urlsplit(self._url).query

    def url(self) -> str:
        return self._url

    def knows_users(self) -> bool:
        return False

    def user_id(self) -> object:
        return None

    def must_await_user(self) -> bool:
        return False

    async def auser_id(self) -> object:
        return None

    def keep_private(self) -> None:
        self.is_private = True
