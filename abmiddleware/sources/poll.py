"""Asking the server for the configuration again and again."""

from __future__ import annotations

from time import monotonic
from typing import Final

from abmiddleware.exceptions import DocumentError
from abmiddleware.notices import notices
from abmiddleware.sources.answer import Answer, FetchError
from abmiddleware.sources.fetch import Http
from abmiddleware.sources.holding import Holding
from abmiddleware.sources.refresher import Life
from abmiddleware.sources.retry import Retry

#: What there is to tell of a step that never ended.
PAST_DEADLINE: Final = "no answer came within its deadline, be it for the host's name"
#: Beside an open stream, polls are that many times rarer.
_BESIDE_STREAM: Final = 5


class Poll:
    """Polls, and knows when to do so next.

    Args:
        http: the server.
        path: what is asked for.
        holding: takes what comes.
        interval: seconds between two polls.
        retry: how they are spread, and what happens after failures.
    """

    def __init__(
        self, http: Http, path: str, holding: Holding, interval: float, retry: Retry
    ) -> None:
        self._http = http
        self._path = path
        self._holding = holding
        self._interval = interval
        self._retry = retry
        self._etag = ""
        #: The last body that was used, as it came: an equal one is not read again.
        self._body: bytes | None = None
        #: When to poll next, on the monotonic clock.
        self.due = 0.0
        #: Why the last poll failed; "" if it did not.
        self.error = ""
        #: Whether the server offers a stream.
        self.streams = False
        self.attempts = 0
        self.failures = 0
        self._failures_in_row = 0
        self._is_beside_stream = False
        #: When the last good poll ended, on the monotonic clock.
        self._answered = float("-inf")
        #: Whether caches on the way must not answer the next poll.
        self._past_cache = False
        #: Of the thread whose poll is under way, or was given up in it.
        self._asking: Life | None = None
        #: Whether this process has had a configuration from the server.
        self._has_heard = False

    @property
    def is_failing(self) -> bool:
        """Whether the last poll failed."""
        return self._failures_in_row > 0

    @property
    def vouches(self) -> bool:
        """Whether what is held was current in this process, and no poll has failed since."""
        return self._has_heard and not self.is_failing

    def begin(self) -> None:
        """Begin in a process: at once, unless there is something to serve."""
        is_serving = self._holding.held.document is not None
        self.due = monotonic() + self._retry.after_start(self._interval, is_serving=is_serving)
        self._is_beside_stream = self._has_heard = self._past_cache = False
        self._failures_in_row, self._answered, self._asking = 0, float("-inf"), None

    def beside_stream(self, is_open: bool) -> None:
        """Poll rarely from the next time on, or as usual again.

        The next poll stays where it would be: it finds what changed before the stream was open.
        After a failure it is not brought forward, however often a stream comes and goes.
        """
        self._is_beside_stream = is_open
        if not self.is_failing:
            self.due = min(self.due, monotonic() + self._retry.after_success(self._interval))

    def overtaken(self) -> None:
        """Read the next body, even one that was read before: a stream has brought another."""
        self._etag, self._body = "", None
        self._has_heard = True

    def hasten(self) -> None:
        """Poll soon, and past caches: a stream tells that something has changed.

        Events do not hasten what a failure has put off, and make no storm.
        """
        self._past_cache = True
        if not self.is_failing:
            soon = monotonic() + self._retry.after_push()
            self.due = min(self.due, max(soon, self._answered + self._retry.first))

    def settle(self, life: Life) -> None:
        """Count the poll in which the thread before this one was given up."""
        if self._asking is not None and self._asking is not life:
            self._asking = None
            self._fail(FetchError(PAST_DEADLINE))

    def ask(self, life: Life) -> None:
        """Poll once; never raises."""
        self.attempts += 1
        self._asking = life
        headers = {"cache-control": "no-cache"} if self._past_cache else {}
        etag = "" if self._past_cache else self._etag
        if etag:
            headers["if-none-match"] = etag
        try:
            answer = self._http.get(self._path, headers, life)
            if life.over.is_set():
                return
            if answer is None and not etag:
                raise FetchError("the server answers 304 to a question without an ETag")  # noqa: TRY301
            self._use(answer)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next poll may mend it
            if not life.over.is_set():
                self._asking = None
                self._fail(error)
        else:
            self._asking = None
            self.error, self._failures_in_row = "", 0
            self._has_heard, self._past_cache = True, False
            self._answered = monotonic()
            times = _BESIDE_STREAM if self._is_beside_stream else 1
            self.due = self._answered + self._retry.after_success(times * self._interval)

    def _use(self, answer: Answer | None) -> None:
        """Take over the answer's configuration, unless it is the one that is held.

        Raises:
            FetchError: its compression is damaged.
            DocumentError: it may not be used.
        """
        if answer is None:
            self._holding.confirm()
            return
        self.streams = answer.streams
        if answer.body == self._body:
            self._holding.confirm()
        elif not self._holding.take(answer.text(), "poll"):
            return
        self._body, self._etag = answer.body, answer.etag

    def _fail(self, error: Exception) -> None:
        self.failures += 1
        self._failures_in_row += 1
        refused, told = False, None
        if isinstance(error, FetchError):
            refused, told = error.refused, error.retry_after
        is_known = isinstance(error, (FetchError, DocumentError))
        self.error = str(error) if is_known else self._http.masked(error)
        if refused:
            wait = self._retry.after_refusal()
        else:
            wait = self._retry.after_failure(self._failures_in_row, told=told)
            if told is None:
                wait = min(wait, max(self._interval, self._retry.first))
        self.due = monotonic() + wait
        self._tell(error, is_known=is_known, refused=refused)

    def _tell(self, error: Exception, *, is_known: bool, refused: bool) -> None:
        """Tell the log what somebody should mend; what passes shows as age."""
        holding = self._holding
        is_empty = holding.held.document is None
        if refused or is_empty or not isinstance(error, FetchError):
            notices.warn(
                f"{holding.name} poll",
                "%s could not be read, %s: %s",
                holding.name,
                "defaults serve" if is_empty else "the configuration before it stays",
                self.error,
                error=None if is_known else error,
            )
