"""The span of a request, and what is written on it."""

from __future__ import annotations

from typing import Final

import msgspec
from opentelemetry.trace import Span, format_trace_id, get_current_span

from abmiddleware.telemetry.providers import current_context

#: SDKs drop the oldest attribute past 128 of a span, which are those of the request itself.
MAX_ATTRIBUTES: Final = 32

#: Tells how many variations are not on the span.
LEFT_OUT: Final = "experiment.variations.left_out"
#: Marks a request with a variation that is nobody's own.
FORCED: Final = "experiment.forced"


class Trace(msgspec.Struct, eq=False):
    """Where the variations of one client are shown."""

    #: What was the current span when the request came in: that of the server, mostly.
    span: Span | None = None
    #: The variations by the names of their attributes.
    shown: dict[str, str | int] = {}
    #: The span that has them, or would if it was sampled.
    where: Span | None = None

    def target(self) -> Span | None:
        """Return the span to write on, if there is one that has not ended.

        In a view the current span is often a child of the server's, which searches pass over.
        """
        span = self.span
        if span is not None and span.is_recording():
            return span
        span = get_current_span()
        return span if span.is_recording() else None

    def trace_id(self) -> str | None:
        """Return the id of the trace, recorded or not, as 32 hexadecimal digits."""
        for span in (self.span, get_current_span()):
            context = None if span is None else span.get_span_context()
            if context is not None and context.is_valid:
                return format_trace_id(context.trace_id)
        return None

    def show(self, span: Span | None, name: str, variation: str) -> bool:
        """Write a variation on a span, unless the request has had enough of them."""
        value: str | int = variation
        is_full = name not in self.shown and len(self.shown) >= MAX_ATTRIBUTES
        if is_full:
            name, value = LEFT_OUT, int(self.shown.get(LEFT_OUT, 0)) + 1
        self.shown[name] = value
        if span is not None:
            span.set_attribute(name, value)
        return not is_full

    def mark_forced(self, span: Span | None) -> None:
        """Mark a span as one of such a request."""
        self.shown[FORCED] = True
        if span is not None:
            span.set_attribute(FORCED, True)

    def late_target(self) -> Span | None:
        """Return the span that has appeared since the request came in, if one has.

        Where an instrumentation sits within our middleware, its span is not there yet when the
        request comes in, and a view may open a child. When the response starts, that is closed.
        """
        if self.where is None or (self.span is not None and self.span.is_recording()):
            return None
        span = get_current_span()
        return None if span is self.where else span


def entered() -> Trace | None:
    """Return where variations are shown of a request that comes in now; None costs next to none."""
    context = current_context()
    return Trace(get_current_span(context)) if context else None
