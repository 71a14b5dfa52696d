"""Variations on the duration metric of an instrumentation, which has no place for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

from opentelemetry.trace import Span, get_current_span

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Histogram, Meter, MeterProvider

#: The metric's name by the conventions of HTTP, and before these were stable.
_NAMES: Final = frozenset({"http.server.request.duration", "http.server.duration"})


class Durations:
    """Knows the variations of requests under way by their span, sampled or not.

    Instrumentations measure with the span of the request at hand. The span is held weakly, so
    that nothing is left of a request.

    Args:
        attributes: the name of the metric's attribute by experiment key.
    """

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._attributes = attributes
        self._variations: WeakKeyDictionary[Span, dict[str, str]] = WeakKeyDictionary()

    def note(self, span: Span, key: str, variation: str) -> None:
        """Note the variation of a request, if its experiment is one of those."""
        attribute = self._attributes.get(key)
        if attribute is not None and span.get_span_context().is_valid:
            self._variations.setdefault(span, {})[attribute] = variation

    def copy(self, source: Span, target: Span) -> None:
        """Note for a span what was noted for another one of the same request."""
        noted = self._variations.get(source)
        if noted and target.get_span_context().is_valid:
            self._variations.setdefault(target, {}).update(noted)

    def of(self, span: Span) -> Mapping[str, str] | None:
        """Return the attributes of the request that has a span."""
        return self._variations.get(span)

    def around(self, provider: MeterProvider) -> MeterProvider:
        """Return a provider whose server durations have these attributes."""
        return cast("MeterProvider", _Provider(provider, self))


class _Delegate:
    """Does what something else does; versions of the API differ in all that it has."""

    def __init__(self, inner: Any, durations: Durations) -> None:
        self._inner = inner
        self._durations = durations

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Provider(_Delegate):
    def get_meter(self, *arguments: Any, **options: Any) -> Meter:
        return cast("Meter", _Meter(self._inner.get_meter(*arguments, **options), self._durations))


class _Meter(_Delegate):
    def create_histogram(self, name: str, *arguments: Any, **options: Any) -> Histogram:
        made = self._inner.create_histogram(name, *arguments, **options)
        return cast("Histogram", _Histogram(made, self._durations)) if name in _NAMES else made


class _Histogram(_Delegate):
    def record(
        self,
        amount: float,
        attributes: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> None:
        variations = self._durations.of(get_current_span(context))
        if variations:
            attributes = {**variations, **(attributes or {})}
        self._inner.record(amount, attributes, context)
