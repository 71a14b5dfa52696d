"""The FastAPI dependency; it needs FastAPI, the middleware does not."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from abmiddleware.client import ExperimentClient
from abmiddleware_fastapi.middleware import experiments_from


async def get_experiments(connection: HTTPConnection) -> ExperimentClient:
    """Return the client of the request; override it in tests by `app.dependency_overrides`.

    It is a coroutine so that FastAPI calls it in the event loop, not on a worker thread.
    """
    return experiments_from(connection)


#: Annotate a parameter with it: `def checkout(experiments: Experiments): ...`
Experiments = Annotated[ExperimentClient, Depends(get_experiments)]
