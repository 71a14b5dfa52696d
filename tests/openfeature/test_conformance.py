"""OpenFeature's own conformance scenarios, asked through its own client.

Left out are those that no provider can decide: a fatal and a stale provider, which this one never
is, and the reason CACHED, for providers that ask a server.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ProviderNotReadyError
from openfeature.flag_evaluation import (
    FlagEvaluationDetails,
    FlagEvaluationOptions,
    FlagType,
    FlagValueType,
)
from openfeature.hook import Hook, HookContext, HookHints
from openfeature.provider import ProviderStatus
from openfeature.track import TrackingEventDetails

from abmiddleware import Engine, MemorySink, RecordError
from abmiddleware.openfeature import ABMiddlewareProvider
from tests.openfeature.flags import flags
from tests.openfeature.waiting import Heard
from tests.test_configuration import Held
from tests.test_configuration import flags as payload

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "conformance.json").read_text(encoding="utf-8")
)["cases"]
IDS = [f"{number}-{case['scenario']}-{case['flag']}" for number, case in enumerate(CASES)]

_DETAILS = {
    "Boolean": "get_boolean_details",
    "String": "get_string_details",
    "Integer": "get_integer_details",
    "Float": "get_float_details",
    "Object": "get_object_details",
}


def context_of(case: dict[str, Any]) -> EvaluationContext | None:
    return EvaluationContext(attributes=case["context"]) if "context" in case else None


def check(details: FlagEvaluationDetails[Any], case: dict[str, Any]) -> None:
    """Hold details against what a case expects."""
    for name, expected in case["expected"].items():
        told = getattr(details, name)
        if name == "error_message":
            assert expected in told
        else:
            assert (told, type(told) is bool) == (expected, type(expected) is bool), name
    if "value" in case["expected"] and case["type"] in ("Integer", "Float"):
        assert type(details.value) is {"Integer": int, "Float": float}[case["type"]]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_flag_is_evaluated(client: OpenFeatureClient, case: dict[str, Any]) -> None:
    """Value, variant, reason, metadata and errors are those of OpenFeature's specification."""
    ask = getattr(client, _DETAILS[case["type"]])

    check(ask(case["flag"], case["default"], context_of(case)), case)


@pytest.mark.parametrize("case", CASES, ids=IDS)
async def test_a_flag_is_evaluated_asynchronously(
    client: OpenFeatureClient, case: dict[str, Any]
) -> None:
    """What is awaited is what is not."""
    ask = getattr(client, _DETAILS[case["type"]] + "_async")

    check(await ask(case["flag"], case["default"], context_of(case)), case)


@pytest.mark.parametrize("kind", _DETAILS)
def test_before_it_is_ready_the_default_is_served(sink: MemorySink, kind: str) -> None:
    """A provider that still waits for its configuration is not asked."""
    source = Held()
    provider = ABMiddlewareProvider(Engine(sources=[source], sink=sink), ready_timeout=60)
    api.set_provider(provider)  # initialises it in a thread
    client = api.get_client()
    defaults = {"Boolean": False, "String": "bye", "Integer": 1, "Float": 0.1, "Object": {"a": 1}}
    details = getattr(client, _DETAILS[kind])(f"{kind.lower()}-flag", defaults[kind])
    status = client.get_provider_status()
    source.put(payload())

    assert status is ProviderStatus.NOT_READY
    assert (details.value, details.reason) == (defaults[kind], "ERROR")
    assert details.error_code == "PROVIDER_NOT_READY"


def test_the_status_is_ready_once_it_is_set(client: OpenFeatureClient) -> None:
    """A provider whose configuration is there is ready."""
    assert client.get_provider_status() is ProviderStatus.READY
    assert api.get_provider_metadata().name == "abmiddleware"


def test_the_status_is_error_where_no_configuration_comes(sink: MemorySink) -> None:
    """A source that is down fails the initialisation, with its name."""
    provider = ABMiddlewareProvider(
        Engine(sources=[Held(name="flags.json")], sink=sink), ready_timeout=0.05
    )
    with pytest.raises(ProviderNotReadyError) as caught:
        api.set_provider_and_wait(provider)

    assert "from flags.json" in (caught.value.error_message or "")
    assert api.get_client().get_provider_status() is ProviderStatus.ERROR


class Noting(Hook):
    """A hook that notes its calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.details: dict[str, FlagEvaluationDetails[FlagValueType]] = {}

    def before(self, hook_context: HookContext, hints: HookHints) -> None:
        """Note it."""
        self.calls.append("before")

    def after(
        self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints
    ) -> None:
        """Note it."""
        self.calls.append("after")
        self.details["after"] = details

    def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
        """Note it."""
        self.calls.append("error")

    def finally_after(
        self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints
    ) -> None:
        """Note it."""
        self.calls.append("finally")
        self.details["finally"] = details

    def supports_flag_value_type(self, flag_type: FlagType) -> bool:
        """Take all."""
        return True


@pytest.mark.parametrize(
    ("kind", "flag", "default", "calls", "told"),
    [
        (
            *("Boolean", "boolean-flag", False, ["before", "after", "finally"]),
            ("boolean-flag", True, "on", "STATIC", None),
        ),
        (
            *("String", "missing-flag", "uh-oh", ["before", "error", "finally"]),
            ("missing-flag", "uh-oh", None, "ERROR", "FLAG_NOT_FOUND"),
        ),
        (
            *("Integer", "wrong-flag", 13, ["before", "error", "finally"]),
            ("wrong-flag", 13, None, "ERROR", "TYPE_MISMATCH"),
        ),
    ],
    ids=["well", "not found", "type error"],
)
def test_hooks_get_the_details(
    client: OpenFeatureClient,
    kind: str,
    flag: str,
    default: object,
    calls: list[str],
    told: tuple[object, ...],
) -> None:
    """Hooks run in their order, with what the evaluation told."""
    hook = Noting()
    ask = getattr(client, _DETAILS[kind])
    ask(flag, default, None, FlagEvaluationOptions(hooks=[hook]))
    details = hook.details["finally"]

    assert hook.calls == calls
    assert (
        details.flag_key,
        details.value,
        details.variant,
        details.reason,
        details.error_code,
    ) == told


def test_the_context_is_left_as_it_is(client: OpenFeatureClient) -> None:
    """An evaluation changes nothing of what it is given."""
    attributes = {"email": "ballmer@macrosoft.com", "tags": ["a"], "id": "u1"}
    context = EvaluationContext("u2", attributes)
    client.get_boolean_value("boolean-targeted-zero-flag", True, context)

    assert context == EvaluationContext("u2", attributes)
    assert attributes == {"email": "ballmer@macrosoft.com", "tags": ["a"], "id": "u1"}


def test_an_event_is_tracked(client: OpenFeatureClient, sink: MemorySink) -> None:
    """A tracked event is an outcome, with its value and properties."""
    details = TrackingEventDetails(42.0, {"currency": "EUR"})
    client.track("the-event", EvaluationContext("u1"), details)
    (outcome,) = sink.outcomes

    assert (outcome.event, outcome.value, outcome.unit_ids, outcome.properties) == (
        *("the-event", 42.0, {"id": "u1"}),
        {"currency": "EUR"},
    )


def test_an_event_without_a_name_is_not_tracked(sink: MemorySink) -> None:
    """It is an error in debug mode and tests; in production it is logged and counted."""
    for strict in (True, False):
        engine = Engine(flags(), sink=sink, strict=strict)
        api.set_provider_and_wait(ABMiddlewareProvider(engine))
        client, context = api.get_client(), EvaluationContext("u1")
        if strict:
            with pytest.raises(RecordError, match="must be a name"):
                client.track("", context)
        else:
            client.track("", context)
            assert engine.lost == {"outcome invalid": 1}

    assert sink.outcomes == []


def test_ready_is_told(sink: MemorySink) -> None:
    """Whoever waits for the provider hears when it is there."""
    heard = Heard()
    api.add_handler(ProviderEvent.PROVIDER_READY, heard)
    api.set_provider_and_wait(ABMiddlewareProvider(Engine(sink=sink)))

    assert heard.next().provider_name == "abmiddleware"
    api.remove_handler(ProviderEvent.PROVIDER_READY, heard)


def test_an_error_is_told(sink: MemorySink) -> None:
    """Whoever waits for the provider hears when it is not to be had."""
    heard = Heard()
    api.add_handler(ProviderEvent.PROVIDER_ERROR, heard)
    engine = Engine(sources=[Held()], sink=sink)
    api.set_provider(ABMiddlewareProvider(engine, ready_timeout=0.01))
    told: EventDetails = heard.next()
    api.remove_handler(ProviderEvent.PROVIDER_ERROR, heard)

    assert told.error_code == "PROVIDER_NOT_READY"


def test_a_changed_flag_is_told(sink: MemorySink) -> None:
    """After a new configuration an event names the flags that it changed."""
    heard, source = Heard(), Held(payload(**{"changing-flag": 1, "other-flag": 1}))
    api.set_provider_and_wait(ABMiddlewareProvider(Engine(sources=[source], sink=sink)))
    api.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard)
    source.put(payload(**{"changing-flag": 2, "other-flag": 1}))
    value = api.get_client().get_integer_value("other-flag", 0)
    told = heard.next()
    api.remove_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard)

    assert value == 1
    assert told.flags_changed == ["changing-flag"]
