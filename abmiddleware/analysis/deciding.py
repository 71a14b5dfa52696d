"""What may be said of the metrics of an experiment together, and of the experiment."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from abmiddleware.analysis.analysis import Arm, Health, MetricResult, Verdict
from abmiddleware.analysis.inference.corrections import benjamini_hochberg, holm
from abmiddleware.analysis.inference.guardrails import is_harmed, p_of_harm
from abmiddleware.design.record import ExperimentRecord


def corrected(role: str, results: Sequence[MetricResult], alpha: float) -> list[MetricResult]:
    """Return the results of one role with p-values for all of them at once, and with words.

    Holm among goals, Benjamini and Hochberg among secondary metrics, over all variations. Each
    guardrail must hold by itself, so that none needs a correction.
    """
    if role == "guardrail":
        return [
            msgspec.structs.replace(
                result, verdicts=[_guarded(result, one, alpha) for one in result.verdicts]
            )
            for result in results
        ]
    adjust = holm if role == "goal" else benjamini_hochberg
    adjusted = iter(adjust([one.p_value for result in results for one in result.verdicts]))
    return [
        msgspec.structs.replace(
            result,
            verdicts=[_judged(result, one, next(adjusted), alpha) for one in result.verdicts],
        )
        for result in results
    ]


def _sign(result: MetricResult) -> int:
    return 1 if result.direction == "up" else -1


def _judged(result: MetricResult, verdict: Verdict, p_value: float, alpha: float) -> Verdict:
    gain = verdict.comparison.effect.estimate * _sign(result)
    word = "flat" if p_value >= alpha else "better" if gain > 0 else "worse"
    return msgspec.structs.replace(verdict, p_value=p_value, word=word)


def _guarded(result: MetricResult, verdict: Verdict, alpha: float) -> Verdict:
    p_value = p_of_harm(verdict.comparison, result.margin, _sign(result))
    if is_harmed(verdict.comparison, _sign(result)) and p_value >= alpha:
        word = "harmed"
    else:
        word = "holds" if p_value < alpha else "open"
    return msgspec.structs.replace(verdict, p_value=p_value, word=word)


def untrusted(results: Sequence[MetricResult]) -> list[MetricResult]:
    """Return results whose words say that no number of them can be trusted."""
    return [
        msgspec.structs.replace(
            result,
            verdicts=[
                msgspec.structs.replace(one, word="untrusted", chance=None)
                for one in result.verdicts
            ],
        )
        for result in results
    ]


def status_of(
    record: ExperimentRecord,
    arms: Sequence[Arm],
    health: Health,
    metrics: Sequence[MetricResult],
    withheld: str,
) -> tuple[str, str]:
    """Return the status of an experiment in one word or two, and the variation to ship.

    An unhealthy experiment has no winner. A variation is shipped where a goal is better and no
    other worse, and all guardrails hold; one of which nothing is known does not. The control stays
    where every other variation has been shown to harm.
    """
    if not sum(arm.units for arm in arms):
        return "no data", ""
    if not health.is_good:
        return "unhealthy", ""
    if withheld:
        return "waiting", ""
    goals = [one for one in metrics if one.role == "goal"]
    is_open = record.sequential or record.end is None
    if not goals or not any(one.verdicts for one in goals):
        return ("running" if is_open or not goals else "inconclusive"), ""
    words = {arm.key: _words(arm.key, metrics) for arm in arms[1:]}
    winners = [key for key, of in words.items() if _is_winner(*of)]
    if winners:
        return "ship", max(winners, key=lambda key: _gain(goals[0], key))
    if words and all("worse" in goal or "harmed" in guard for goal, guard in words.values()):
        return "roll back", ""
    return ("running" if is_open else "inconclusive"), ""


def _words(key: str, metrics: Sequence[MetricResult]) -> tuple[list[str], list[str]]:
    """Return what is said of a variation by its goals, and by its guardrails."""
    said: dict[str, list[str]] = {"goal": [], "guardrail": [], "secondary": []}
    for result in metrics:
        words = [one.word for one in result.verdicts if one.variation == key]
        said[result.role] += words or ["open"]
    return said["goal"], said["guardrail"]


def _is_winner(goals: Sequence[str], guardrails: Sequence[str]) -> bool:
    is_better = "better" in goals and "worse" not in goals
    return is_better and all(word == "holds" for word in guardrails)


def _gain(goal: MetricResult, key: str) -> float:
    of = [one.comparison.effect.estimate for one in goal.verdicts if one.variation == key]
    return _sign(goal) * of[0] if of else float("-inf")
