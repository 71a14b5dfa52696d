"""Variations in W3C baggage, by which one service tells the next what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import baggage, context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context

#: The header, in lower case.
HEADER: Final = "baggage"
#: Before the key of an experiment; the name is that of the attribute on spans, so that a span
#: processor that copies baggage marks the spans of all services alike.
_PREFIX: Final = "experiment.variation."
#: Bytes of a header that must be passed on (https://www.w3.org/TR/baggage/#limits).
_LONGEST: Final = 8_192
_propagator: Final = W3CBaggagePropagator()


def may_tell(header: str) -> bool:
    """Tell whether a header may hold variations; a longer one than the standard's is refused."""
    return _PREFIX in header and len(header) <= _LONGEST


def read(header: str) -> dict[str, str]:
    """Return the variation by experiment key of a header; members of others are passed over."""
    found = baggage.get_all(_propagator.extract({HEADER: header}, Context()))
    return {
        name.removeprefix(_PREFIX): str(value)
        for name, value in found.items()
        if name.startswith(_PREFIX)
    }


def headers(variations: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a call that tells of these alone; none where there are none."""
    told: dict[str, str] = {}
    _propagator.inject(told, _holding(variations, Context()))
    return told


@contextmanager
def attached(variations: Mapping[str, str]) -> Iterator[None]:
    """Add them to the baggage of every instrumented call within."""
    token = context.attach(_holding(variations, context.get_current()))
    try:
        yield
    finally:
        context.detach(token)


def _holding(variations: Mapping[str, str], held: Context) -> Context:
    for key, variation in variations.items():
        held = baggage.set_baggage(f"{_PREFIX}{key}", variation, held)
    return held
