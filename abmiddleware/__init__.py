"""Server-side A/B experiments: deterministic assignments, exposures that survive a crash."""

from abmiddleware.client import ExperimentClient
from abmiddleware.engine import Engine
from abmiddleware.evaluation.definition import Filter, VariationMeta
from abmiddleware.evaluation.experiment import Experiment
from abmiddleware.evaluation.result import Reason, Result
from abmiddleware.exceptions import (
    ABMiddlewareError,
    ConfigurationError,
    DefinitionError,
    RecordError,
    UnknownExperimentError,
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
)
from abmiddleware.exposures.sinks import Sink
from abmiddleware.exposures.sinks.log import LoggingSink
from abmiddleware.exposures.sinks.memory import MemorySink
from abmiddleware.identity import VisitorCookie

__all__ = [
    "ABMiddlewareError",
    "ConfigurationError",
    "DefinitionError",
    "Engine",
    "Experiment",
    "ExperimentClient",
    "Exposure",
    "ExposureRow",
    "Filter",
    "Journal",
    "JournalReader",
    "Link",
    "LinkRow",
    "LoggingSink",
    "MemorySink",
    "Outcome",
    "OutcomeRow",
    "Reason",
    "RecordError",
    "Result",
    "Sink",
    "UnknownExperimentError",
    "VariationMeta",
    "VisitorCookie",
]
