"""What a server answers: a body, or a failure that tells when to ask again."""

from __future__ import annotations

import zlib
from email.utils import parsedate_to_datetime
from time import time
from typing import TYPE_CHECKING, Final, NamedTuple

from abmiddleware.exceptions import ABMiddlewareError
from abmiddleware.sources.json_text import MAX_BYTES

if TYPE_CHECKING:
    import httpx2

#: Statuses from 400 to 499 that pass by themselves; all others of these need somebody's hand.
_PASSING: Final = (408, 425, 429)
#: What may be the matter with others.
_HINTS: Final = dict.fromkeys((400, 401, 403, 404), ", is client_key that of host?")


class FetchError(ABMiddlewareError):
    """A configuration could not be had; the one before it stays.

    Args:
        problem: what happened.
        refused: whether asking again soon is of no use.
        retry_after: seconds that the server wants to be left alone; None if it does not say.
    """

    def __init__(
        self, problem: str, *, refused: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(problem)
        self.refused = refused
        self.retry_after = retry_after


class Answer(NamedTuple):
    """The body of an answer as it came over the wire."""

    body: bytes
    is_compressed: bool
    etag: str
    #: Whether the server offers a stream of changes.
    streams: bool

    def text(self) -> bytes:
        """Return the body without its compression.

        Raises:
            FetchError: it is damaged, or too large.
        """
        return gunzip(self.body) if self.is_compressed else self.body


def gunzip(body: bytes, most: int = MAX_BYTES) -> bytes:
    """Decompress, and stop where the result grows past `most` bytes.

    Raises:
        FetchError: the result is larger, or the body is damaged.
    """
    stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = stream.decompress(body, most + 1)
    except zlib.error:
        raise FetchError("the answer's compression is damaged") from None
    if len(text) > most:
        raise FetchError(f"the answer is larger than {most} bytes")
    if not stream.eof or stream.unused_data:
        raise FetchError("the answer's compression is cut off or followed by something")
    return text


def check_status(response: httpx2.Response) -> None:
    """Refuse an answer that is neither a configuration nor 'unchanged'.

    Raises:
        FetchError: tells whether asking again soon is of use.
    """
    status = response.status_code
    if 200 <= status < 300 or status == 304:
        return
    raise FetchError(
        f"the server answers {status}{_HINTS.get(status, '')}",
        refused=400 <= status < 500 and status not in _PASSING,
        retry_after=_seconds(response.headers.get("retry-after", "")),
    )


def _seconds(retry_after: str) -> float | None:
    """Read a Retry-After header: seconds, or a date; None for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return None
