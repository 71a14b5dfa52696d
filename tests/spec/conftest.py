"""Both implementations of the specification: the oracle and the library."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture(params=["oracle", "adapter"])
def implementation(request: pytest.FixtureRequest) -> Any:
    """Return the functions of an implementation, so that each sentence of the text tests both."""
    return import_module(f"tests.spec.{request.param}")
