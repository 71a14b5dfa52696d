"""Configuration from GrowthBook's API, or from a proxy that answers like it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from hashlib import blake2b
from time import monotonic
from typing import Final, TypeVar
from urllib.parse import unquote, urlsplit

from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.notices import notices
from abmiddleware.sources.addresses import Origin, read_origin
from abmiddleware.sources.encryption import check_key
from abmiddleware.sources.fetch import Http
from abmiddleware.sources.holding import Holding
from abmiddleware.sources.last_good import LastGood
from abmiddleware.sources.poll import Poll
from abmiddleware.sources.refresher import Life, Refresher
from abmiddleware.sources.retry import Deadlines, Retry, check_seconds
from abmiddleware.sources.source import SourceStatus, warn_of_second_engine
from abmiddleware.sources.stream import Stream

#: A warning follows after that many intervals without news.
_MISSED: Final = 3
_CLIENT_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,256}")
#: What the source itself adds to the URL of a server, before the key.
_PATH: Final = "/api/features/"

T = TypeVar("T")


class GrowthBook:
    """Polls GrowthBook, and follows its stream of changes where the server offers one.

        GrowthBook("sdk-abc123", last_good="var/growthbook.json")

    It asks nothing before the first request, or look at the health: then one daemon thread begins,
    in each process its own. Until the first answer, and whenever the server is down, what
    `last_good` keeps is served, or nothing: then experiments of other sources serve, and all else
    is unknown.

    Args:
        client_key: of the SDK connection.
        host: the server's URL; a local one is as good as any, a link-local one is refused.
        streaming_host: the URL of the server that streams, where it is another one.
        poll_seconds: between two polls.
        stream: false never follows a stream.
        decryption_key: of an SDK connection that encrypts; needs the extra `crypto`.
        last_good: a file that keeps the configuration for a start while the server is down.
            What is encrypted stays so in it. Processes may share it.
        retry: how attempts are spread in time.
        deadlines: how long to wait for the server.

    Raises:
        ConfigurationError: an argument is wrong, or a package is missing.
    """

    def __init__(
        self,
        client_key: str,
        *,
        host: str = "https://cdn.growthbook.io",
        streaming_host: str | None = None,
        poll_seconds: float = 60.0,
        stream: bool = True,
        decryption_key: str | None = None,
        last_good: str | os.PathLike[str] | None = None,
        retry: Retry | None = None,
        deadlines: Deadlines | None = None,
    ) -> None:
        _check_client_key(client_key)
        self._interval = check_seconds("poll_seconds", poll_seconds)
        retry = Retry() if retry is None else _checked("retry", retry, Retry)
        deadlines = (
            Deadlines() if deadlines is None else _checked("deadlines", deadlines, Deadlines)
        )
        api = _origin("host", host, client_key)
        streaming = api
        if streaming_host is not None:
            streaming = _origin("streaming_host", streaming_host, client_key)
        key = None if decryption_key is None else check_key(decryption_key)
        self.name = _name(api, client_key)
        self._deadlines = deadlines
        self._holding = Holding(
            self.name, key, None if last_good is None else LastGood(last_good, _hash(client_key))
        )
        self._http = http = Http(api, deadlines, (client_key,))
        self._poll = Poll(http, _PATH + client_key, self._holding, self._interval, retry)
        if streaming != api:
            http = Http(streaming, deadlines, (client_key,))
        self._stream = Stream(http, f"/sub/{client_key}", self._holding, self._poll, retry)
        self._may_stream = _checked("stream", stream, bool)
        self._refresher = Refresher(f"abmiddleware {self.name}", self._refresh)
        self._is_open = False
        #: The process that refreshes, and since when, on the monotonic clock.
        self._begun_in = 0
        self._began = 0.0
        #: What went wrong around the last attempts, rather than in them; "" if nothing did.
        self._error = ""

    def __repr__(self) -> str:
        return self.name

    @property
    def document(self) -> Document | None:
        """The configuration in use; None while there is none."""
        return self._holding.held.document

    def open(self, changed: Callable[[], None]) -> None:
        """Read the last-good file; neither thread nor network."""
        if self._is_open:
            warn_of_second_engine(self.name)
        self._is_open = True
        self._holding.changed = changed
        self._holding.load()

    def look(self) -> None:
        """See to it, once a second, that this process refreshes the configuration."""
        if monotonic() >= self._refresher.due:
            self._look()

    def _look(self) -> None:
        try:
            self._refresher.ensure()
            self._warn_if_stale()
        except Exception as error:  # noqa: BLE001  # a request must not fail for it
            notices.warn(f"{self.name} look", "%s cannot be refreshed", self.name, error=error)

    def status(self) -> SourceStatus:
        """Tell how it is doing."""
        holding, poll, stream = self._holding, self._poll, self._stream
        confirmed = holding.confirmed
        errors = poll.error, stream.error if self._wants_stream else "", self._error
        return SourceStatus(
            name=self.name,
            ready=self.document is not None,
            age_seconds=None if confirmed is None else monotonic() - confirmed,
            interval_seconds=self._expected(),
            last_error="; ".join(filter(None, errors)),
            version=holding.version,
            origin=holding.origin,
            problems=holding.problems,
            streaming=stream.is_open,
            attempts=poll.attempts + stream.attempts,
            failures=poll.failures + stream.failures,
        )

    def close(self, timeout: float = 5.0) -> None:
        """Stop for good; a thread that hangs in looking up a name is left to itself."""
        self._refresher.close(timeout)

    def _refresh(self, life: Life) -> float:
        """Do what is due; return the seconds until something is again."""
        try:
            pause = self._refresh_what_is_due(life)
        except Exception as error:  # the refresher logs it, and goes on in a second
            self._error = self._http.masked(error)
            raise
        self._error = ""
        return pause

    def _refresh_what_is_due(self, life: Life) -> float:
        poll, stream = self._poll, self._stream
        if self._begun_in != life.pid:
            self._began = monotonic()
            poll.begin()
            stream.begin()
            self._begun_in = life.pid
        poll.settle(life)
        stream.settle(life)
        if monotonic() >= poll.due:
            poll.ask(life)
        wants_stream = self._wants_stream
        if wants_stream and monotonic() >= stream.due and not life.over.is_set():
            stream.follow(life)
        return min(poll.due, stream.due if wants_stream else poll.due) - monotonic()

    @property
    def _wants_stream(self) -> bool:
        """Whether a stream is offered, and wanted."""
        return self._may_stream and self._poll.streams

    def _expected(self) -> float:
        """Return the seconds within which there should be news."""
        if self._stream.is_open:  # it may be silent for longer than polls are apart
            return max(self._interval, self._deadlines.silence / _MISSED)
        return self._interval

    def _warn_if_stale(self) -> None:
        if self._begun_in != os.getpid():
            return
        age = monotonic() - max(self._began, self._holding.confirmed or 0.0)
        if age > _MISSED * self._expected():
            notices.warn(
                f"{self.name} age",
                "%s had no news for %.0f seconds, %d intervals or more: %s",
                self.name,
                age,
                _MISSED,
                self._poll.error or "the server does not answer",
            )


def _check_client_key(key: object) -> None:
    """Refuse what is no client key, without showing what may hold one.

    Raises:
        ConfigurationError: it is none; tells what it looks like instead.
    """
    if isinstance(key, str) and _CLIENT_KEY.fullmatch(key):
        return
    looks = "is not a client key"
    if isinstance(key, str) and "/" in key:
        looks = "is a URL or a path, not a client key; its server belongs in host"
    raise ConfigurationError(f"client_key: {looks}, must be the key alone, such as 'sdk-abc123'")


def _checked(argument: str, value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        must = "True or False" if kind is bool else f"a {kind.__name__}, such as {kind()!r}"
        raise ConfigurationError(f"{argument}: is {shown(value)}, must be {must}")
    return value


def _origin(argument: str, url: object, client_key: str) -> Origin:
    """Return the parts of a server's URL, which is logged and so must not hold the key.

    Raises:
        ConfigurationError: it is no URL of a server, or goes on to the configuration itself.
    """
    origin = read_origin(argument, url)
    path = unquote(urlsplit(origin.url).path)
    if client_key in path or _PATH in f"{path}/":
        raise ConfigurationError(
            f"{argument}: is that of one configuration, must be the server alone, "
            "without /api/features and the key, such as 'https://cdn.growthbook.io'"
        )
    return origin


def _name(api: Origin, client_key: str) -> str:
    """Return a name that tells connections apart, and holds no key."""
    return f"GrowthBook({api.url}, #{_hash(f'{api.url} {client_key}')[:4]})"


def _hash(text: str) -> str:
    return blake2b(text.encode(), digest_size=8).hexdigest()
