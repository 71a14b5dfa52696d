"""Mistakes in what is to be told, and other versions of OpenTelemetry."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import _logs
from opentelemetry.context import attach, detach, get_current, set_value

from abmiddleware import ConfigurationError, Engine, Experiment, MemorySink, Telemetry
from abmiddleware.telemetry import providers
from abmiddleware_django.conf import engine_from
from tests.telemetry.sdk import Sdk

BUTTON = Experiment("button", [0, 1], hash_version=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"span_attribute": "variation"}, "telemetry.span_attribute: is 'variation', must be"),
        ({"span_attribute": "{key}{key}"}, "telemetry.span_attribute: is '{key}{key}', must be"),
        ({"span_attribute": 1}, "telemetry.span_attribute: is 1, must be a name with {key}"),
        ({"events": "logs"}, "telemetry.events: is 'logs', must be one of 'log', 'span', 'both'"),
        ({"ids": True}, "telemetry.ids: is True, must be one of 'off', 'hashed', 'raw'"),
        ({"counter": 1}, "telemetry.counter: is 1, must be True or False"),
        ({"provider_name": ""}, "telemetry.provider_name: is '', must be a name"),
        ({"ids": "hashed"}, "telemetry.ids_key: is missing, must be a secret of 16 to 64 bytes"),
        ({"ids": "hashed", "ids_key": "short"}, "telemetry.ids_key: has 5 bytes, must have 16"),
        ({"ids": "hashed", "ids_key": "a" * 65}, "telemetry.ids_key: has 65 bytes, must have 16"),
        ({"ids": "hashed", "ids_key": 5}, "telemetry.ids_key: is missing"),
        ({"durations": "button"}, "telemetry.durations: is 'button', must be a list of"),
        ({"durations": [""]}, "telemetry.durations[0]: is '', must be the key of an experiment"),
        ({"durations": ["a", "b", "c", "d"]}, "telemetry.durations: has 4 experiments"),
        (
            {"durations": ["a"], "span_attribute": None},
            "telemetry.span_attribute: is None, must be a name where durations",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_mistake_raises_when_the_options_are_made(options: dict[str, Any], message: str) -> None:
    """The message names the option, what it is and what it must be; it never shows the secret."""
    with pytest.raises(ConfigurationError) as caught:
        Telemetry(**options)

    assert str(caught.value).startswith(message)
    assert "short" not in str(caught.value)


def test_the_secret_is_not_shown() -> None:
    """Options may end up in a log."""
    assert "secret" not in repr(Telemetry(ids="hashed", ids_key="a secret of many bytes"))


@pytest.mark.parametrize("telemetry", ["log", None, 1, Telemetry], ids=repr)
def test_an_engine_takes_telemetry_or_a_flag(telemetry: Any) -> None:
    """Anything else is an error at start-up."""
    with pytest.raises(ConfigurationError, match=r"^telemetry: is .*, must be a Telemetry"):
        Engine([BUTTON], sink=MemorySink(), telemetry=telemetry)


def test_django_takes_a_dictionary_of_the_options(sdk: Sdk) -> None:
    """Its keys are in capitals, and a mistake names the setting."""
    options = {"EVENTS": "log", "LOGGER_PROVIDER": sdk.logger_provider}
    made = engine_from({"EXPERIMENTS": [BUTTON], "SINK": MemorySink(), "TELEMETRY": options})
    made.client(id="u1").run("button")
    assert len(sdk.events()) == 1

    with pytest.raises(ConfigurationError, match=r"^EXPERIMENTS\['TELEMETRY'\].ids: is 'all'"):
        engine_from({"TELEMETRY": {"IDS": "all"}})
    with pytest.raises(ConfigurationError, match=r"^EXPERIMENTS\['TELEMETRY'\]: is .*dictionary"):
        engine_from({"TELEMETRY": {"ID": "all"}})


def test_django_can_turn_it_off(sdk: Sdk) -> None:
    """False tells nothing."""
    made = engine_from({"EXPERIMENTS": [BUTTON], "SINK": MemorySink(), "TELEMETRY": False})
    with sdk.tracer.start_as_current_span("work"):
        made.client(id="u1").run("button")

    assert [dict(span.attributes or {}) for span in sdk.spans()] == [{}]


def test_the_quick_look_at_the_context_sees_what_the_api_sees() -> None:
    """It reads what is behind the API's function, and is as right."""
    assert providers.current_context is not get_current
    assert not providers.current_context()
    token = attach(set_value("key", "value"))
    try:
        assert providers.current_context() == get_current() == {"key": "value"}
        assert providers.is_heard()
    finally:
        detach(token)
    assert not providers.current_context()


def test_an_api_without_events_is_told_of_once(
    sdk: Sdk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Spans and the counter still tell."""

    class OlderLogger:
        def emit(self, record: object) -> None: ...

    monkeypatch.setattr(_logs, "Logger", OlderLogger)
    telemetry = Telemetry(meter_provider=sdk.meter_provider)
    for _ in range(2):
        engine = Engine([BUTTON], sink=MemorySink(), telemetry=telemetry)
        engine.client(id="u1").run("button")

    assert caplog.text.count("has no way for them (Logger.emit() takes no event_name)") == 1
    assert sum(sdk.exposures().values()) == 2
    assert engine.telemetry_lost == {}


def test_logs_that_moved_elsewhere_are_told_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The signal is in development, so this may come."""
    monkeypatch.delattr(_logs, "get_logger")
    Engine([BUTTON], sink=MemorySink()).client(id="u1").run("button")

    assert "OpenTelemetry gets no events" in caplog.text
