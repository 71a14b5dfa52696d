"""What is locked when an experiment starts: what decides, and how it is decided."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Final

import msgspec

from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import JOURNAL
from abmiddleware.design.shares import shares
from abmiddleware.evaluation.plan import Plan

#: The fields of a record that say how it is decided.
_RECORD: Final = (
    *("goals", "guardrails", "start", "end", "sequential", "tuning", "alpha", "power", "mde"),
    "activation",
)

#: The fields of a definition that say who may take part.
_TARGETING: Final = ("condition", "namespace", "filters", "prerequisites", "url_patterns", "groups")


def locked_plan(plan: Plan, designs: Designs) -> dict[str, Any]:
    """Return what may not change any more, as JSON values.

    The key, what is hashed, the shares and who is let in; the goals and guardrails with their
    metrics and sources; the plan of the analysis. Coverage is not among it, which may rise, nor are
    secondary metrics.
    """
    record = designs.experiments[plan.key]
    definition = plan.definition
    told = msgspec.to_builtins(record)
    names = (*record.goals, *record.guardrails)
    deciding = [designs.metrics[name] for name in names]
    measures = [metric.numerator for metric in deciding]
    measures += [metric.denominator for metric in deciding if metric.denominator is not None]
    locked = {
        "key": plan.key,
        "phase": plan.phase,
        "unit": plan.hash_attribute,
        "seed": definition.seed or plan.key,
        "hash_version": definition.hash_version,
        "weights": [round(one, 12) for one in shares(definition, len(plan.parts.arms))],
        "targeting": {name: value for name in _TARGETING if (value := getattr(definition, name))},
        "variations": [arm.key for arm in plan.parts.arms],
        "record": {name: told[name] for name in _RECORD},
        "metrics": dict(zip(names, deciding, strict=True)),
        "sources": {
            one.source: designs.sources[one.source] for one in measures if one.source != JOURNAL
        },
    }
    told_all: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(locked))
    return told_all


def digest_of(locked: dict[str, Any]) -> str:
    """Return the digest of a plan: 16 hexadecimal digits, of its JSON with sorted keys."""
    raw = msgspec.json.encode(locked, order="deterministic")
    return blake2b(raw, digest_size=8).hexdigest()


def changes(locked: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return what is no longer as it was locked, by its place."""
    return [
        f"{place}: was {_shown(before)}, is {_shown(after)}"
        for place, before, after in _differences(locked, now, "")
    ]


def _differences(before: Any, after: Any, place: str) -> list[tuple[str, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        found = []
        for name in sorted({*before, *after}):
            inner = f"{place}.{name}" if place else name
            found += _differences(before.get(name), after.get(name), inner)
        return found
    return [] if before == after else [(place, before, after)]


def _shown(value: Any) -> str:
    """Return a value in a few characters; a metric as a whole is there or not."""
    return "defined" if isinstance(value, dict) else msgspec.json.encode(value).decode()[:60]
