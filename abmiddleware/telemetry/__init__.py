"""What OpenTelemetry is told, by its API alone: spans, events and metrics that show variations."""

from abmiddleware.telemetry.options import Telemetry
from abmiddleware.telemetry.signals import Signals

__all__ = ["Signals", "Telemetry"]
