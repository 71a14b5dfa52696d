"""JSON from elsewhere, read within limits."""

from __future__ import annotations

import gc
import os
from threading import get_ident
from typing import Final

import msgspec

from abmiddleware.exceptions import DocumentError

#: Larger documents are refused, in bytes, after decompression.
MAX_BYTES: Final = 10 * 1024 * 1024
#: Documents nested deeper than this are refused.
MAX_DEPTH: Final = 64

#: Makes all brackets alike, and leaves out whatever is neither a bracket nor a quotation mark.
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_OTHERS: Final = bytes(set(range(256)) - set(b'[]{}"'))
#: What some editors put before a text in UTF-8.
_MARK: Final = b"\xef\xbb\xbf"


def decode_json(raw: bytes, path: str = "payload") -> object:
    """Return the value of a JSON text.

    Args:
        raw: the text, in UTF-8, with or without a byte order mark.
        path: what it is, for the error.

    Raises:
        DocumentError: it is no JSON, not UTF-8, too long or nested too deep.
    """
    if len(raw) > MAX_BYTES:
        raise DocumentError(path, f"is {len(raw)} bytes, must be at most {MAX_BYTES}")
    raw = raw.removeprefix(_MARK)
    if not raw.strip():
        raise DocumentError(path, "is empty, must be JSON")
    _check_depth(raw, path)
    try:
        return _decoded(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DocumentError(path, f"is no JSON that can be read: {error}") from None


def _decoded(raw: bytes) -> object:
    """Decode without the garbage collector, which would go through all of it again and again.

    That takes three quarters of the time for ten thousand experiments, and the decoder lets no
    other thread run meanwhile.
    """
    if not gc.isenabled():
        return msgspec.json.decode(raw)
    me = get_ident()
    _without_collector.add(me)  # before it is turned off, and until after it is on again
    gc.disable()
    try:
        return msgspec.json.decode(raw)
    finally:
        gc.enable()
        _without_collector.discard(me)


#: Threads that turned the collector off for what they decode.
_without_collector: set[int] = set()


def _after_fork() -> None:
    """Turn the collector on in a child, where the thread that would do so is not."""
    if _without_collector:
        _without_collector.clear()
        gc.enable()


os.register_at_fork(after_in_child=_after_fork)


def _check_depth(raw: bytes, path: str) -> None:
    """Refuse what is nested too deep, before a parser descends into it.

    Brackets that enclose nothing are taken away, again and again: each round takes one level. All
    of it is done by functions in C, at a quarter of what parsing costs.

    Raises:
        DocumentError: it is nested too deep, or a bracket has no counterpart.
    """
    brackets = _brackets(raw)
    if b"[" * (MAX_DEPTH + 1) in brackets:  # the rounds below would be slow for it
        raise _too_deep(path)
    for _ in range(MAX_DEPTH):
        length = len(brackets)
        brackets = brackets.replace(b"[]", b"")
        if len(brackets) == length:
            break
    if b"[]" in brackets:
        raise _too_deep(path)
    if brackets:
        raise DocumentError(path, "is no JSON, or cut off: its brackets do not match")


def _brackets(raw: bytes) -> bytes:
    """Return the brackets of a JSON text that are in none of its strings, as `[` and `]`."""
    if b"\\" in raw:
        raw = raw.replace(rb"\\", b"").replace(rb"\"", b"")
    # Most strings hold no bracket, so that their quotes stand together.
    alike = raw.translate(_ALIKE, _OTHERS).replace(b'""', b"")
    return b"".join(alike.split(b'"')[::2])


def _too_deep(path: str) -> DocumentError:
    return DocumentError(path, f"is nested deeper than {MAX_DEPTH} levels")
