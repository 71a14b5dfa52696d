"""Annotations for the request."""

from starlette.requests import Request

from abmiddleware.client import ExperimentClient


class ExperimentsRequest(Request):
    """A request that has `experiments`; annotate Starlette endpoints with it.

    FastAPI passes plain requests, which have it as well: use the dependency there for its type.
    """

    experiments: ExperimentClient
