"""The same experiments decided by GrowthBook's SDK, each in a way that its README describes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from growthbook import Experiment, GrowthBook, GrowthBookClient, Options, UserContext, feature_repo

from benchmarks.candidates import Candidate, Listener, NotApplicableError
from benchmarks.trials import KEY, Case, Manner, Trial

_HOST: Final = "https://cdn.invalid"
#: Longer than any benchmark, in seconds: the cache is never refreshed over the network.
_CACHE_TTL: Final = 86_400


def payload(trials: Iterable[Trial]) -> str:
    """Return the configuration as it comes from GrowthBook's API."""
    features = {
        trial.key: {"defaultValue": trial.variations[0], "rules": [trial.rule()]}
        for trial in trials
    }
    return json.dumps({"features": features})


def _attributes(user: str) -> dict[str, Any]:
    """Return what the condition reads; `destroy` clears the dict, so each has its own."""
    return {
        "id": user,
        "country": "NL",
        "company": {"plan": "pro"},
        "version": "2.10.1",
        "age": 34,
    }


class RunPerRequest(Candidate):
    """`GrowthBook(...)`, `run` and `destroy` per request; experiments are defined in code."""

    def __init__(self, case: Case, listener: Listener) -> None:
        super().__init__(case, listener)
        if case.manner is Manner.FEATURE or (case.manner is not Manner.MANY and case.trials[1:]):
            raise NotApplicableError("looks nothing up")
        self._experiments = [_experiment(trial) for trial in case.trials]

    def one(self, users: Sequence[str]) -> list[str]:
        """Run the experiment with an instance per user."""
        values, experiment = [], self._experiments[0]
        for user in users:
            growthbook = self._instance({"id": user})
            values.append(growthbook.run(experiment).value)
            growthbook.destroy()
        return values

    def targeted(self, users: Sequence[str]) -> list[str]:
        """Run it with the attributes that its condition reads."""
        values, experiment = [], self._experiments[0]
        for user in users:
            growthbook = self._instance(_attributes(user))
            values.append(growthbook.run(experiment).value)
            growthbook.destroy()
        return values

    def many(self, users: Sequence[str]) -> list[str]:
        """Run all experiments with an instance per user."""
        values, experiments = [], self._experiments
        for user in users:
            growthbook = self._instance({"id": user})
            for experiment in experiments:
                values.append(growthbook.run(experiment).value)  # noqa: PERF401  # as a view does
            growthbook.destroy()
        return values

    def _instance(self, attributes: dict[str, Any]) -> GrowthBook:
        return GrowthBook(attributes=attributes, on_experiment_viewed=self.listener.viewed)


class AsyncClient(Candidate):
    """`await GrowthBookClient.eval_feature`, one client for all, a `UserContext` per request.

    Each batch gets a fresh client, since one that lives on remembers every user it has seen.
    """

    def __init__(self, case: Case, listener: Listener) -> None:
        super().__init__(case, listener)
        self._payload = payload(case.trials)
        self._loop = asyncio.new_event_loop()
        self._client = GrowthBookClient()

    def prepare(self) -> None:
        """Make a client that has the configuration; no network is asked."""
        self._client = GrowthBookClient(Options(on_experiment_viewed=self.listener.viewed))
        self._loop.run_until_complete(self._client.set_payload(json.loads(self._payload)))

    def one(self, users: Sequence[str]) -> list[str]:
        """Evaluate the feature for each user, all in one task."""
        return self._loop.run_until_complete(self._one(users))

    def targeted(self, users: Sequence[str]) -> list[str]:
        """Evaluate it with the attributes that its condition reads."""
        return self._loop.run_until_complete(self._targeted(users))

    def many(self, users: Sequence[str]) -> list[str]:
        """Evaluate all features with one context per user."""
        return self._loop.run_until_complete(self._many(users))

    def spread(self, users: Sequence[str]) -> list[str]:
        """Evaluate another feature for each user."""
        return self._loop.run_until_complete(self._spread(users))

    async def _one(self, users: Sequence[str]) -> list[str]:
        values: list[str] = []
        client = self._client
        for user in users:
            result = await client.eval_feature(KEY, UserContext(attributes={"id": user}))
            values.append(result.value or "")
        return values

    async def _targeted(self, users: Sequence[str]) -> list[str]:
        values: list[str] = []
        client = self._client
        for user in users:
            result = await client.eval_feature(KEY, UserContext(attributes=_attributes(user)))
            values.append(result.value or "")
        return values

    async def _many(self, users: Sequence[str]) -> list[str]:
        values: list[str] = []
        client, keys = self._client, self.keys
        for user in users:
            context = UserContext(attributes={"id": user})
            for key in keys:
                result = await client.eval_feature(key, context)
                values.append(result.value or "")
        return values

    async def _spread(self, users: Sequence[str]) -> list[str]:
        values: list[str] = []
        client = self._client
        for user, key in zip(users, self.spread_keys, strict=False):
            result = await client.eval_feature(key, UserContext(attributes={"id": user}))
            values.append(result.value or "")
        return values


class Readme(Candidate):
    """As the README says for web frameworks: instance, `load_features`, `destroy` per request.

    The repository's cache holds the configuration, so `load_features` asks no network.
    """

    def __init__(self, case: Case, listener: Listener) -> None:
        super().__init__(case, listener)
        self._client_key = f"sdk-{case.key}"
        parsed = json.loads(payload(case.trials))
        feature_repo.save_in_cache(f"{_HOST}::{self._client_key}", parsed, _CACHE_TTL)

    def one(self, users: Sequence[str]) -> list[str]:
        """Evaluate the feature with an instance per user."""
        values = []
        for user in users:
            growthbook = self._instance({"id": user})
            values.append(growthbook.get_feature_value(KEY, ""))
            growthbook.destroy()
        return values

    def targeted(self, users: Sequence[str]) -> list[str]:
        """Evaluate it with the attributes that its condition reads."""
        values = []
        for user in users:
            growthbook = self._instance(_attributes(user))
            values.append(growthbook.get_feature_value(KEY, ""))
            growthbook.destroy()
        return values

    def many(self, users: Sequence[str]) -> list[str]:
        """Evaluate all features with an instance per user."""
        values, keys = [], self.keys
        for user in users:
            growthbook = self._instance({"id": user})
            for key in keys:
                values.append(growthbook.get_feature_value(key, ""))  # noqa: PERF401  # as a view
            growthbook.destroy()
        return values

    def _instance(self, attributes: dict[str, Any]) -> GrowthBook:
        growthbook = GrowthBook(
            api_host=_HOST,
            client_key=self._client_key,
            attributes=attributes,
            on_experiment_viewed=self.listener.viewed,
        )
        growthbook.load_features()
        return growthbook


def _experiment(trial: Trial) -> Experiment[str]:
    given = trial.given()
    if trial.weights is not None:
        given["weights"] = list(trial.weights)
    return Experiment(trial.key, list(trial.variations), hashVersion=2, **given)
