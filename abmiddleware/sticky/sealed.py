"""The value of the sticky cookie: assignments, packed and signed."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from abmiddleware.signing import Signer, base64_text

#: Browsers send no cookie whose name and value are longer than this together, in bytes.
BROWSER_LIMIT: Final = 4096
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
    return base64_text(blake2b(key.encode(), digest_size=9, person=b"ab-sticky").digest())


class Seal:
    """Signs values, and knows its own ones.

    Args:
        secrets: the first one signs, each of them verifies.
        name: the cookie's name; the value is of no use under another one.

    Raises:
        ConfigurationError: there is no secret, or one that could be guessed.
    """

    def __init__(self, secrets: object, name: str) -> None:
        self._signer = Signer(secrets, _PURPOSE + b"\0" + name.encode())

    def close(self, content: Content) -> str:
        """Return the signed value of a content."""
        return self._signer.sign(zlib.compress(msgspec.json.encode(content), 9, wbits=-15))

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
        found = self._signer.verified(value) if len(value) <= BROWSER_LIMIT else None
        if found is None:
            return None
        content = _unpacked(found[0])
        return None if content is None else (content, found[1])


def _unpacked(data: bytes) -> Content | None:
    """Return what was packed; None where another version of this library packed another form."""
    try:
        return _decoder.decode(zlib.decompressobj(wbits=-15).decompress(data, _UNPACKED))
    except (ValueError, zlib.error, RecursionError):
        return None
