"""URLs as browsers read them, and the override in a URL's query (specification, section 12).

The rules are those of WHATWG's URL standard, as Node 20 has them. Differences that stay:

- `file:` knows no drive letters, and `blob:` has no origin but "null";
- a host in other scripts is mapped by NFKC and case folding instead of the tables of UTS 46, its
  right-to-left and joiner rules are not checked (a joiner is refused), and it has at most 255
  characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address
from itertools import groupby
from typing import Final, NamedTuple
from unicodedata import category, normalize

#: The schemes that have a host and a path of segments, with their default ports.
_SPECIAL: Final = {"http": "80", "https": "443", "ws": "80", "wss": "443", "ftp": "21", "file": ""}
_HOST_LIMIT: Final = 255

_BLANKS: Final = "".join(map(chr, range(0x21)))
_LINES: Final = re.compile("[\t\n\r]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_SCHEME: Final = re.compile("([A-Za-z][A-Za-z0-9+.-]*):")
_PORT: Final = re.compile("(?::0*([0-9]{0,5}))?")
_NO_HOST: Final = re.compile(r"[\0\t\n\r #/:<>?@[\\\]^|]")
_NO_DOMAIN: Final = re.compile(r"[\0-\x20#%/:<>?@[\\\]^|\x7f]")
#: Characters that a host may hold and that do not count.
_IGNORED: Final = re.compile("[\xad\u034f\u180b-\u180f\u200b\u2060\u2064\ufe00-\ufe0f\ufeff]")
_NUMBER: Final = re.compile("0[xX]0*([0-9A-Fa-f]*)|0+([0-7]*)|([1-9][0-9]*)")
_ESCAPE: Final = re.compile(b"%([0-9A-Fa-f]{2})")


def _set(characters: str) -> re.Pattern[str]:
    """Return the percent-encode set of these characters, the controls and what is not ASCII."""
    return re.compile(f"(?:[^ -~]|[{re.escape(characters)}])+")


_IN_OPAQUE: Final = re.compile("[^ -~]+")
_IN_FRAGMENT: Final = _set(' "<>`')
_IN_QUERY: Final = _set(' "#<>')
_IN_SPECIAL_QUERY: Final = _set(" \"#<>'")
_IN_PATH: Final = _set(' "#<>?`{}')
_IN_USERINFO: Final = _set(' "#<>?`{}/:;=@[\\]^|')


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its normal form."""

    href: str
    scheme: str
    #: `name:password`, or "".
    userinfo: str
    #: With the port unless that is the scheme's own; "" where there is none.
    host: str
    path: str
    #: Without the question mark.
    query: str
    #: Without the number sign.
    fragment: str
    #: Path, query and fragment as they stand in `href`.
    tail: str
    #: False if it was resolved against the base.
    was_absolute: bool

    @property
    def origin(self) -> str:
        """Scheme and host; "null" for a scheme that has no origin."""
        known = self.scheme in _SPECIAL and self.scheme != "file"
        return f"{self.scheme}://{self.host}" if known else "null"


class _Parts(NamedTuple):
    """A URL's parts in their normal form; None for those that it lacks."""

    scheme: str
    userinfo: str
    host: str | None
    path: str
    query: str | None
    fragment: str | None = None


def parse_url(url: str, base: str | None = None) -> Url | None:
    """Parse a URL; None where a browser cannot.

    Args:
        url: the URL as somebody wrote it.
        base: the absolute URL that a relative one is resolved against; without it, a relative one
            is None.
    """
    return _parse(url, base) if isinstance(url, str) else None


@lru_cache(maxsize=64)  # every experiment asks about the page of the request
def _parse(url: str, base: str | None) -> Url | None:
    try:
        start = None if base is None else _read(_cleaned(base), None)
        text = _cleaned(url)
        return _url(_read(text, start), was_absolute=_SCHEME.match(text) is not None)
    except ValueError:
        return None


def _url(parts: _Parts, *, was_absolute: bool) -> Url:
    scheme, userinfo, host, path, query, fragment = parts
    tail = path
    if query is not None:
        tail += f"?{query}"
    if fragment is not None:
        tail += f"#{fragment}"
    start = f"{scheme}:"
    if host is not None:
        start += f"//{userinfo}@{host}" if userinfo else f"//{host}"
    elif path.startswith("//"):
        start += "/."  # else the path would be read as a host
    href = start + tail
    return Url(
        href, scheme, userinfo, host or "", path, query or "", fragment or "", tail, was_absolute
    )


def _cleaned(url: str) -> str:
    if _SURROGATES.search(url):
        url = url.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _LINES.sub("", url.strip(_BLANKS))


def _read(text: str, base: _Parts | None) -> _Parts:
    """Read a URL.

    Raises:
        ValueError: a browser would refuse it.
    """
    before, mark, fragment = text.partition("#")
    match = _SCHEME.match(before)
    if match is not None:
        parts = _absolute(match[1].lower(), before[match.end() :], base)
    elif base is None or (base.host is None and base.path[:1] != "/" and (before or not mark)):
        raise ValueError("relative to nothing")
    else:
        parts = _relative(before, base)
    return parts._replace(fragment=encoded(fragment, _IN_FRAGMENT) if mark else None)


def _absolute(scheme: str, rest: str, base: _Parts | None) -> _Parts:
    if scheme not in _SPECIAL:
        if rest.startswith("//"):
            return _with_host(scheme, rest[2:])
        if rest.startswith("/"):
            return _with_path(scheme, "", None, rest)
        path, query = _split(scheme, rest)
        return _Parts(scheme, "", None, encoded(path, _IN_OPAQUE), query)
    if base is not None and base.scheme == scheme and not rest.startswith("//"):
        return _relative(rest, base)
    if scheme != "file":
        return _with_host(scheme, rest.lstrip("/\\"))
    if rest[:2].replace("\\", "/") == "//":
        return _with_host(scheme, rest[2:])
    return _with_path(scheme, "", "", rest)


def _relative(rest: str, base: _Parts) -> _Parts:
    scheme, userinfo, host, base_path, base_query, _ = base
    start = rest[:2].replace("\\", "/") if scheme in _SPECIAL else rest[:2]
    if start == "//":
        is_lax = scheme in _SPECIAL and scheme != "file"
        return _with_host(scheme, rest.lstrip("/\\") if is_lax else rest[2:])
    if start.startswith("/"):
        return _with_path(scheme, userinfo, host, rest)
    if start.startswith("?"):
        return _Parts(scheme, userinfo, host, base_path, _split(scheme, rest)[1])
    if not rest:
        return _Parts(scheme, userinfo, host, base_path, base_query)
    return _with_path(scheme, userinfo, host, rest, base_path.split("/")[1:-1])


def _with_host(scheme: str, rest: str) -> _Parts:
    """Read what follows the slashes before a host."""
    end = re.match(r"[^/\\?]*" if scheme in _SPECIAL else "[^/?]*", rest)
    place = end[0] if end else ""
    userinfo, host = _authority(scheme, place)
    return _with_path(scheme, userinfo, host, rest[len(place) :])


def _with_path(
    scheme: str, userinfo: str, host: str | None, rest: str, folder: Iterable[str] = ()
) -> _Parts:
    path, query = _split(scheme, rest)
    if path or scheme in _SPECIAL:
        path = _path(path.replace("\\", "/") if scheme in _SPECIAL else path, folder)
    return _Parts(scheme, userinfo, host, path, query)


def _split(scheme: str, rest: str) -> tuple[str, str | None]:
    """Split path and query, which is encoded."""
    path, mark, query = rest.partition("?")
    if not mark:
        return path, None
    return path, encoded(query, _IN_SPECIAL_QUERY if scheme in _SPECIAL else _IN_QUERY)


def _path(path: str, folder: Iterable[str]) -> str:
    segments = [*folder]
    written = path.removeprefix("/").split("/")
    for place, segment in enumerate(written, 1):
        dots = segment.lower().replace("%2e", ".") if len(segment) <= 6 else ""
        if dots == ".." and segments:
            segments.pop()
        if dots not in (".", ".."):
            segments.append(encoded(segment, _IN_PATH))
        elif place == len(written):
            segments.append("")
    return "/" + "/".join(segments)


def _authority(scheme: str, text: str) -> tuple[str, str]:
    """Read `name:password@host:port`."""
    if scheme == "file":
        host = _host(text, is_special=True) if text else ""
        return "", "" if host == "localhost" else host
    credentials, at, place = text.rpartition("@")
    end = place.find("]") + 1 if place.startswith("[") else place.find(":")
    name, rest = (place[:end], place[end:]) if end > 0 else (place, "")
    port = _PORT.fullmatch(rest)
    if port is None or int(port[1] or 0) > 0xFFFF:
        raise ValueError("bad port")
    if name:
        host = _host(name, is_special=scheme in _SPECIAL)
    elif scheme in _SPECIAL or at or rest:
        raise ValueError("no host")
    else:
        host = ""
    if rest not in ("", ":") and str(int(port[1] or 0)) != _SPECIAL.get(scheme):
        host += f":{int(port[1] or 0)}"
    user, _, password = credentials.partition(":")
    userinfo = encoded(user, _IN_USERINFO)
    if password:
        userinfo += f":{encoded(password, _IN_USERINFO)}"
    return userinfo, host


def _host(text: str, *, is_special: bool) -> str:
    if text.startswith("[") and text.endswith("]"):
        return f"[{_ipv6(text[1:-1])}]"
    if not is_special:
        if _NO_HOST.search(text):
            raise ValueError("bad host")
        return encoded(text, _IN_OPAQUE)
    domain = _ascii_domain(decoded(text))
    if not domain or _NO_DOMAIN.search(domain):
        raise ValueError("bad domain")
    last = domain.removesuffix(".").rpartition(".")[2]
    if last.isdigit() or re.fullmatch("0x[0-9a-f]*", last):
        return _ipv4(domain.removesuffix(".").split("."))
    return domain


def _ascii_domain(domain: str) -> str:
    """Return a domain in lower case, its labels in other scripts as Punycode."""
    if domain.isascii() and "xn--" not in domain.lower():
        return domain.lower()
    if len(domain) > _HOST_LIMIT:
        raise ValueError("too long to convert")
    return ".".join(map(_ascii_label, _mapped(domain).split(".")))


def _mapped(domain: str) -> str:
    """Map the characters of a domain to those that are looked up."""
    text = _IGNORED.sub("", domain)
    for _ in range(2):  # what is composed may have a case again
        text = normalize("NFKC", "".join(c if c in "\xdf\u03c2" else c.casefold() for c in text))
    return text.replace("\u3002", ".")


def _ascii_label(label: str) -> str:
    if label.startswith("xn--"):
        name = label[4:].encode("ascii").decode("punycode")
        if name.isascii() or _mapped(name) != name or _ascii_label(name) != label:
            raise ValueError("no Punycode")
        return label
    if label.isascii():
        return label
    kinds = [category(c)[0] for c in label if not c.isascii()]
    if category(label[0])[0] == "M" or "C" in kinds or "Z" in kinds or "\ufffd" in label:
        raise ValueError("bad label")
    return "xn--" + label.encode("punycode").decode("ascii")


def _ipv4(numbers: list[str]) -> str:
    """Return the usual form of an IPv4 address, whose numbers may be octal, hexadecimal, joined."""
    *bytes_, last = map(_ipv4_number, numbers)
    free = 4 - len(bytes_)
    if free < 1 or any(byte > 255 for byte in bytes_) or last >= 256**free:
        raise ValueError("bad IPv4 address")
    return ".".join(map(str, [*bytes_, *last.to_bytes(free, "big")]))


def _ipv4_number(text: str) -> int:
    match = _NUMBER.fullmatch(text)
    if match is None or len(text) > _HOST_LIMIT:
        raise ValueError("no number")
    hexadecimal, octal, decimal = match.groups()
    if decimal:
        return int(decimal)
    return int(hexadecimal or "0", 16) if octal is None else int(octal or "0", 8)


def _ipv6(text: str) -> str:
    """Return the shortest form of an IPv6 address."""
    if "%" in text:
        raise ValueError("zones are not allowed")
    address = int(IPv6Address(text))
    pieces = [address >> shift & 0xFFFF for shift in range(112, -1, -16)]
    best, length, start = 0, 1, 0
    for is_zero, run in groupby(pieces, lambda piece: piece == 0):
        count = len([*run])
        if is_zero and count > length:
            best, length = start, count
        start += count
    written = [f"{piece:x}" for piece in pieces]
    if length < 2:
        return ":".join(written)
    return f"{':'.join(written[:best])}::{':'.join(written[best + length :])}"


def encoded(text: str, characters: re.Pattern[str]) -> str:
    """Percent-encode the characters of a set; the text holds no lone surrogate."""
    return characters.sub(lambda run: "".join(f"%{byte:02X}" for byte in run[0].encode()), text)


def decoded(text: str) -> str:
    """Decode percent-encoded text; what is no UTF-8 becomes U+FFFD."""
    if "%" not in text:
        return text
    data = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), text.encode(errors="replace"))
    return data.decode(errors="replace")


def query_pairs(query: str) -> Iterator[tuple[str, str]]:
    """Yield the names and values of a query, decoded as a form's are."""
    for pair in query.replace("+", " ").split("&"):
        if pair:
            name, _, value = pair.partition("=")
            yield decoded(name), decoded(value)


def query_override(key: str, url: str, count: int) -> int | None:
    """Return the variation that a URL's query asks for under an experiment's key (12.3).

    Args:
        key: the experiment's key.
        url: the page's URL, whole or relative; "" if it is not known.
        count: how many variations there are.
    """
    if "?" not in url or not isinstance(key, str):
        return None
    if key not in url and "%" not in url and "+" not in url:
        return None
    query = url.partition("#")[0].partition("?")[2]
    for name, value in query_pairs(query):
        if name == key:
            return _index(value, count)
    return None


def _index(text: str, count: int) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(count)):  # Python refuses to read thousands of digits
        return None
    index = int(digits)
    return index if index < count else None
