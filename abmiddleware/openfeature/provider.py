"""The provider: OpenFeature asks, an engine answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, Final, TypeVar

import msgspec
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagMetadata, FlagResolutionDetails, FlagValueType
from openfeature.provider import AbstractProvider, Metadata
from openfeature.track import TrackingEventDetails

from abmiddleware.client import ExperimentClient
from abmiddleware.engine import Engine
from abmiddleware.evaluation.result import FeatureResult, FeatureSource
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import (
    ConfigurationError,
    UnknownExperimentError,
    UnknownFeatureError,
)
from abmiddleware.openfeature.answers import (
    Answer,
    as_boolean,
    as_float,
    as_integer,
    as_object,
    as_string,
    failed,
    of_experiment,
    of_feature,
)
from abmiddleware.snapshot import Snapshot

T = TypeVar("T")
Context = EvaluationContext | None
Objects = Sequence[FlagValueType] | Mapping[str, FlagValueType]

_NO_NAMES: Final[Mapping[str, object]] = {}


class ABMiddlewareProvider(AbstractProvider):
    """Evaluates flags with an engine, which records the exposures.

        api.set_provider(ABMiddlewareProvider(engine))

    A flag is a feature, or else an experiment, of the engine. The targeting key is the attribute
    `id`, the context's attributes are those that rules read, and `track` records an outcome.

    Args:
        engine: it stays the application's: shutting the provider down does not close it.
        current: returns the client of the request that is being served, or None outside of one.
            It answers where the context has no targeting key, so that a visitor keeps the
            request's id, snapshot and answers; the context's attributes are given to it.
        ready_timeout: seconds that OpenFeature waits for the first configuration.
        variants: names for the values of features, by flag key; a variation of an experiment has
            one already.
        metadata: what to tell about flags, by flag key.

    Raises:
        ConfigurationError: an argument is wrong.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        current: Callable[[], ExperimentClient | None] | None = None,
        ready_timeout: float = 5.0,
        variants: Mapping[str, Mapping[str, object]] | None = None,
        metadata: Mapping[str, FlagMetadata] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(engine, Engine):
            raise ConfigurationError(f"engine: is {shown(engine)}, must be an Engine")
        if current is not None and not callable(current):
            raise ConfigurationError(f"current: is {shown(current)}, must be a function")
        self._engine = engine
        self._current = current
        self._ready_timeout = ready_timeout
        self._variants = variants or {}
        self._metadata = metadata or {}
        #: The configuration that the events were about last.
        self._seen = engine.snapshot
        self._is_ready = False

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata("abmiddleware")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Wait for the first configuration.

        Raises:
            ProviderNotReadyError: none came in time. What has one serves, and it is told when the
                rest is there.
        """
        self._is_ready = self._engine.wait_until_ready(self._ready_timeout)
        self._seen = self._engine.snapshot
        if not self._is_ready:
            missing = [each.name for each in self._engine.health().sources if not each.ready]
            raise ProviderNotReadyError(
                f"no configuration came within {self._ready_timeout} s from {', '.join(missing)}"
            )

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """Record an outcome; a property named `value` becomes `value_`.

        Raises:
            RecordError: in strict mode, as `ExperimentClient.track`.
        """
        told = tracking_event_details or TrackingEventDetails()
        properties = {
            "value_" if name == "value" else name: item for name, item in told.attributes.items()
        }
        client = self._client(evaluation_context)
        client.track(tracking_event_name, told.value, **properties)

    def resolve_boolean_details(
        self, flag_key: str, default_value: bool, evaluation_context: Context = None
    ) -> FlagResolutionDetails[bool]:
        """Evaluate a flag that is true or false."""
        return self._answer(flag_key, evaluation_context).details(default_value, as_boolean)

    async def resolve_boolean_details_async(
        self, flag_key: str, default_value: bool, evaluation_context: Context = None
    ) -> FlagResolutionDetails[bool]:
        """Do so, awaiting the sticky store."""
        answer = await self._awaited(flag_key, evaluation_context)
        return answer.details(default_value, as_boolean)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: Context = None
    ) -> FlagResolutionDetails[str]:
        """Evaluate a flag that is a text."""
        return self._answer(flag_key, evaluation_context).details(default_value, as_string)

    async def resolve_string_details_async(
        self, flag_key: str, default_value: str, evaluation_context: Context = None
    ) -> FlagResolutionDetails[str]:
        """Do so, awaiting the sticky store."""
        answer = await self._awaited(flag_key, evaluation_context)
        return answer.details(default_value, as_string)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: Context = None
    ) -> FlagResolutionDetails[int]:
        """Evaluate a flag that is a whole number."""
        return self._answer(flag_key, evaluation_context).details(default_value, as_integer)

    async def resolve_integer_details_async(
        self, flag_key: str, default_value: int, evaluation_context: Context = None
    ) -> FlagResolutionDetails[int]:
        """Do so, awaiting the sticky store."""
        answer = await self._awaited(flag_key, evaluation_context)
        return answer.details(default_value, as_integer)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: Context = None
    ) -> FlagResolutionDetails[float]:
        """Evaluate a flag that is a number."""
        return self._answer(flag_key, evaluation_context).details(default_value, as_float)

    async def resolve_float_details_async(
        self, flag_key: str, default_value: float, evaluation_context: Context = None
    ) -> FlagResolutionDetails[float]:
        """Do so, awaiting the sticky store."""
        answer = await self._awaited(flag_key, evaluation_context)
        return answer.details(default_value, as_float)

    def resolve_object_details(
        self, flag_key: str, default_value: Objects, evaluation_context: Context = None
    ) -> FlagResolutionDetails[Objects]:
        """Evaluate a flag that is a dictionary or a list."""
        return self._answer(flag_key, evaluation_context).details(default_value, as_object)

    async def resolve_object_details_async(
        self, flag_key: str, default_value: Objects, evaluation_context: Context = None
    ) -> FlagResolutionDetails[Objects]:
        """Do so, awaiting the sticky store."""
        answer = await self._awaited(flag_key, evaluation_context)
        return answer.details(default_value, as_object)

    def _answer(self, key: str, context: Context) -> Answer:
        client = self._client(context)
        try:
            if self._is_experiment(key):
                return self._told(key, of_experiment(key, client.run(key)))
            return self._told(key, self._of_feature(client.feature(key)))
        except (UnknownExperimentError, UnknownFeatureError) as error:
            return self._told(
                key, failed(ErrorCode.FLAG_NOT_FOUND, f"flag {key} not found: {error}")
            )

    async def _awaited(self, key: str, context: Context) -> Answer:
        client = self._client(context)
        try:
            if self._is_experiment(key):
                return self._told(key, of_experiment(key, await client.arun(key)))
            return self._told(key, self._of_feature(await client.afeature(key)))
        except (UnknownExperimentError, UnknownFeatureError) as error:
            return self._told(
                key, failed(ErrorCode.FLAG_NOT_FOUND, f"flag {key} not found: {error}")
            )

    def _client(self, context: Context) -> ExperimentClient:
        key = context.targeting_key if context is not None else None
        attributes = dict(context.attributes) if context is not None else {}
        if not key and self._current is not None and (client := self._current()) is not None:
            if attributes:
                client.identify(**attributes)
            return client
        unit = attributes.pop("id", None)
        return self._engine.client(id=key or unit, **attributes)

    def _is_experiment(self, key: str) -> bool:
        """Tell whether a key names an experiment and no feature."""
        snapshot = self._engine.snapshot
        return key not in snapshot.features and key in snapshot.plans

    def _of_feature(self, result: FeatureResult[Any]) -> Answer:
        features = self._engine.snapshot.features
        is_constant = result.source is FeatureSource.DEFAULT and (
            result.key in features and not features[result.key].rules
        )
        names = self._variants.get(result.key, _NO_NAMES)
        return of_feature(result, names, is_constant=is_constant)

    def _told(self, key: str, answer: Answer) -> Answer:
        """Return an answer with what else is known of its flag, and tell of a new configuration."""
        self._look()
        if answer.error is ErrorCode.FLAG_NOT_FOUND:
            return self._unknown(key, answer.message or "")
        if answer.error is None and (more := self._metadata.get(key)):
            return msgspec.structs.replace(answer, metadata={**answer.metadata, **more})
        return answer

    def _unknown(self, key: str, message: str) -> Answer:
        if not self._engine.health().ready:
            return failed(ErrorCode.PROVIDER_NOT_READY, f"flag {key}: no configuration came yet")
        return failed(ErrorCode.FLAG_NOT_FOUND, message)

    def _look(self) -> None:
        """Tell OpenFeature of a configuration that is new, outside of the request."""
        before, now = self._seen, self._engine.snapshot
        if before is now:
            return
        self._seen = now
        thread = Thread(target=self._changed, args=(before, now), daemon=True)
        with suppress(RuntimeError):  # no thread can be had
            thread.start()

    def _changed(self, before: Snapshot, now: Snapshot) -> None:
        if not self._is_ready and self._engine.health().ready:
            self._is_ready = True
            self.emit_provider_ready(ProviderEventDetails())
        self.emit_provider_configuration_changed(
            ProviderEventDetails(flags_changed=now.changed_since(before))
        )
