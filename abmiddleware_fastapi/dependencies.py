"""The FastAPI dependencies; they need FastAPI, the middleware does not."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from abmiddleware import ConfigurationError, Experiment
from abmiddleware.client import ExperimentClient
from abmiddleware_fastapi.middleware import experiments_from


async def get_experiments(connection: HTTPConnection) -> ExperimentClient:
    """Return the client of the request; override it in tests by `app.dependency_overrides`.

    It is a coroutine so that FastAPI calls it in the event loop, not on a worker thread.
    """
    return experiments_from(connection)


#: Annotate a parameter with it: `def checkout(experiments: Experiments): ...`
Experiments = Annotated[ExperimentClient, Depends(get_experiments)]


class VariationOf:
    """The dependency of `Variation`: equal ones ask for the same experiment."""

    def __init__(self, asked: Experiment[Any] | str) -> None:
        self._asked = asked

    async def __call__(self, experiments: Experiments) -> Any:
        """Run the experiment, and return the value."""
        return (await experiments.arun(self._asked)).value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VariationOf) and _key(self._asked) == _key(other._asked)

    def __hash__(self) -> int:
        return hash(_key(self._asked))


def Variation(asked: Experiment[Any] | str) -> Any:  # noqa: N802  # as FastAPI has `Depends`
    """Run an experiment for each request, and pass the value to the endpoint.

        def checkout(variation: Annotated[str, Variation("checkout-button")]): ...

    A test may override it: `app.dependency_overrides[Variation("checkout-button").dependency]`.
    Where no configuration knows the key, the value is None.

    Args:
        asked: the experiment or its key.

    Raises:
        ConfigurationError: `asked` is neither.
    """
    if not isinstance(asked, (Experiment, str)):
        raise ConfigurationError(
            f"Variation: is given {asked!r}, must be given an experiment or its key, such as "
            'Variation("checkout-button")'
        )
    return Depends(VariationOf(asked))


def _key(asked: Experiment[Any] | str) -> str:
    return asked.key if isinstance(asked, Experiment) else asked
