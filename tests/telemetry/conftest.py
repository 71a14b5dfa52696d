"""An SDK, and an engine that tells it everything."""

from __future__ import annotations

import pytest

from abmiddleware import Engine, MemorySink, Telemetry
from tests.telemetry.sdk import Sdk
from tests.telemetry.views import EXPERIMENTS


@pytest.fixture
def sdk() -> Sdk:
    return Sdk()


@pytest.fixture
def telemetry(sdk: Sdk) -> Telemetry:
    return Telemetry(
        meter_provider=sdk.meter_provider,
        logger_provider=sdk.logger_provider,
        durations=["checkout-button"],
    )


@pytest.fixture
def engine(sink: MemorySink, telemetry: Telemetry) -> Engine:
    return Engine(EXPERIMENTS, sink=sink, telemetry=telemetry)
