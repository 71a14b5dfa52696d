"""A large configuration, as a busy company's GrowthBook would send it."""

from __future__ import annotations

import json
from typing import Any, Final

from benchmarks.trials import Trial

#: How many experiments it holds, each as the rule of a feature: some 3.4 MiB of JSON.
EXPERIMENTS: Final = 10_000
_COUNTRIES: Final = ("NL", "BE", "DE", "FR", "ES", "IT", "PL", "SE")


def key_of(number: int) -> str:
    """Return the key of one of its experiments, and of its feature."""
    return f"experiment-{number:05}"


def trials() -> list[Trial]:
    """Return the experiments: every third has a condition, every fifth a namespace."""
    return [
        Trial(
            key_of(number),
            weights=(0.5, 0.5),
            coverage=(number % 10 + 1) / 10,
            condition=_condition(number) if number % 3 == 0 else None,
            namespace=(f"layer-{number % 50}", 0.0, 0.5) if number % 5 == 0 else None,
        )
        for number in range(EXPERIMENTS)
    ]


def growthbook_payload() -> bytes:
    """Return the configuration as GrowthBook's API sends it."""
    features = {
        trial.key: {"defaultValue": "control", "rules": [_rule(number, trial)]}
        for number, trial in enumerate(trials())
    }
    return json.dumps({"status": 200, "features": features}, separators=(",", ":")).encode()


def _rule(number: int, trial: Trial) -> dict[str, Any]:
    return {
        "id": f"fr_{number:016x}",
        **trial.rule(),
        "hashAttribute": "id",
        "phase": str(number % 3),
        "name": f"Experiment {number}",
        "meta": [{"key": "0", "name": "Control"}, {"key": "1", "name": "One click"}],
    }


def _condition(number: int) -> dict[str, Any]:
    start = number % (len(_COUNTRIES) - 2)
    return {
        "country": {"$in": list(_COUNTRIES[start : start + 3])},
        "version": {"$vgte": f"{number % 7}.{number % 10}.0"},
    }
