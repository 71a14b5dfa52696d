"""The sentence that a report opens with, for who reads nothing else of it."""

from __future__ import annotations

from abmiddleware.analysis.analysis import Analysis, MetricResult, Verdict
from abmiddleware.analysis.numbers import effect_texts, lift_texts

_UNITS = {"id": "visitors", "user_id": "users"}
#: By reason, whose exposures do not count.
_LEFT_OUT = {
    "excluded": "bots and excluded visitors",
    "exempt_path": "exempt paths",
    "forced": "forced variations",
    "method": "HEAD and OPTIONS requests",
    "override": "people with an override",
    "prefetch": "pages loaded ahead",
}


def sentence_of(analysis: Analysis) -> str:
    """Return what is known, in one sentence or two."""
    units = sum(arm.units for arm in analysis.arms)
    if analysis.status == "no data":
        return f"Nobody has met {analysis.key} yet."
    begin = f"{_time(analysis)} with {units:,} {units_word(analysis.unit_type)}"
    if analysis.status == "unhealthy":
        return f"{begin}, the numbers cannot be trusted: {analysis.health.problems[0]}."
    if analysis.withheld:
        return f"{begin}, {_traffic(analysis)}{analysis.withheld}."
    goal = _goal(analysis)
    if goal is None:
        return f"{begin}, {_traffic(analysis)}there is no goal to decide by."
    if not goal.verdicts:
        why = f"nothing can be said of {goal.name}: {goal.withheld}"
        return f"{begin}, {_traffic(analysis)}{why}."
    told = "; ".join(_compared(analysis, goal, one) for one in _chosen(analysis, goal))
    balanced = "traffic is balanced: " if analysis.health.exposed else ""
    return f"{begin}, {told}; {_guardrails(analysis)}{balanced}{_advice(analysis)}."


def left_out_of(analysis: Analysis) -> str:
    """Return what does not count, such as "1,204 of bots and excluded visitors"; "" for nothing."""
    counts = sorted(analysis.health.left_out.items(), key=lambda item: -item[1])
    told = ", ".join(f"{count:,} of {_LEFT_OUT.get(reason, reason)}" for reason, count in counts)
    return f"exposures that do not count: {told}" if told else ""


def units_word(unit_type: str) -> str:
    """Return what units are called, such as "visitors"."""
    return _UNITS.get(unit_type, f"units by {unit_type}")


def _time(analysis: Analysis) -> str:
    if analysis.planned_days:
        return f"After {min(analysis.days, analysis.planned_days)} of {analysis.planned_days} days"
    return f"After {analysis.days} day{'s' * (analysis.days != 1)}"


def _traffic(analysis: Analysis) -> str:
    """Return what is known of the split, which few units do not tell."""
    return "traffic is as configured; " if analysis.health.exposed else ""


def _goal(analysis: Analysis) -> MetricResult | None:
    """Return the goal to tell of: the one that won, else the first that says something."""
    goals = [one for one in analysis.metrics if one.role == "goal"]
    won = [
        goal
        for goal in goals
        if any(one.variation == analysis.winner and one.word == "better" for one in goal.verdicts)
    ]
    told = [goal for goal in goals if goal.verdicts]
    return next(iter([*won, *told, *goals]), None)


def _chosen(analysis: Analysis, goal: MetricResult) -> list[Verdict]:
    """Return the winner's verdict, or those of all variations."""
    won = [one for one in goal.verdicts if one.variation == analysis.winner]
    return won or list(goal.verdicts)


def _compared(analysis: Analysis, goal: MetricResult, verdict: Verdict) -> str:
    names = {arm.key: arm.name for arm in analysis.arms}
    control, name = analysis.arms[0].name, names[verdict.variation]
    comparison = verdict.comparison
    if comparison.lift is not None:
        estimate, low, high = lift_texts(comparison.lift)
        size = estimate.lstrip("+-")
        more = "more" if comparison.lift.estimate >= 0 else "less"
        changed = f"has {size} {more} {goal.name} than"
    else:
        is_share = goal.kind in ("proportion", "retention", "funnel")
        estimate, low, high = effect_texts(comparison.effect, is_share=is_share, unit=goal.unit)
        changed = f"differs by {estimate} in {goal.name} from"
    certain = "" if verdict.word != "flat" else ", which may be chance"
    return f"{name} {changed} {control} (between {low} and {high}{certain})"


def _guardrails(analysis: Analysis) -> str:
    guardrails = [result for result in analysis.metrics if result.role == "guardrail"]
    words = [
        one.word
        for result in guardrails
        for one in result.verdicts
        if not analysis.winner or one.variation == analysis.winner
    ]
    words += ["open" for result in guardrails if not result.verdicts]
    if not words:
        return ""
    if "harmed" in words:
        return "a guardrail is harmed; "
    return "guardrails hold; " if set(words) == {"holds"} else "guardrails are not yet clear; "


def _advice(analysis: Analysis) -> str:
    if analysis.status == "ship":
        name = next(arm.name for arm in analysis.arms if arm.key == analysis.winner)
        return f"ship {name}"
    if analysis.status == "roll back":
        return f"stay with {analysis.arms[0].name}"
    if analysis.status == "inconclusive":
        return "no decision follows from it"
    return "let it run"
