"""Server-side A/B experiments: deterministic assignments, exposures that survive a crash."""

from abmiddleware.baggage import Baggage
from abmiddleware.client import ExperimentClient
from abmiddleware.engine import Engine
from abmiddleware.evaluation.definition import (
    Filter,
    Prerequisite,
    Rule,
    UrlPattern,
    VariationMeta,
)
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.features import Feature
from abmiddleware.evaluation.result import FeatureResult, FeatureSource, Reason, Result
from abmiddleware.exceptions import (
    ABMiddlewareError,
    ConfigurationError,
    DefinitionError,
    DocumentError,
    HandoverError,
    RecordError,
    UnknownExperimentError,
    UnknownFeatureError,
)
from abmiddleware.exposures.journal import Journal
from abmiddleware.exposures.reader import JournalReader
from abmiddleware.exposures.records import (
    Exposure,
    ExposureRow,
    Link,
    LinkRow,
    Outcome,
    OutcomeRow,
    Suppression,
    SuppressionRow,
)
from abmiddleware.exposures.sinks import Sink
from abmiddleware.exposures.sinks.call import CallableSink
from abmiddleware.exposures.sinks.counting import CountingSink
from abmiddleware.exposures.sinks.kafka import KafkaSink
from abmiddleware.exposures.sinks.log import LoggingSink
from abmiddleware.exposures.sinks.memory import MemorySink
from abmiddleware.exposures.sinks.opentelemetry import OpenTelemetrySink
from abmiddleware.exposures.sinks.stream import StreamSink
from abmiddleware.exposures.sinks.tee import TeeSink
from abmiddleware.health import Health
from abmiddleware.identity import IdHeader, VisitorCookie
from abmiddleware.overrides import Overrides
from abmiddleware.predicates import has_gpc, is_bot, is_staff
from abmiddleware.telemetry import Telemetry

__all__ = [
    "ABMiddlewareError",
    "Baggage",
    "CallableSink",
    "ConfigurationError",
    "CountingSink",
    "DefinitionError",
    "DocumentError",
    "Engine",
    "Experiment",
    "ExperimentClient",
    "Exposure",
    "ExposureRow",
    "Feature",
    "FeatureResult",
    "FeatureSource",
    "Filter",
    "HandoverError",
    "Health",
    "IdHeader",
    "Journal",
    "JournalReader",
    "KafkaSink",
    "Link",
    "LinkRow",
    "LoggingSink",
    "MemorySink",
    "OpenTelemetrySink",
    "Outcome",
    "OutcomeRow",
    "Overrides",
    "Prerequisite",
    "Reason",
    "RecordError",
    "Result",
    "Rule",
    "Sink",
    "StreamSink",
    "Suppression",
    "SuppressionRow",
    "TeeSink",
    "Telemetry",
    "UnknownExperimentError",
    "UnknownFeatureError",
    "UrlPattern",
    "VariationMeta",
    "VisitorCookie",
    "has_gpc",
    "is_bot",
    "is_staff",
]
