"""abmiddleware for Starlette and FastAPI.

engine = Engine([CHECKOUT])
app.add_middleware(ExperimentsMiddleware, engine=engine)

@app.get("/checkout")
async def checkout(experiments: Experiments): ...
"""

from typing import TYPE_CHECKING

from abmiddleware_fastapi.decorators import experiment, variations
from abmiddleware_fastapi.endpoints import health_endpoint
from abmiddleware_fastapi.middleware import ExperimentsMiddleware, experiments_from
from abmiddleware_fastapi.panels import ExperimentsPanel
from abmiddleware_fastapi.requests import ExperimentsRequest
from abmiddleware_fastapi.templates import add_template_globals

if TYPE_CHECKING:
    from abmiddleware_fastapi.dependencies import Experiments as Experiments
    from abmiddleware_fastapi.dependencies import Variation as Variation
    from abmiddleware_fastapi.dependencies import get_experiments as get_experiments

__all__ = [
    "Experiments",
    "ExperimentsMiddleware",
    "ExperimentsPanel",
    "ExperimentsRequest",
    "Variation",
    "add_template_globals",
    "experiment",
    "experiments_from",
    "get_experiments",
    "health_endpoint",
    "variations",
]


def __getattr__(name: str) -> object:
    """Import what needs FastAPI only when it is asked for: Starlette alone is enough otherwise."""
    if name in ("Experiments", "Variation", "get_experiments"):
        try:
            from abmiddleware_fastapi import dependencies
        except ModuleNotFoundError as error:
            if error.name != "fastapi":
                raise
            raise ImportError(
                f"{name} needs FastAPI, which is not installed: pip install 'abmiddleware[fastapi]'"
            ) from error
        return getattr(dependencies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
