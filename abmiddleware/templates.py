"""What templates say of variations in every framework; adapters only find the client."""

from __future__ import annotations

from typing import Any

from abmiddleware.client import ExperimentClient
from abmiddleware.deciding import key_of
from abmiddleware.engine import Engine
from abmiddleware.evaluation.arms import Arm
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.naming import CONTROL, index_of, shown_names
from abmiddleware.evaluation.result import Reason
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.notices import notices


def variation(
    engine: Engine, client: ExperimentClient | str, asked: Experiment[Any] | str
) -> object:
    """Run an experiment, and return the value; "" where nothing knows it.

    Args:
        engine: that of this process.
        client: that of the request; or why there is none, and then the control is returned.
        asked: the experiment or its key.

    Raises:
        ConfigurationError: in strict mode, there is no client.
        UnknownExperimentError: in strict mode, no configuration knows the key.
    """
    if isinstance(client, str):
        control = _control(engine, client, asked)
        return "" if control is None else control.value
    result = client.run(asked)
    return "" if result.reason is Reason.UNKNOWN else result.value


def is_variation(
    engine: Engine, client: ExperimentClient | str, asked: Experiment[Any] | str, name: object
) -> bool:
    """Run an experiment, and tell whether the variation is one of a name or value.

    Args:
        engine: that of this process.
        client: that of the request; or why there is none, and then it is the control.
        asked: the experiment or its key.
        name: as `naming` has it, such as "one-click" or "control"; or a value that is no text.

    Raises:
        ConfigurationError: in strict mode, there is no client, or no such variation.
        UnknownExperimentError: in strict mode, no configuration knows the key.
    """
    if isinstance(client, str):
        control = _control(engine, client, asked)
        return index_of([control] if control else [], name) == 0
    arms = client.arms(asked)
    if not arms:  # nothing knows the experiment, which the client tells of
        return name == CONTROL
    index = index_of(arms, name)
    if index is None:
        key = key_of(asked)
        client.report(
            f"variation {shown(name)} of {key}",
            f"a template asks for the variation {shown(name)} of {key!r}, which it has not; must "
            f"be one of {shown_names(arms)}",
        )
        return False
    return client.run(asked).variation_id == index


def _control(engine: Engine, why: str, asked: Experiment[Any] | str) -> Arm | None:
    """Return the control for who cannot be asked about, telling of it."""
    if engine.strict:
        raise ConfigurationError(why)
    notices.warn_once(why, lambda: why)
    if isinstance(asked, Experiment):
        return asked.plan.parts.arms[0]
    plans = engine.snapshot.plans
    return plans[asked].parts.arms[0] if asked in plans else None
