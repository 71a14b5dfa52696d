"""Which handler serves which variation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from abmiddleware.client import ExperimentClient
from abmiddleware.evaluation.arms import Arm
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.naming import indices_of, shown_names
from abmiddleware.exceptions import ConfigurationError

Handler = Callable[..., Any]


class _Bound(NamedTuple):
    """The handlers of the variations that an experiment has at one time."""

    arms: Sequence[Arm]
    #: By index; the decorated handler serves the control where it is not in it.
    handlers: Mapping[int, Handler]
    #: What is wrong with them; "" where nothing is.
    problem: str


class Dispatch:
    """Chooses the handler of a visitor's variation.

    Args:
        asked: the experiment. The variations of a key are known when a request asks.
        handlers: by the name of the variation, or what Python makes of it as a keyword.

    Raises:
        ConfigurationError: a handler cannot be called, or variations of the experiment lack one.
    """

    def __init__(self, asked: Experiment[Any] | str, handlers: Mapping[str, Handler]) -> None:
        if not handlers:
            raise ConfigurationError(
                "@variations: has no handlers, must name those of the variations, such as "
                '@variations("checkout-button", one_click=view)'
            )
        for name, handler in handlers.items():
            if not callable(handler):
                raise ConfigurationError(
                    f"@variations: {name} is {handler!r}, must be a function that handles requests"
                )
        self._asked = asked
        self._key = asked.key if isinstance(asked, Experiment) else asked
        self._given = handlers
        self._bound: _Bound | None = None
        if isinstance(asked, Experiment):
            self._bound = self._bind(asked.plan.parts.arms)
            if self._bound.problem:
                raise ConfigurationError(self._bound.problem)

    def choose(self, client: ExperimentClient) -> Handler | None:
        """Return the handler of the visitor's variation; None for the decorated one.

        Raises:
            UnknownExperimentError: in strict mode, no configuration knows the key.
            ConfigurationError: in strict mode, the handlers are not those of the variations.
        """
        bound = self._for(client)
        if bound.problem:
            return self._choose_known(client, bound)
        return bound.handlers.get(client.run(self._asked).variation_id)

    async def achoose(self, client: ExperimentClient) -> Handler | None:
        """Do as `choose`, awaiting the sticky store."""
        bound = self._for(client)
        if bound.problem:
            return self._choose_known(client, bound)
        return bound.handlers.get((await client.arun(self._asked)).variation_id)

    def _choose_known(self, client: ExperimentClient, bound: _Bound) -> Handler | None:
        """Serve who is in a variation without a handler the control, which is no exposure."""
        client.report(f"handlers of {self._key}", bound.problem)
        index = client.peek(self._asked).variation_id
        if index != 0 and index not in bound.handlers:
            return bound.handlers.get(0)
        client.expose(self._asked)
        return bound.handlers.get(index)

    def _for(self, client: ExperimentClient) -> _Bound:
        arms = client.arms(self._asked)
        bound = self._bound
        if bound is None or bound.arms is not arms:
            bound = self._bound = self._bind(arms)
        return bound

    def _bind(self, arms: Sequence[Arm]) -> _Bound:
        if not arms:  # nothing knows the experiment, which the client tells of
            control = self._given.get("control")
            return _Bound(arms, {} if control is None else {0: control}, "")
        found: dict[int, Handler] = {}
        problems = list(self._bound_to(arms, found))
        missing = [arm for arm in arms if arm.variation_id and arm.variation_id not in found]
        problems += [f"variation {shown_names([arm])} has none" for arm in missing]
        return _Bound(arms, found, self._told(problems, arms) if problems else "")

    def _told(self, problems: Sequence[str], arms: Sequence[Arm]) -> str:
        return (
            f"@variations: the handlers of {self._key!r}: {'; '.join(problems)}; must be one for "
            f"each of {shown_names(arms)}, of which the decorated one serves the first"
        )

    def _bound_to(self, arms: Sequence[Arm], found: dict[int, Handler]) -> Iterator[str]:
        """Find the variation of each handler, and yield what is wrong."""
        for name, handler in self._given.items():
            match sorted(indices_of(arms, name)):
                case []:
                    yield f"{name} is no variation"
                case [index] if index in found:
                    yield f"{name} is variation {index}, which has another"
                case [index]:
                    found[index] = handler
                case several:
                    yield f"{name} may be variations {' and '.join(map(str, several))}"
