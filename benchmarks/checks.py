"""Whether the candidates decide alike: figures of wrong answers are worth nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import sqrt

from benchmarks.trials import OUTSIDE, Case
from benchmarks.worker import Checked


def check(case: Case, answers: Mapping[str, Checked]) -> None:
    """Check the answers to one case: who hashes as GrowthBook does must agree with the first.

    Raises:
        RuntimeError: candidates decide differently, a share is wrong, or exposures are missing.
    """
    alike = [answer for answer in answers.values() if answer.hashes_alike]
    for name, answer in answers.items():
        where = f"{name}, case {case.key}"
        _check_shares(where, case, answer)
        if not answer.hashes_alike:
            _check_count(where, answer.exposures, len(answer.values) - answer.values.count(OUTSIDE))
            continue
        if answer.values != alike[0].values:
            raise RuntimeError(f"{where}: decides differently from the first candidate")
        _check_count(where, answer.exposures, alike[0].exposures if answer.exposes else 0)


def _check_shares(where: str, case: Case, answer: Checked) -> None:
    """Check how many get each variation, and how many are exposed, against chance."""
    count = len(answer.values)
    wanted = _wanted_shares(case, tells_outside=not answer.hashes_alike)
    had = Counter(answer.values)
    if had.keys() - wanted.keys():
        raise RuntimeError(f"{where}: says {set(had)}, must say {set(wanted)}")
    for value, share in wanted.items():
        _check_share(f"{where}: {value}", had[value], share, count)
    if answer.exposes:
        _check_share(f"{where}: exposures", answer.exposures, case.trial.share_inside(), count)


def _wanted_shares(case: Case, *, tells_outside: bool) -> dict[str, float]:
    trial = case.trial
    inside = trial.share_inside()
    shares = {
        value: share * inside for value, share in zip(trial.variations, trial.shares(), strict=True)
    }
    outside = OUTSIDE if tells_outside else trial.variations[0]
    return {**shares, outside: shares.get(outside, 0.0) + 1 - inside}


def _check_share(what: str, had: int, share: float, count: int) -> None:
    """Allow five standard deviations."""
    if abs(had - share * count) > 5 * sqrt(count * share * (1 - share)) + 1e-6:
        raise RuntimeError(f"{what}: {had} of {count}, must be about {share:.0%}")


def _check_count(where: str, had: int, wanted: int) -> None:
    if had != wanted:
        raise RuntimeError(f"{where}: {had} exposures, must be {wanted}")
