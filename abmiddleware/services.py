"""What all clients of a process share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from abmiddleware.catalogue import Catalogue
from abmiddleware.evaluation.automatic import ALL_REDIRECTS, RedirectOptions
from abmiddleware.evaluation.result import FeatureResult
from abmiddleware.recorder import Recorder
from abmiddleware.stickiness import Stickiness
from abmiddleware.telemetry import Signals

#: Is told of every feature that was evaluated, with the attributes known then.
FeatureUsage = Callable[[FeatureResult[object], Mapping[str, object]], object]


class Services(msgspec.Struct, frozen=True, eq=False):
    """Where a client finds definitions, and hands over what happened."""

    catalogue: Catalogue
    recorder: Recorder
    #: None where units keep no variation beyond the request.
    stickiness: Stickiness | None = None
    on_feature_usage: FeatureUsage | None = None
    redirects: RedirectOptions = ALL_REDIRECTS
    #: None where OpenTelemetry is told nothing.
    signals: Signals | None = None
