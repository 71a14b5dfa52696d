"""Following the server's stream of changes."""

from __future__ import annotations

import os
from time import monotonic, thread_time
from typing import Final

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import DocumentError
from abmiddleware.notices import notices
from abmiddleware.sources.answer import FetchError
from abmiddleware.sources.events import EventReader
from abmiddleware.sources.fetch import Http
from abmiddleware.sources.holding import Holding
from abmiddleware.sources.poll import PAST_DEADLINE, Poll
from abmiddleware.sources.refresher import Life
from abmiddleware.sources.retry import Retry

#: After each chunk, the rest that requests have from the thread, for each second of work: a server
#: that sends without end would else keep the interpreter busy.
_REST: Final = 3.0
_HEADERS = {
    "accept": "text/event-stream",
    "accept-encoding": "identity",
    "cache-control": "no-cache",
}


class Stream:
    """Follows a stream of server-sent events, and knows when to connect again.

    Args:
        http: the server.
        path: of the stream.
        holding: takes what comes.
        poll: goes on, rarely, while the stream is open.
        retry: when to connect again.
    """

    def __init__(self, http: Http, path: str, holding: Holding, poll: Poll, retry: Retry) -> None:
        self._http = http
        self._path = path
        self._holding = holding
        self._poll = poll
        self._retry = retry
        #: When to connect next, on the monotonic clock.
        self.due = 0.0
        #: Why the last connection ended; "" while one is open.
        self.error = ""
        self.attempts = 0
        self.failures = 0
        self._failures_in_row = 0
        #: Of the thread that follows the stream, or was given up in it.
        self._following: Life | None = None
        #: Of the thread that has the stream open.
        self._life: Life | None = None

    @property
    def is_open(self) -> bool:
        """Whether this process has the stream open."""
        life = self._life
        return life is not None and life.pid == os.getpid() and not life.over.is_set()

    def begin(self) -> None:
        """Begin in a process."""
        self.due, self._failures_in_row = 0.0, 0
        self._life = self._following = None

    def settle(self, life: Life) -> None:
        """Count the connection in which the thread before this one was given up."""
        if self._following is not None and self._following is not life:
            self._end(FetchError(PAST_DEADLINE))

    def follow(self, life: Life) -> None:
        """Connect and take what comes, until the connection ends; never raises."""
        self.attempts += 1
        self._following = life
        began = monotonic()
        try:
            self._read(life)
            error: Exception = FetchError("the stream was closed")
        except Exception as caught:  # noqa: BLE001  # whatever it is, connecting anew may mend it
            error = caught
        if life.over.is_set():
            return
        if monotonic() - began >= self._retry.healthy:
            self._failures_in_row = 0
        self._end(error)

    def _end(self, error: Exception) -> None:
        if self._life is self._following:
            self._poll.beside_stream(False)
        self._life = self._following = None
        self._fail(error)

    def _read(self, life: Life) -> None:
        silence = self._http.deadlines.silence
        end = monotonic() + self._http.deadlines.total
        with (
            life.until(end),
            self._http.asking(self._path, _HEADERS, life, silence=silence) as response,
        ):
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if response.status_code != 200 or kind != "text/event-stream":
                told = f"status {response.status_code}, {shown(kind)}"
                is_refusal = response.status_code != 304  # which nobody asked for
                raise FetchError(f"the stream is none ({told})", refused=is_refusal)
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise FetchError("the stream is compressed, which nobody asked for")
            self._life, self.error = life, ""
            self._poll.beside_stream(True)
            life.deadline = monotonic() + silence
            self._http.meanwhile(response, lambda: self._poll_if_due(life))
            events = EventReader()
            for chunk in response.iter_raw():
                if life.over.is_set():
                    return
                began = thread_time()
                self._take(chunk, events)
                life.deadline = monotonic() + silence
                life.wait(_REST * (thread_time() - began))

    def _poll_if_due(self, life: Life) -> float:
        """Poll beside the stream; return when to do so next."""
        if (began := monotonic()) >= self._poll.due and not life.over.is_set():
            self._poll.ask(life)
            life.deadline += monotonic() - began  # what it takes is no silence of the stream
        return self._poll.due

    def _take(self, chunk: bytes, events: EventReader) -> None:
        """Take what a chunk completes.

        Any byte tells that the stream works, but not what was sent before it was open: that is
        known from a poll, or from a configuration that came by the stream.

        Raises:
            DocumentError: a configuration among it may not be used.
        """
        for event in events.feed(chunk):
            if event.name == b"features":
                self._holding.take(event.data, "stream")
                self._poll.overtaken()
            elif event.name == b"features-updated":
                self._poll.hasten()
        if self._poll.vouches:
            self._holding.confirm()

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self._failures_in_row += 1
        is_known = isinstance(error, (FetchError, DocumentError))
        self.error = str(error) if is_known else self._http.masked(error)
        if isinstance(error, FetchError) and error.refused:
            wait = self._retry.after_refusal()
        else:
            told = error.retry_after if isinstance(error, FetchError) else None
            wait = self._retry.after_failure(self._failures_in_row, told=told)
        self.due = monotonic() + wait
        if not isinstance(error, FetchError):
            notices.warn(
                f"{self._holding.name} stream",
                "the stream of %s is opened anew: %s",
                self._holding.name,
                self.error,
                error=None if is_known else error,
            )
