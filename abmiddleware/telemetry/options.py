"""What the application chooses to tell OpenTelemetry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Literal

from opentelemetry import metrics

from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.telemetry.durations import Durations

if TYPE_CHECKING:
    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider

#: Shorter keys can be found by trying.
_MIN_KEY: Final = 16
#: Each experiment multiplies the time series of a metric, of which the SDK keeps 2000.
_MAX_DURATIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What OpenTelemetry is told; by default neither ids nor values.

    Raises:
        ConfigurationError: an option is wrong.
    """

    #: The name of the attribute of a variation on the span of the request; None writes none.
    span_attribute: str | None = "experiment.variation.{key}"
    #: Whether the event `feature_flag.evaluation` is a log record, an event of the span, or both.
    events: Literal["log", "span", "both", "off"] = "log"
    #: Whether exposures are counted, by the metric `experiment.exposures`.
    counter: bool = True
    #: Whether events tell the unit's id, and how: hashed with `ids_key`, or as it is.
    ids: Literal["off", "hashed", "raw"] = "off"
    #: The secret by which ids are hashed, 16 to 64 bytes.
    ids_key: str | bytes = field(default=b"", repr=False)
    #: What events name as the provider of flags.
    provider_name: str = "abmiddleware"
    #: The experiments, three at most, whose variations `by_variation` puts on server durations.
    durations: Iterable[str] = ()
    #: The providers that are told; None is the global one, also where it is set later.
    meter_provider: MeterProvider | None = None
    logger_provider: LoggerProvider | None = None
    #: The variations of requests that are under way.
    measured: Durations = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        template = self.span_attribute
        if template is not None and (type(template) is not str or template.count("{key}") != 1):
            raise _wrong("span_attribute", template, "a name with {key} in it once, or None")
        _one_of("events", self.events, ("log", "span", "both", "off"))
        _one_of("ids", self.ids, ("off", "hashed", "raw"))
        if type(self.counter) is not bool:
            raise _wrong("counter", self.counter, "True or False")
        if type(self.provider_name) is not str or not self.provider_name:
            raise _wrong("provider_name", self.provider_name, "a name")
        if self.ids == "hashed":
            _check_key(self.ids_key)
        object.__setattr__(self, "durations", _keys(self.durations))
        attributes = {key: (template or "{key}").replace("{key}", key) for key in self.durations}
        if attributes and template is None:
            raise _wrong("span_attribute", None, "a name where durations are asked for")
        object.__setattr__(self, "measured", Durations(attributes))

    def by_variation(self, meter_provider: MeterProvider | None = None) -> MeterProvider:
        """Return a meter provider by which server durations tell the variations of `durations`.

        Hand it to the framework's instrumentation.

        Args:
            meter_provider: where measurements go; None is the global one.
        """
        return self.measured.around(meter_provider or metrics.get_meter_provider())

    def told_id(self, unit: str) -> str:
        """Return a unit's id as events tell it; "" for not at all."""
        if self.ids == "off" or not unit:
            return ""
        if self.ids == "raw":
            return unit
        text = unit.encode("utf-8", "backslashreplace")
        return blake2b(text, key=_bytes(self.ids_key), digest_size=16).hexdigest()


def _wrong(option: str, value: object, must: str) -> ConfigurationError:
    return ConfigurationError(f"telemetry.{option}: is {shown(value)}, must be {must}")


def _one_of(option: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise _wrong(option, value, f"one of {', '.join(map(repr, choices))}")


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


def _check_key(key: object) -> None:
    """Check the secret; an error never shows it."""
    if not isinstance(key, (str, bytes)) or not key:
        raise ConfigurationError(
            "telemetry.ids_key: is missing, must be a secret of 16 to 64 bytes where ids are "
            "hashed: without one anybody can hash a list of users and compare"
        )
    length = len(_bytes(key))
    if not _MIN_KEY <= length <= blake2b.MAX_KEY_SIZE:
        raise ConfigurationError(
            f"telemetry.ids_key: has {length} bytes, must have {_MIN_KEY} to {blake2b.MAX_KEY_SIZE}"
        )


def _keys(keys: object) -> tuple[str, ...]:
    if isinstance(keys, (str, bytes)) or not isinstance(keys, Iterable):
        raise _wrong("durations", keys, "a list of experiment keys")
    listed = tuple(dict.fromkeys(keys))
    for index, key in enumerate(listed):
        if type(key) is not str or not key:
            raise _wrong(f"durations[{index}]", key, "the key of an experiment")
    if len(listed) > _MAX_DURATIONS:
        raise ConfigurationError(
            f"telemetry.durations: has {len(listed)} experiments, must have {_MAX_DURATIONS} at "
            "most: each multiplies the time series, and metrics have room for 2000"
        )
    return listed
