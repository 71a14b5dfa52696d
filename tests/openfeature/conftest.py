from __future__ import annotations

from collections.abc import Iterator

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.hook import clear_hooks

from abmiddleware import Engine, MemorySink
from abmiddleware.openfeature import ABMiddlewareProvider
from tests.openfeature.flags import METADATA, VARIANTS, flags


@pytest.fixture(autouse=True)
def _no_provider() -> Iterator[None]:
    """Begin and end with an OpenFeature as it comes: its providers are global."""
    api.clear_providers()
    yield
    api.clear_providers()
    clear_hooks()


@pytest.fixture
def client(sink: MemorySink) -> OpenFeatureClient:
    """OpenFeature's own client, over a provider with its test flags."""
    provider = ABMiddlewareProvider(
        Engine(flags(), sink=sink, strict=False), variants=VARIANTS, metadata=METADATA
    )
    api.set_provider_and_wait(provider)
    return api.get_client()
