"""The same experiment decided by GrowthBook's SDK, each in a way that its README describes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

from growthbook import Experiment, GrowthBook, GrowthBookClient, Options, UserContext, feature_repo

from benchmarks.candidates import KEY, VARIATIONS, Listener

_HOST: Final = "https://cdn.invalid"
_CLIENT_KEY: Final = "sdk-benchmark"
#: Longer than any benchmark, in seconds: the cache is never refreshed over the network.
_CACHE_TTL: Final = 86_400


def payload() -> dict[str, Any]:
    """Return the configuration as it comes from GrowthBook's API, parsed from JSON."""
    rule = {"key": KEY, "variations": VARIATIONS, "hashVersion": 2}
    features = {KEY: {"defaultValue": VARIATIONS[0], "rules": [rule]}}
    parsed: dict[str, Any] = json.loads(json.dumps({"features": features}))
    return parsed


class RunPerRequest:
    """`GrowthBook(...)`, `run` and `destroy` per request; the experiment is defined in code."""

    name = "growthbook: instance per request, run"
    exposes = True

    def __init__(self, listener: Listener) -> None:
        self._viewed = listener.viewed
        self._experiment = Experiment(KEY, list(VARIATIONS), hashVersion=2)
        self._users: Sequence[str] = ()

    def prepare(self, users: Sequence[str]) -> None:
        """Keep the users."""
        self._users = users

    def decide(self) -> list[str]:
        """Run the experiment with an instance per user."""
        values, experiment = [], self._experiment
        for user in self._users:
            growthbook = GrowthBook(attributes={"id": user}, trackingCallback=self._viewed)
            values.append(growthbook.run(experiment).value)
            growthbook.destroy()
        return values


class AsyncClient:
    """`await GrowthBookClient.eval_feature`, one client for all, a `UserContext` per request.

    Each batch gets a fresh client, since one that lives on remembers every user it has seen.
    """

    name = "growthbook: await client.eval_feature"
    exposes = True

    def __init__(self, listener: Listener, loop: asyncio.AbstractEventLoop) -> None:
        self._viewed = listener.viewed
        self._loop = loop
        self._users: Sequence[str] = ()
        self._client = GrowthBookClient()

    def prepare(self, users: Sequence[str]) -> None:
        """Make a client that has the configuration; no network is asked."""
        self._users = users
        self._client = GrowthBookClient(Options(on_experiment_viewed=self._viewed))
        self._loop.run_until_complete(self._client.set_payload(payload()))

    def decide(self) -> list[str]:
        """Evaluate the feature for each user, all in one task."""
        return self._loop.run_until_complete(self._decide())

    async def _decide(self) -> list[str]:
        values: list[str] = []
        client = self._client
        for user in self._users:
            result = await client.eval_feature(KEY, UserContext(attributes={"id": user}))
            values.append(result.value or "")
        return values


class Readme:
    """As the README says for web frameworks: instance, `load_features`, `destroy` per request.

    The repository's cache holds the configuration, so `load_features` asks no network.
    """

    name = "growthbook: README (load_features)"
    exposes = True

    def __init__(self, listener: Listener) -> None:
        self._viewed = listener.viewed
        self._users: Sequence[str] = ()

    def prepare(self, users: Sequence[str]) -> None:
        """Put the configuration into the cache that `load_features` reads."""
        self._users = users
        feature_repo.save_in_cache(f"{_HOST}::{_CLIENT_KEY}", payload(), _CACHE_TTL)

    def decide(self) -> list[str]:
        """Evaluate the feature with an instance per user."""
        values = []
        for user in self._users:
            growthbook = GrowthBook(
                api_host=_HOST,
                client_key=_CLIENT_KEY,
                attributes={"id": user},
                on_experiment_viewed=self._viewed,
            )
            growthbook.load_features()
            values.append(growthbook.get_feature_value(KEY, ""))
            growthbook.destroy()
        return values
