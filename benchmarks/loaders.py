"""How each library takes a configuration that arrives as bytes."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from benchmarks.candidates import Listener, NotApplicableError


class Loader(ABC):
    """Takes configurations; the newest one serves.

    Its modules are imported, and a small configuration serves, before anything is measured.
    """

    @abstractmethod
    def load(self, body: bytes) -> None:
        """Take a configuration, from its bytes until it serves."""

    @abstractmethod
    def use(self, key: str, user: str) -> None:
        """Do what the first request of an experiment causes."""

    def settle(self, body: bytes) -> None:  # noqa: B027  # most put nothing off
        """Do what is put off until the configuration serves; not measured."""

    def again(self, body: bytes) -> None:
        """Take the same bytes once more, as a poll without ETag brings them."""
        raise NotApplicableError("does not tell the same bytes from others")


class Own(Loader):
    """This library; a part of the payload is compiled when it is first asked for."""

    def __init__(self) -> None:
        self.load(b'{"features": {}}')

    def load(self, body: bytes) -> None:
        """Do what the source and the engine do before a request sees the configuration."""
        from abmiddleware.snapshot import Snapshot
        from abmiddleware.sources.payloads import Held

        document = Held().merged(body, None).document
        assert document is not None  # else it had raised
        self._snapshot = Snapshot.of([document])

    def use(self, key: str, user: str) -> None:
        """Compile the feature."""
        self._snapshot.features[key]

    def settle(self, body: bytes) -> None:
        """Poll a server that answers so, as the source's thread does: it looks at all parts."""
        self._source = _Source()
        self._source.poll(body)

    def again(self, body: bytes) -> None:
        """Poll it once more."""
        self._source.poll(body)


class _Source:
    """The part of a GrowthBook source that polls, with a server in memory."""

    def __init__(self) -> None:
        from abmiddleware.sources.fetch import Http
        from abmiddleware.sources.holding import Holding
        from abmiddleware.sources.poll import Poll
        from abmiddleware.sources.refresher import Life
        from abmiddleware.sources.retry import Retry

        self._life = Life()
        self._holding = Holding("in memory", None, None)
        self._poll = Poll(cast(Http, self), "", self._holding, 60, Retry())
        self._body = b""

    def poll(self, body: bytes) -> None:
        """Poll once, where the server has this configuration."""
        self._body = body
        self._poll.ask(self._life)
        if self._poll.error:
            raise RuntimeError(self._poll.error)

    def get(self, path: str, headers: Mapping[str, str], life: object) -> object:
        """Answer as the server."""
        from abmiddleware.sources.answer import Answer

        return Answer(self._body, is_compressed=False, etag="", streams=False)


class Eppo(Loader):
    """Eppo's SDK, with the same experiments in its own form."""

    def __init__(self) -> None:
        from benchmarks.eppo_candidate import Logger, client_of, flags

        self._client = client_of(flags([]), Logger(Listener()))

    def load(self, body: bytes) -> None:
        """Replace the client's configuration."""
        from eppo_client import Configuration

        self._client.set_configuration(Configuration(flags_configuration=body))

    def use(self, key: str, user: str) -> None:
        """Ask for the flag."""
        self._client.get_string_assignment(key, user, {}, "")


class GrowthBookLoader(Loader):
    """GrowthBook's async client."""

    def __init__(self) -> None:
        from growthbook import GrowthBookClient, Options

        self._loop = asyncio.new_event_loop()
        self._client = GrowthBookClient(Options(on_experiment_viewed=Listener().viewed))
        self.load(b'{"features": {}}')

    def load(self, body: bytes) -> None:
        """Parse the payload and hand it to the client."""
        self._loop.run_until_complete(self._client.set_payload(json.loads(body)))

    def use(self, key: str, user: str) -> None:
        """Evaluate the feature."""
        from growthbook import UserContext

        asked = self._client.eval_feature(key, UserContext(attributes={"id": user}))
        self._loop.run_until_complete(asked)


class Parsed(Loader):
    """Nothing but the standard library's parser: what no user of it gets below."""

    def __init__(self) -> None:
        self._parsed: Any = None

    def load(self, body: bytes) -> None:
        """Parse the payload."""
        self._parsed = json.loads(body)

    def use(self, key: str, user: str) -> None:
        """Look the feature up."""
        self._parsed["features"][key]


LOADERS: Final[dict[str, Callable[[], Loader]]] = {
    "abmiddleware": Own,
    "eppo": Eppo,
    "growthbook client": GrowthBookLoader,
    "json.loads alone": Parsed,
}
