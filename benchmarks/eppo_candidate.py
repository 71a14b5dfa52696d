"""The same experiments decided by Eppo's SDK, whose core is in Rust."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

import eppo_client
from eppo_client import AssignmentLogger, ClientConfig, Configuration, EppoClient

from benchmarks.candidates import Candidate, Listener
from benchmarks.trials import KEY, OUTSIDE, Case, Trial

#: Nothing listens there, and nothing asks: the configuration is given and is never polled.
_NOWHERE: Final = "http://127.0.0.1:9"
_SHARDS: Final = 10_000
_OPERATORS: Final = {"$in": "ONE_OF", "$gte": "GTE", "$vgte": "GTE"}


def flags(trials: Iterable[Trial]) -> bytes:
    """Return the configuration as Eppo's servers send it."""
    return json.dumps(
        {
            "createdAt": "2026-01-01T00:00:00.000Z",
            "format": "SERVER",
            "environment": {"name": "benchmark"},
            "flags": {trial.key: _flag(trial) for trial in trials},
        }
    ).encode()


def client_of(configuration: bytes, logger: AssignmentLogger) -> EppoClient:
    """Return a client that has the configuration."""
    return eppo_client.init(
        ClientConfig(
            api_key="benchmark",
            base_url=_NOWHERE,
            assignment_logger=logger,
            poll_interval_seconds=None,
            initial_configuration=Configuration(flags_configuration=configuration),
        )
    )


class Logger(AssignmentLogger):
    """Hands assignments to the listener's method, which does the least."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.log_assignment = listener.log_assignment  # type: ignore[method-assign]


class Eppo(Candidate):
    """One client for all; it has no object per request."""

    hashes_alike: ClassVar[bool] = False

    def __init__(self, case: Case, listener: Listener) -> None:
        super().__init__(case, listener)
        self._client = client_of(flags(case.trials), Logger(listener))

    def one(self, users: Sequence[str]) -> list[str]:
        """Ask for the flag for each user."""
        values, client = [], self._client
        for user in users:
            values.append(client.get_string_assignment(KEY, user, {}, OUTSIDE))  # noqa: PERF401
        return values

    def targeted(self, users: Sequence[str]) -> list[str]:
        """Ask with attributes, which have to be flat."""
        values, client = [], self._client
        for user in users:
            attributes: dict[str, str | int | float | bool | None] = {
                "country": "NL",
                "company.plan": "pro",
                "version": "2.10.1",
                "age": 34,
            }
            values.append(client.get_string_assignment(KEY, user, attributes, OUTSIDE))
        return values

    def many(self, users: Sequence[str]) -> list[str]:
        """Ask for all flags for each user."""
        values, client, keys = [], self._client, self.keys
        for user in users:
            for key in keys:
                values.append(client.get_string_assignment(key, user, {}, OUTSIDE))  # noqa: PERF401
        return values

    def spread(self, users: Sequence[str]) -> list[str]:
        """Ask for another flag for each user."""
        values, client = [], self._client
        for user, key in zip(users, self.spread_keys, strict=False):
            values.append(client.get_string_assignment(key, user, {}, OUTSIDE))
        return values


def _flag(trial: Trial) -> dict[str, Any]:
    return {
        "key": trial.key,
        "enabled": True,
        "variationType": "STRING",
        "variations": {name: {"key": name, "value": name} for name in trial.variations},
        "allocations": [
            {
                "key": "experiment",
                "rules": _rules(trial.condition),
                "splits": _splits(trial),
                "doLog": True,
            }
        ],
        "totalShards": _SHARDS,
    }


def _rules(condition: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    if condition is None:
        return []
    return [{"conditions": [_test(*entry) for entry in condition.items()]}]


def _test(attribute: str, wanted: object) -> dict[str, Any]:
    if not isinstance(wanted, dict):
        return {"attribute": attribute, "operator": "ONE_OF", "value": [wanted]}
    ((operator, value),) = wanted.items()
    return {"attribute": attribute, "operator": _OPERATORS[operator], "value": value}


def _splits(trial: Trial) -> list[dict[str, Any]]:
    """Return the variations' ranges, in the fewest shards that say it; coverage cuts each."""
    shards = []
    if trial.namespace is not None:
        salt, start, end = trial.namespace
        shards.append(_shard(salt, start, end))
    coverage = 1.0 if trial.coverage is None else trial.coverage
    splits, start = [], 0.0
    for name, share in zip(trial.variations, trial.shares(), strict=True):
        own = _shard(trial.key, start, start + share * coverage)
        splits.append({"variationKey": name, "shards": [*shards, own]})
        start += share
    return splits


def _shard(salt: str, start: float, end: float) -> dict[str, Any]:
    return {
        "salt": salt,
        "ranges": [{"start": round(start * _SHARDS), "end": round(end * _SHARDS)}],
    }
