"""12.1: URLs as browsers read them (the WHATWG URL standard), without states.

What is left out: hosts of other scripts beyond IDNA 2003, and `file` URLs.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from urllib.parse import quote_from_bytes, unquote_to_bytes

PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21"}
CONTROLS = {chr(code) for code in range(0x20)} | {"\x7f"}
FRAGMENT = set(' "<>`')
QUERY = set(' "#<>')
SPECIAL_QUERY = QUERY | {"'"}
PATH = QUERY | set("?^`{}")
USERINFO = PATH | set("/:;=@[\\]|")
FORBIDDEN_IN_HOSTS = set(" #/:<>?@[\\]^|%") | CONTROLS
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")


class UnparsableError(ValueError):
    """There is no such URL."""


@dataclass(frozen=True)
class Url:
    """A parsed URL; `query` and `fragment` are null when there is none."""

    scheme: str
    userinfo: str | None
    host: str | None
    port: str
    path: str
    query: str | None
    fragment: str | None

    @property
    def special(self) -> bool:
        return self.scheme in PORTS

    @property
    def host_and_port(self) -> str:
        return (self.host or "") + (f":{self.port}" if self.port else "")

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host_and_port}" if self.special else "null"

    @property
    def search(self) -> str:
        return f"?{self.query}" if self.query else ""

    @property
    def href(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        if self.host is None:
            return f"{self.scheme}:{self.path}{query}{fragment}"
        user = f"{self.userinfo}@" if self.userinfo else ""
        return f"{self.scheme}://{user}{self.host_and_port}{self.path}{query}{fragment}"


def parse(string: str, base: str | None = None) -> Url:
    """Parse an absolute URL, or one that is relative to a base of the form `https://host`."""
    string = string.strip("".join(CONTROLS - {"\x7f"}) + " ")
    string = re.sub(r"[\t\n\r]", "", string)
    string, hash_sign, fragment = string.partition("#")
    url = _without_fragment(string, base)
    encoded = _encoded(fragment, FRAGMENT) if hash_sign else None
    return replace(url, fragment=encoded)


def _without_fragment(string: str, base: str | None) -> Url:
    scheme = SCHEME.match(string)
    if not scheme:
        return _relative(string, base)
    name, rest = scheme[1].lower(), string[scheme.end() :]
    if name not in PORTS:
        return _not_special(name, rest)
    if name == "https" and base is not None and not rest.startswith("//"):
        return _relative(rest, base)
    return _authority(name, rest.lstrip("/\\"))


def _not_special(name: str, rest: str) -> Url:
    if rest.startswith("//"):
        return _authority(name, rest[2:])
    path, mark, query = rest.partition("?")
    path = _path(path, special=False) if path.startswith("/") else _encoded(path, set())
    return Url(name, None, None, "", path, _encoded(query, QUERY) if mark else None, None)


def _relative(string: str, base: str | None) -> Url:
    if base is None:
        raise UnparsableError("not absolute")
    if string.replace("\\", "/").startswith("//"):
        return _authority("https", string.lstrip("/\\"))
    path, mark, query = string.partition("?")
    return replace(
        _authority("https", base.removeprefix("https://")),
        path=_path(path if path[:1] in {"/", "\\"} else f"/{path}", special=True),
        query=_encoded(query, SPECIAL_QUERY) if mark else None,
    )


def _authority(scheme: str, rest: str) -> Url:
    special = scheme in PORTS
    found = re.match(r"[^/?\\]*" if special else r"[^/?]*", rest)
    assert found
    path, mark, query = rest[found.end() :].partition("?")
    user, at_sign, address = found[0].rpartition("@")
    host, port = _host_and_port(address, special)
    if special and host == "":
        raise UnparsableError("no host")
    if not at_sign or user in {"", ":"}:
        userinfo = None
    else:
        name, _, password = user.partition(":")
        userinfo = _encoded(name, USERINFO)
        userinfo += ":" + _encoded(password, USERINFO) if password else ""
    return Url(
        scheme,
        userinfo,
        host,
        "" if port == PORTS.get(scheme) else port,
        _path(path, special=special) if path or special else "",
        _encoded(query, SPECIAL_QUERY if special else QUERY) if mark else None,
        None,
    )


def _host_and_port(address: str, special: bool) -> tuple[str, str]:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]*))?", address)
    if not found or int(found[2] or 0) > 65535:
        raise UnparsableError("no such port")
    port = str(int(found[2])) if found[2] else ""
    return _host(found[1], special), port


def _host(host: str, special: bool) -> str:
    if host.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            raise UnparsableError("no such address") from None
    if not special:
        if any(letter in FORBIDDEN_IN_HOSTS - {"%"} for letter in host):
            raise UnparsableError("no such host")
        return _encoded(host, set())
    host = unquote_to_bytes(host).decode("utf-8", "replace").lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            raise UnparsableError("no such host") from None
    if any(letter in FORBIDDEN_IN_HOSTS for letter in host):
        raise UnparsableError("no such host")
    last = host.removesuffix(".").rpartition(".")[2]
    return _ipv4(host) if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last) else host


def _ipv4(host: str) -> str:
    numbers = [_ipv4_number(part) for part in host.removesuffix(".").split(".")]
    if len(numbers) > 4 or any(number > 255 for number in numbers[:-1]):
        raise UnparsableError("no such address")
    if numbers[-1] >= 256 ** (5 - len(numbers)):
        raise UnparsableError("no such address")
    address = numbers[-1]
    for place, number in enumerate(numbers[:-1]):
        address += number * 256 ** (3 - place)
    return str(ipaddress.IPv4Address(address))


def _ipv4_number(part: str) -> int:
    try:
        if part.startswith("0x"):
            return int(part[2:] or "0", 16)
        return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)
    except ValueError:
        raise UnparsableError("no such address") from None


def _path(path: str, *, special: bool) -> str:
    segments = re.split(r"[/\\]" if special else "/", path)[1:] or [""]
    result: list[str] = []
    for place, segment in enumerate(segments):
        last = place == len(segments) - 1
        dots = segment.lower().replace("%2e", ".")
        if dots == "..":
            result = result[:-1]
        if dots not in {".", ".."}:
            result.append(_encoded(segment, PATH))
        elif last:
            result.append("")
    return "/" + "/".join(result)


def _encoded(string: str, unsafe: set[str]) -> str:
    return "".join(
        quote_from_bytes(letter.encode("utf-8", "replace"), safe="")
        if letter in unsafe or letter in CONTROLS or letter > "~"
        else letter
        for letter in string
    )


def parameters(query: str | None) -> list[tuple[str, str]]:
    """Return the parameters of a query, in the form encoding."""
    pairs = []
    for piece in (query or "").split("&"):
        if piece:
            name, _, value = piece.partition("=")
            pairs.append((_decoded(name), _decoded(value)))
    return pairs


def _decoded(string: str) -> str:
    return unquote_to_bytes(string.replace("+", " ")).decode("utf-8", "replace")


def form(pairs: list[tuple[str, str]]) -> str:
    """Return parameters in the form encoding."""
    return "&".join(f"{_form(name)}={_form(value)}" for name, value in pairs)


def _form(string: str) -> str:
    encoded = quote_from_bytes(string.encode("utf-8", "replace"), safe=" *-._")
    return encoded.replace("~", "%7E").replace(" ", "+")
