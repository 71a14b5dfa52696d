"""Signals of Django that tell of experiments."""

from __future__ import annotations

from typing import Any, Final

from django.dispatch import Signal

from abmiddleware.exposures.records import Exposure

#: Sent with `exposure`, a record, and `request`, or None in a script: at the line of a view that
#: asks, once a request and experiment. The sender is the class `Exposure`. What a receiver raises
#: is logged by Django, and breaks no page.
experiment_exposed: Final = Signal()


def send(exposure: Exposure, request: Any) -> None:
    """Send the signal, if somebody listens."""
    if experiment_exposed.receivers:
        experiment_exposed.send_robust(Exposure, exposure=exposure, request=request)
