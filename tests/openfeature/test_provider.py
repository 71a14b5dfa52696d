"""The provider beyond the conformance scenarios: experiments, exposures and requests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEvent
from openfeature.exception import ProviderNotReadyError
from openfeature.track import TrackingEventDetails

from abmiddleware import (
    ConfigurationError,
    Engine,
    Experiment,
    ExperimentClient,
    Feature,
    MemorySink,
    Prerequisite,
    Rule,
    VariationMeta,
)
from abmiddleware.openfeature import ABMiddlewareProvider
from abmiddleware.sticky import MemoryStickyStore, StickyDocument
from tests.openfeature.waiting import Heard
from tests.test_configuration import Held
from tests.test_configuration import flags as payload

BUTTON = Experiment(
    "button", ["plain", "bold"], meta=[VariationMeta(key="control"), VariationMeta(key="bold")]
)
SEARCH = Feature("search", False, rules=[Rule(key="search-test", variations=[True, True])])


def asking(engine: Engine, **options: object) -> OpenFeatureClient:
    """Return OpenFeature's client over an engine."""
    api.set_provider_and_wait(ABMiddlewareProvider(engine, **options))  # type: ignore[arg-type]
    return api.get_client()


def user(key: str | None, **attributes: str | bool) -> EvaluationContext:
    return EvaluationContext(key, attributes)


def test_an_experiment_is_a_flag(sink: MemorySink) -> None:
    """The targeting key is randomised, and the variation is the variant."""
    client, engine = asking(Engine([BUTTON], sink=sink)), Engine([BUTTON], sink=MemorySink())
    for number in range(20):
        details = client.get_string_details("button", "none", user(f"u{number}"))
        result = engine.client(id=f"u{number}").run(BUTTON)

        assert (details.value, details.variant) == (result.value, result.key)
        assert (details.reason, details.error_code) == ("SPLIT", None)
        assert details.flag_metadata == {
            "experiment_key": "button",
            "variation_id": result.variation_id,
        }
    assert [exposure.unit_id for exposure in sink.exposures] == [f"u{n}" for n in range(20)]


def test_the_experiment_of_a_feature_is_exposed(sink: MemorySink) -> None:
    """Evaluating a flag records what its rules ran."""
    details = asking(Engine([SEARCH], sink=sink)).get_boolean_details("search", False, user("u1"))
    (exposure,) = sink.exposures

    assert (details.value, details.reason) == (True, "SPLIT")
    assert details.flag_metadata["experiment_key"] == "search-test"
    assert (exposure.experiment_key, exposure.feature_key) == ("search-test", "search")
    assert (exposure.unit_id, exposure.variation_key) == ("u1", details.variant)


@pytest.mark.parametrize(
    ("experiment", "reason", "error"),
    [
        (Experiment("flag", ["a", "b"], coverage=0), "DEFAULT", None),
        (Experiment("flag", ["a", "b"], condition={"country": "NL"}), "DEFAULT", None),
        (Experiment("flag", ["a", "b"], hash_attribute="company"), "DEFAULT", None),
        (Experiment("flag", ["a", "b"], status="stopped"), "DISABLED", None),
        (
            Experiment("flag", ["a", "b"], prerequisites=[Prerequisite("loop", {"value": 1})]),
            *("ERROR", "PARSE_ERROR"),
        ),
    ],
    ids=["not covered", "condition", "no company", "stopped", "cycle"],
)
def test_outside_of_an_experiment_the_default_is_served(
    sink: MemorySink, experiment: Experiment[str], reason: str, error: str | None
) -> None:
    """Who takes no part gets the caller's default, and is not exposed."""
    loop = Feature(
        "loop", 1, rules=[Rule(force=2, prerequisites=[Prerequisite("loop", {"value": 1})])]
    )
    details = asking(Engine([experiment, loop], sink=sink)).get_string_details(
        "flag", "none", user("u1")
    )

    assert (details.value, details.variant) == ("none", None)
    assert (details.reason, details.error_code) == (reason, error)
    assert sink.exposures == []


def test_a_missing_targeting_key_is_an_error(sink: MemorySink) -> None:
    """An experiment that randomises by it cannot do without."""
    details = asking(Engine([BUTTON], sink=sink)).get_string_details("button", "none")

    assert (details.value, details.error_code) == ("none", "TARGETING_KEY_MISSING")


def test_an_id_among_the_attributes_serves_too(sink: MemorySink) -> None:
    """The targeting key comes first; else the attribute `id` is taken."""
    client = asking(Engine([BUTTON], sink=sink))
    client.get_string_value("button", "none", user(None, id="u1"))
    client.get_string_value("button", "none", user("u2", id="u1"))

    assert [exposure.unit_id for exposure in sink.exposures] == ["u1", "u2"]


def test_a_feature_of_the_same_key_comes_first(sink: MemorySink) -> None:
    """A flag is a feature, and an experiment only where there is no such feature."""
    client = asking(Engine([BUTTON, Feature("button", "feature")], sink=sink))

    assert client.get_string_value("button", "none", user("u1")) == "feature"


def test_what_is_forced_is_static(sink: MemorySink) -> None:
    """Forced features and variations are served, and not recorded."""
    engine = Engine(
        [BUTTON],
        sink=sink,
        forced_features={"menu": "new"},
        forced_variations={"button": 1},
    )
    client = asking(engine)
    menu = client.get_string_details("menu", "old", user("u1"))
    button = client.get_string_details("button", "none", user("u1"))

    assert (menu.value, menu.reason) == ("new", "STATIC")
    assert (button.value, button.reason, button.variant) == ("bold", "STATIC", "bold")
    assert sink.exposures == []


def test_a_rule_is_told_by_its_id(sink: MemorySink) -> None:
    """The rule that decided is in the metadata, and is the variant of a value without a name."""
    menu = Feature("menu", "old", rules=[Rule(force="new", condition={"beta": True}, id="fr_beta")])
    details = asking(Engine([menu], sink=sink)).get_string_details(
        "menu", "none", user("u1", beta=True)
    )

    assert (details.value, details.reason) == ("new", "TARGETING_MATCH")
    assert (details.variant, details.flag_metadata) == ("fr_beta", {"rule_id": "fr_beta"})


def test_numbers_are_those_of_json(sink: MemorySink) -> None:
    """A whole number may be asked for as a float, and 10.0 as a whole one; true is no number."""
    values = {"whole": 10, "real": 10.0, "half": 0.5, "huge": 10**400, "yes": True}
    client = asking(Engine([Feature(key, value) for key, value in values.items()], sink=sink))

    assert [client.get_integer_value(key, -1) for key in values] == [10, 10, -1, 10**400, -1]
    assert [client.get_float_value(key, -1.0) for key in values] == [10.0, 10.0, 0.5, -1.0, -1.0]


def test_lists_and_nothing(sink: MemorySink) -> None:
    """A list is an object; a feature without a value leaves the caller's default."""
    client = asking(
        Engine([Feature("list", [1, 2]), Feature("pair", (1, 2)), Feature("null", None)], sink=sink)
    )
    null = client.get_boolean_details("null", True)

    assert client.get_object_value("list", {}) == [1, 2]
    assert client.get_object_value("pair", {}) == [1, 2]
    assert (null.value, null.reason, null.error_code) == (True, "DEFAULT", None)


def test_an_unknown_flag_names_the_nearest(sink: MemorySink) -> None:
    """In debug mode and tests the message helps with a slip."""
    details = asking(Engine([SEARCH], sink=sink)).get_boolean_details("serach", False)

    assert details.error_code == "FLAG_NOT_FOUND"
    assert "did you mean 'search'" in (details.error_message or "")


def test_a_view_keeps_the_requests_visitor(sink: MemorySink) -> None:
    """Without a targeting key the client of the request answers, and exposes once."""
    engine = Engine([BUTTON], sink=sink)
    request: list[ExperimentClient] = []
    client = asking(engine, current=lambda: request[0] if request else None)
    outside = client.get_string_details("button", "none")
    with engine.client(id="visitor") as experiments:
        request.append(experiments)
        shown = experiments.run(BUTTON).value
        values = {client.get_string_value("button", "none", user(None, beta=True)) for _ in "abc"}
        other = client.get_string_value("button", "none", user("somebody-else"))
        client.track("clicked", None, TrackingEventDetails(1, {"value": 7}))

    assert outside.error_code == "TARGETING_KEY_MISSING"
    assert values == {shown}
    assert other in ("plain", "bold")
    assert sorted(exposure.unit_id for exposure in sink.exposures) == ["somebody-else", "visitor"]
    assert [outcome.unit_ids for outcome in sink.outcomes] == [{"id": "visitor"}]
    assert sink.outcomes[0].properties == {"value_": 7}


def test_a_configuration_that_comes_late_is_told(sink: MemorySink) -> None:
    """A provider that was not ready tells when it is; until then a flag is not called missing."""
    heard, source = Heard(), Held()
    provider = ABMiddlewareProvider(Engine(sources=[source], sink=sink), ready_timeout=0.01)
    with pytest.raises(ProviderNotReadyError):
        api.set_provider_and_wait(provider)
    client = api.get_client()
    early = client.get_integer_details("flag", 0)
    api.add_handler(ProviderEvent.PROVIDER_READY, heard)
    source.put(payload(flag=1))
    late = client.get_integer_details("flag", 0)
    heard.next()
    api.remove_handler(ProviderEvent.PROVIDER_READY, heard)

    assert (early.value, early.error_code) == (0, "PROVIDER_NOT_READY")
    assert (late.value, late.error_code) == (1, None)


def test_what_definitions_share_may_change_any_flag(sink: MemorySink) -> None:
    """Where a saved group changed, the event names no flags: it may be any."""
    heard, source = Heard(), Held({**payload(flag=1), "savedGroups": {"team": ["u1"]}})
    client = asking(Engine(sources=[source], sink=sink))
    api.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard)
    source.put({**payload(flag=1), "savedGroups": {"team": ["u2"]}})
    client.get_integer_value("flag", 0)
    told = heard.next()
    api.remove_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, heard)

    assert told.flags_changed is None


class AsyncStore:
    """A sticky store that must be awaited."""

    def __init__(self) -> None:
        self._store = MemoryStickyStore()

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        """Load documents."""
        return self._store.load(keys)

    async def save(self, document: StickyDocument) -> None:
        """Save a document."""
        self._store.save(document)


async def test_a_sticky_store_is_awaited(sink: MemorySink) -> None:
    """The asynchronous calls keep units where they were."""
    store = AsyncStore()
    before = Experiment("button", BUTTON.variations, meta=BUTTON.meta, weights=[1, 0])
    after = Experiment("button", BUTTON.variations, meta=BUTTON.meta, weights=[0, 1])
    values = [
        await asking(Engine([each], sink=sink, sticky=store)).get_string_value_async(
            "button", "none", user("u1")
        )
        for each in (before, after)
    ]

    assert values == ["plain", "plain"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("engine",), "engine: is 'engine', must be an Engine"),
        ((Engine(sink=MemorySink()), 7), "current: is 7, must be a function"),
    ],
    ids=["engine", "current"],
)
def test_a_wrong_argument_is_told(arguments: tuple[object, ...], problem: str) -> None:
    """A slip is an error at the start."""
    with pytest.raises(ConfigurationError, match=problem):
        ABMiddlewareProvider(arguments[0], current=(*arguments, None)[1])  # type: ignore[arg-type]


def test_without_the_sdk_the_error_tells_how_to_install_it() -> None:
    """Only who uses OpenFeature needs its package."""
    script = """
import sys
sys.modules["openfeature"] = None
import abmiddleware
import abmiddleware.openfeature
"""
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.endswith(
        "ImportError: abmiddleware.openfeature needs the package openfeature-sdk, which is not "
        "installed: pip install 'abmiddleware[openfeature]'\n"
    )
