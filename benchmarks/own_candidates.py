"""The experiments decided by this library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import abmiddleware
from abmiddleware import Engine
from abmiddleware.evaluation.values import Attributes
from benchmarks.candidates import Candidate, Listener, NotApplicableError
from benchmarks.trials import KEY, Case, Manner


class ClientPerRequest(Candidate):
    """The whole of what a script or a request does: client, decision, exposure."""

    def __init__(self, case: Case, listener: Listener) -> None:
        super().__init__(case, listener)
        self._engine = Engine(_definitions(case), sink=listener)

    def one(self, users: Sequence[str]) -> list[str]:
        """Run the experiment with a client per user."""
        values, engine = [], self._engine
        for user in users:
            values.append(engine.client(id=user).run(KEY).value)  # noqa: PERF401  # as a script does
        return values

    def targeted(self, users: Sequence[str]) -> list[str]:
        """Run it with the attributes that its condition reads."""
        values, engine = [], self._engine
        for user in users:
            experiments = engine.client(
                id=user, country="NL", company={"plan": "pro"}, version="2.10.1", age=34
            )
            values.append(experiments.run(KEY).value)
        return values

    def many(self, users: Sequence[str]) -> list[str]:
        """Run all experiments with a client per user."""
        values, engine, keys = [], self._engine, self.keys
        for user in users:
            with engine.client(id=user) as experiments:
                for key in keys:
                    values.append(experiments.run(key).value)  # noqa: PERF401  # as a view does
        return values

    def spread(self, users: Sequence[str]) -> list[str]:
        """Run another experiment for each user."""
        values, engine = [], self._engine
        for user, key in zip(users, self.spread_keys, strict=False):
            values.append(engine.client(id=user).run(key).value)
        return values

    def feature(self, users: Sequence[str]) -> list[str]:
        """Ask for the value of the feature with a client per user."""
        values, engine = [], self._engine
        for user in users:
            values.append(engine.client(id=user).value(KEY, ""))  # noqa: PERF401  # as a script does
        return values


class DecisionAlone(Candidate):
    """The pure decision without a client: how much of the time is the client's."""

    exposes: ClassVar[bool] = False

    def __init__(self, case: Case, listener: Listener) -> None:
        super().__init__(case, listener)
        if case.manner in (Manner.MANY, Manner.FEATURE) or len(case.trials) > 1:
            raise NotApplicableError("looks nothing up")
        self._plan = case.trial.experiment().plan

    def one(self, users: Sequence[str]) -> list[str]:
        """Decide for each user."""
        values, plan = [], self._plan
        for user in users:
            values.append(plan.decide(Attributes(id=user)).value)  # noqa: PERF401  # as the others
        return values

    def targeted(self, users: Sequence[str]) -> list[str]:
        """Decide for each user's attributes."""
        values, plan = [], self._plan
        for user in users:
            attributes = Attributes(
                id=user, country="NL", company={"plan": "pro"}, version="2.10.1", age=34
            )
            values.append(plan.decide(attributes).value)
        return values

    def many(self, users: Sequence[str]) -> list[str]:
        """Never asked."""
        raise NotImplementedError


def _definitions(case: Case) -> list[Any]:
    if case.manner is not Manner.FEATURE:
        return [trial.experiment() for trial in case.trials]
    feature, rule = (getattr(abmiddleware, name, None) for name in ("Feature", "Rule"))
    if feature is None or rule is None:
        raise NotApplicableError("abmiddleware has no Feature")
    return [
        feature(
            trial.key,
            default=trial.variations[0],
            rules=[rule(key=trial.key, variations=list(trial.variations), hash_version=2)],
        )
        for trial in case.trials
    ]
