"""A sink that calls a function with each record, such as the `send` of a signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.exposures.records import Record
from abmiddleware.exposures.sinks.counting import Counts


class CallableSink(Counts):
    """Calls a function with every record, on the path of the request.

    What the function raises costs that record only and is counted by the name of the error. How
    long it takes, and what becomes of what it keeps, is up to it: give it beside the journal.

        CallableSink(lambda record: exposed.send(None, record=record))

    Args:
        function: takes one record; what it returns does not matter.

    Raises:
        ConfigurationError: it cannot be called.
    """

    def __init__(self, function: Callable[[Record], object]) -> None:
        if not callable(function):
            raise ConfigurationError(
                f"function: is {shown(function)}, must take a record, such as signal.send"
            )
        super().__init__()
        self._function = function

    def __repr__(self) -> str:
        return f"CallableSink({getattr(self._function, '__qualname__', 'function')})"

    def write(self, records: Sequence[Record], /) -> None:
        """Call the function with each record."""
        for record in records:
            try:
                self._function(record)
            except Exception as error:  # noqa: BLE001  # whatever a function does, the page is served
                self._lose(type(error).__name__, 1, error)
            else:
                self.written += 1
