"""Whether the numbers of an experiment may be trusted at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from abmiddleware.analysis.analysis import Arm, Health, MetricResult
from abmiddleware.analysis.history import History
from abmiddleware.analysis.inference.ratio_mismatch import Mismatch, mismatch
from abmiddleware.analysis.numbers import lift_texts
from abmiddleware.analysis.population import Population, day_of, microseconds
from abmiddleware.analysis.subject import Subject
from abmiddleware.design.ledger import FEWEST_PAST
from abmiddleware.design.power import FEW_CLUSTERS, FEWEST_CLUSTERS

#: The share of units with two variations beyond which something is wrong with the assignment.
MOST_CROSSOVERS: Final = 0.01
#: Microseconds without an exposure after which somebody should look.
_SILENCE: Final = 86_400_000_000
#: How many times the largest lift so far is too good, or too bad, to be true.
_SURPRISE: Final = 3
#: Units of a variation below which a split is not tested.
_FEWEST: Final = 5
#: What visitors and users are randomised by; units of any other type are few and large.
_PEOPLE: Final = ("id", "user_id")


def health_of(
    subject: Subject,
    exposed: Population,
    activated: Population | None,
    assigned: Mapping[str, int],
    suppressed: Mapping[str, int],
    history: History,
    until_us: int,
) -> Health:
    """Return what is wrong, and what one should know.

    Args:
        subject: the experiment.
        exposed: its units.
        activated: those of them that were activated; None where the plan asks for none.
        assigned: units that were assigned, by variation; none where no record tells.
        suppressed: exposures that were not recorded, by reason.
        history: what the ledger tells of it.
        until_us: the instant of the analysis, in microseconds since 1970.
    """
    problems, warnings = _of_plan(exposed, history)
    splits = {"exposed": _split(subject, exposed.counts)}
    if activated is not None:
        splits["activated"] = _split(subject, activated.counts)
    if assigned:
        splits["assigned"] = _split(subject, assigned)
    for name, split in splits.items():
        if split is not None and split.is_alarming:
            problems.append(_told_split(name, split))
    units = sum(exposed.counts.values()) + exposed.crossovers
    share = exposed.crossovers / units if units else 0.0
    told = f"{exposed.crossovers:,} units ({share:.1%}) met two variations and are left out"
    if share >= MOST_CROSSOVERS:
        problems.append(f"{told}: the unit changes between requests, or the definition did")
    elif exposed.crossovers:
        warnings.append(told)
    problems += _strangers(subject, exposed)
    problems += _clusters(subject, exposed, warnings)
    if exposed.broken:
        warnings.append(f"{exposed.broken:,} exposures lack a unit or a variation and are left out")
    if exposed.last_us and until_us - exposed.last_us > _SILENCE:
        hours = (until_us - exposed.last_us) // 3_600_000_000
        warnings.append(f"there was no exposure in the last {hours:,} hours")
    return Health(
        splits["exposed"],
        splits.get("activated"),
        exposed.crossovers,
        share,
        _left_out(suppressed, exposed.forced),
        problems,
        warnings,
        splits.get("assigned"),
    )


def under_way(arms: Sequence[Arm], metrics: Sequence[MetricResult], last_us: int) -> Iterator[str]:
    """Tell of units whose time is not over, so that the result will still move.

    Args:
        arms: the variations.
        metrics: what came out.
        last_us: the last exposure that counts, in microseconds since 1970.
    """
    of_window: dict[float, list[MetricResult]] = {}
    for result in metrics:
        if result.window_days and result.cells:
            of_window.setdefault(result.window_days, []).append(result)
    units = sum(arm.units for arm in arms)
    for days, results in sorted(of_window.items()):
        left = units - sum(cell.units for cell in results[0].cells)
        if left > 0:
            names = ", ".join(result.name for result in results)
            over = day_of(last_us + microseconds(days))
            yield (
                f"{left:,} units do not count yet in {names}: their {days:g} days are over on "
                f"{over}, and until then the result may move"
            )


def surprises(
    arms: Sequence[Arm], metrics: Sequence[MetricResult], history: History
) -> Iterator[str]:
    """Tell of goals that moved far more than in any experiment before (Twyman's law).

    Args:
        arms: the variations.
        metrics: what came out.
        history: what the ledger tells of others.
    """
    names = {arm.key: arm.name for arm in arms}
    for result in metrics:
        past = history.moved.get(result.name, ()) if result.role == "goal" else ()
        if len(past) < FEWEST_PAST:
            continue
        for verdict in result.verdicts:
            lift = verdict.comparison.lift
            if lift is not None and abs(lift.estimate) > _SURPRISE * max(past):
                yield (
                    f"{names[verdict.variation]} moves {result.name} by {lift_texts(lift)[0]}, "
                    f"more than {_SURPRISE} times as much as any of {len(past)} experiments before "
                    f"({max(past):.1%}): look for a mistake before you believe it"
                )


def _left_out(suppressed: Mapping[str, int], forced: int) -> dict[str, int]:
    """Return the exposures that do not count, with those that were recorded as forced."""
    found = Counter(suppressed)
    found["forced"] += forced
    return dict(+found)


def _of_plan(exposed: Population, history: History) -> tuple[list[str], list[str]]:
    """Tell of what is not as it was locked, and of definitions that nobody told of."""
    problems = [
        f"the plan is not as it was locked: {change}; undo it" for change in history.changed
    ]
    told = history.definitions
    unknown = sorted(set(exposed.definitions) - told)
    if told and unknown:
        exposures = sum(exposed.definitions[one] for one in unknown)
        warning = (
            f"{exposures:,} exposures were decided by definitions that no step of the ledger "
            f"tells ({', '.join(unknown)}); a coverage that rises is a step, too"
        )
        return problems, [warning]
    if not told and len(unknown) > 1:
        warning = (
            f"{len(unknown)} definitions decided within one phase; weights, seed and conditions "
            "must not change in it"
        )
        return problems, [warning]
    return problems, []


def _split(subject: Subject, found_counts: Mapping[str, int]) -> Mismatch | None:
    counts = [found_counts.get(one.key, 0) for one in subject.variations]
    weights = [one.weight for one in subject.variations]
    if not sum(counts) or sum(weights) <= 0:
        return None
    found = mismatch(counts, weights, _FEWEST)
    is_tested = sum(expected >= _FEWEST for expected in found.expected) > 1
    return found if is_tested or found.p_value == 0 else None


def _told_split(name: str, split: Mismatch) -> str:
    total = sum(split.counts)
    shares = ", ".join(
        f"{count:,} for {expected:,.0f}"
        for count, expected in zip(split.counts, split.expected, strict=True)
    )
    return (
        f"the split of {total:,} {name} units is not as configured: {shares} "
        f"(p = {split.p_value:.1g}); no result can be trusted until the cause is found"
    )


def _strangers(subject: Subject, exposed: Population) -> list[str]:
    """Tell of variations and units that the definition does not know."""
    known = {one.key for one in subject.variations}
    variations = [
        f"{units:,} units met a variation {key!r}, which the definition lacks; one that was added "
        "or removed needs a phase of its own"
        for key, units in exposed.counts.items()
        if key not in known
    ]
    kinds = [
        f"{count:,} exposures are of units by {kind!r}, not by {subject.unit_type!r}"
        for kind, count in exposed.unit_types.items()
        if kind != subject.unit_type
    ]
    return variations + kinds


def _clusters(subject: Subject, exposed: Population, warnings: list[str]) -> list[str]:
    if subject.unit_type in _PEOPLE or not exposed.counts:
        return []
    least = min(
        (exposed.counts.get(one.key, 0) for one in subject.variations if one.weight), default=0
    )
    if least < FEWEST_CLUSTERS:
        problem = (
            f"a variation has {least} units by {subject.unit_type!r}, must have "
            f"{FEWEST_CLUSTERS} or more: with fewer a test finds far too much"
        )
        return [problem]
    if least < FEW_CLUSTERS:
        warnings.append(
            f"a variation has {least} units by {subject.unit_type!r}; with fewer than "
            f"{FEW_CLUSTERS} a test finds somewhat too much"
        )
    return []
