"""How each library takes a configuration that arrives as bytes."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

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

    def again(self, body: bytes) -> None:
        """Take the same bytes once more, as a poll without ETag brings them."""
        raise NotApplicableError("does not tell the same bytes from others")


class Own(Loader):
    """This library; a part of the payload is compiled when it is first asked for."""

    def __init__(self) -> None:
        self._snapshot_of = _snapshot_reader()
        self.load(b'{"features": {}}')

    def load(self, body: bytes) -> None:
        """Parse the payload and make the snapshot that requests would pin."""
        self._snapshot = self._snapshot_of(body)

    def use(self, key: str, user: str) -> None:
        """Compile the feature."""
        self._snapshot.features[key]

    def again(self, body: bytes) -> None:
        """Never asked yet: no source is there to be asked."""
        raise NotApplicableError("abmiddleware has no source that is given bytes")


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


def _snapshot_reader() -> Callable[[bytes], Any]:
    """Return what makes a snapshot of a payload's bytes."""
    import msgspec

    try:
        payload: Any = import_module("abmiddleware.evaluation.payload")
    except ModuleNotFoundError as error:
        raise NotApplicableError(f"there is no {error.name}") from error
    snapshot: Any = import_module("abmiddleware.snapshot").Snapshot
    return lambda body: snapshot.of([payload.read_payload(msgspec.json.decode(body))])
