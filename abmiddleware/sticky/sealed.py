"""The value of the sticky cookie: assignments, packed and signed."""

from __future__ import annotations

import hmac
import re
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from abmiddleware.exceptions import ConfigurationError

#: Browsers send no cookie whose name and value are longer than this together, in bytes.
BROWSER_LIMIT: Final = 4096
#: The packed content, then the signature.
_FORM: Final = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})", re.ASCII)
#: What a content may unpack to, in bytes: more than any that was packed into a cookie.
_UNPACKED: Final = 1 << 20
#: A signature of anything else under the same secret is none of a cookie.
_PURPOSE: Final = b"abmiddleware sticky cookie 1"


class Entry(NamedTuple):
    """One assignment of one unit."""

    unit: str
    assignment: str
    variation: str


class Content(msgspec.Struct, frozen=True, array_like=True):
    """What the cookie holds."""

    #: When it was issued, in days since 1970.
    day: int
    #: Oldest first.
    entries: list[Entry]


_decoder = msgspec.json.Decoder(Content)


def unit_of(key: str) -> str:
    """Return what stands for the key of a document: shorter, and it does not show the id."""
    return _text(blake2b(key.encode(), digest_size=9, person=b"ab-sticky").digest())


class Seal:
    """Signs values, and knows its own ones.

    Args:
        secrets: the first one signs, each of them verifies.
        name: the cookie's name; the value is of no use under another one.

    Raises:
        ConfigurationError: there is no secret, or one that could be guessed.
    """

    def __init__(self, secrets: object, name: str) -> None:
        purpose = _PURPOSE + b"\0" + name.encode()
        self._keys = [
            hmac.digest(secret.encode("utf-8", "surrogatepass"), purpose, "sha256")
            for secret in _checked(secrets)
        ]

    def close(self, content: Content) -> str:
        """Return the signed value of a content."""
        packed = zlib.compress(msgspec.json.encode(content), 9, wbits=-15)
        body = _text(packed)
        return f"{body}.{_signature(self._keys[0], body)}"

    def close_within(self, content: Content, size: int) -> str:
        """Return the value with as many of the newest entries as fit, at most `size` bytes."""

        def without(count: int) -> str:
            return self.close(Content(content.day, content.entries[count:]))

        if len(whole := without(0)) <= size:
            return whole
        count = len(content.entries)
        dropped = bisect_left(range(count), True, key=lambda first: len(without(first)) <= size)
        return without(dropped)

    def open(self, value: str) -> tuple[Content, bool] | None:
        """Return the content of a value, and whether the first secret signed it; None for others'.

        Nothing is unpacked before the signature is verified.
        """
        match = _FORM.fullmatch(value) if len(value) <= BROWSER_LIMIT else None
        if match is None:
            return None
        for index, key in enumerate(self._keys):
            if hmac.compare_digest(_signature(key, match[1]), match[2]):
                content = _unpacked(match[1])
                return None if content is None else (content, index == 0)
        return None


def _checked(secrets: object) -> Sequence[str]:
    given = [secrets] if isinstance(secrets, str) else secrets
    if not isinstance(given, Sequence) or not given or isinstance(given, bytes):
        kind = type(secrets).__name__  # what it is must not end up in a log
        raise ConfigurationError(f"secret: is a {kind}, must be a text, or a list of texts")
    for index, secret in enumerate(given):
        where = "secret" if given is not secrets else f"secret[{index}]"
        if not isinstance(secret, str):
            raise ConfigurationError(f"{where}: is a {type(secret).__name__}, must be a text")
        if len(secret) < 32:
            raise ConfigurationError(
                f"{where}: has {len(secret)} characters, must have at least 32, such as "
                'python -c "import secrets; print(secrets.token_urlsafe(32))" prints'
            )
    return given


def _signature(key: bytes, body: str) -> str:
    return _text(hmac.digest(key, body.encode(), "sha256"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _unpacked(body: str) -> Content | None:
    """Return what was packed; None where another version of this library packed another form."""
    try:
        data = urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return _decoder.decode(zlib.decompressobj(wbits=-15).decompress(data, _UNPACKED))
    except (ValueError, zlib.error, RecursionError):
        return None
