"""What the behaviour suite needs of a framework: an application and visitors with cookies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Response:
    """A response as it went out."""

    status: int
    #: Lower-cased names, in their order.
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def cookies(self) -> list[str]:
        return [value for key, value in self.headers if key == "set-cookie"]


class Visitor(Protocol):
    """A browser: it keeps its cookies."""

    def get(
        self, path: str, *, headers: dict[str, str] | None = None, secure: bool = False
    ) -> Response: ...

    def post(self, path: str) -> Response: ...

    def send(self, method: str, path: str) -> Response: ...

    def cookie(self, name: str) -> str | None: ...

    def set_cookie(self, name: str, value: str) -> None: ...


class Site(Protocol):
    """The suite's views under one framework."""

    def visitor(self) -> Visitor: ...
