"""Handlers of events, which OpenFeature calls in a thread of its own."""

from __future__ import annotations

from queue import SimpleQueue

from openfeature.event import EventDetails


class Heard:
    """A handler that keeps what it hears."""

    def __init__(self) -> None:
        self._events: SimpleQueue[EventDetails] = SimpleQueue()

    def __call__(self, details: EventDetails) -> None:
        """Keep it."""
        self._events.put(details)

    def next(self) -> EventDetails:
        """Return the next event of our provider, once it comes."""
        while True:
            event = self._events.get(timeout=20)
            if event.provider_name == "abmiddleware":  # else of the one that was there before
                return event
