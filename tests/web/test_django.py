"""What is Django's own."""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.http import HttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import Client, override_settings
from django.urls import path
from django.views.decorators.cache import cache_page

from abmiddleware import ConfigurationError, Engine, Experiment, Journal, LoggingSink, MemorySink
from abmiddleware.sources import File
from abmiddleware_django import conf, experiment
from abmiddleware_django.checks import MIDDLEWARE, check_settings
from abmiddleware_django.deploy_checks import check_deployment
from abmiddleware_django.design_checks import check_designs, check_lint
from abmiddleware_django.middleware import ExperimentsMiddleware
from tests.web.views import BUTTON, EXPERIMENTS

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"

memory = MemorySink()
engine_in_module = Engine(EXPERIMENTS, sink=memory)
company_of = len
OWN = "tests.web.test_django."


class NeedySink(MemorySink):
    """A sink that cannot be made without being told where."""

    def __init__(self, where: str) -> None:
        super().__init__()


async def fetch(request: Any) -> str:
    return "acme"


@pytest.fixture(autouse=True)
def _new_engine() -> Any:
    conf.engine.cache_clear()
    yield
    conf.engine.cache_clear()


def ids(**settings: Any) -> list[str | None]:
    with override_settings(**settings):
        return [message.id for message in check_settings()]


def test_a_right_setting_passes_the_checks(tmp_path: Path) -> None:
    """A complete and right setting gives no message."""
    setting = {
        "EXPERIMENTS": "tests.web.views.EXPERIMENTS",
        "JOURNAL": tmp_path / "journal.jsonl",
        "COOKIE": {"NAME": "visitor", "DOMAIN": "example.com", "SECURE": True},
        "ATTRIBUTES": {"company": "tests.web.test_django.company_of"},
        "RECORD_ATTRIBUTES": ["company"],
        "SERVICE": "shop",
        "STRICT": False,
    }

    assert ids(EXPERIMENTS=setting) == []
    with override_settings(EXPERIMENTS=setting):
        engine = conf.engine()
        assert engine.cookie.name == "visitor"
        assert engine.service == "shop"
        assert not engine.strict
        assert engine.snapshot.plans.known() == {each.key for each in EXPERIMENTS}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        pytest.param([], "EXPERIMENTS: is [], must be a dictionary", id="no-dictionary"),
        pytest.param({"JURNAL": "x"}, "unknown, did you mean 'JOURNAL'?", id="misspelled-key"),
        pytest.param({"XYZ": "x"}, "EXPERIMENTS['XYZ']: is unknown, must be", id="unknown-key"),
        pytest.param({"EXPERIMENTS": "no.such.path"}, "cannot be imported", id="bad-path"),
        pytest.param({"EXPERIMENTS": [1]}, "must be an Experiment", id="no-experiment"),
        pytest.param({"EXPERIMENTS": "tests.web.views.BUTTON"}, "a list of Exp", id="only-one"),
        pytest.param({"JOURNAL": 5}, "EXPERIMENTS['JOURNAL']: is 5", id="no-path"),
        pytest.param({"ATTRIBUTES": []}, "EXPERIMENTS['ATTRIBUTES']: is []", id="no-attributes"),
        pytest.param({"FORCED_VARIATIONS": [1]}, "['FORCED_VARIATIONS']: is [1]", id="no-forced"),
        pytest.param({"RECORD_ATTRIBUTES": None}, "['RECORD_ATTRIBUTES']: is None", id="no-list"),
        pytest.param({"SINK": object()}, "must have a method write", id="no-sink"),
        pytest.param({"SINK": MemorySink}, "EXPERIMENTS['SINK']: is <class", id="sink-class"),
        pytest.param({"SINK": OWN + "NeedySink"}, "without arguments", id="needy-sink"),
        pytest.param(
            {"ATTRIBUTES": {"a": "no.such"}}, "['ATTRIBUTES']['a']: 'no.such'", id="bad-name"
        ),
        pytest.param({"ATTRIBUTES": {"a": OWN + "fetch"}}, "coroutine", id="async-attribute"),
        pytest.param({"SERVICE": None}, "EXPERIMENTS['SERVICE']: is None", id="no-service"),
        pytest.param({"STRICT": "no"}, "EXPERIMENTS['STRICT']: is 'no'", id="no-flag"),
        pytest.param({"COOKIE": {"NAM": "x"}}, "keys of VisitorCookie", id="unknown-option"),
        pytest.param(
            {"COOKIE": {"NAME": "a b"}}, "EXPERIMENTS['COOKIE'].name", id="bad-cookie-name"
        ),
        pytest.param({"ENGINE": 1}, "must be an Engine", id="no-engine"),
        pytest.param(
            {"ENGINE": "tests.web.test_django.engine_in_module", "SERVICE": "x"},
            "must be alone",
            id="engine-and-more",
        ),
    ],
)
def test_a_wrong_setting_is_an_error_of_the_checks(setting: Any, message: str) -> None:
    """`manage.py check` names the key that is wrong and the mend."""
    with override_settings(EXPERIMENTS=setting):
        messages = check_settings()

        assert [each.id for each in messages] == ["abmiddleware.E001"]
        assert message in str(messages[0])
        with pytest.raises(SystemCheckError, match=r"abmiddleware\.E001"):
            call_command("check")


@pytest.mark.parametrize("middleware", [[], [MIDDLEWARE, MIDDLEWARE]], ids=["none", "twice"])
def test_the_middleware_must_be_there_once(middleware: list[str]) -> None:
    """A missing or doubled middleware is an error."""
    setting = {"SINK": MemorySink()}

    assert ids(MIDDLEWARE=middleware, EXPERIMENTS=setting) == ["abmiddleware.E002"]


@pytest.mark.parametrize(
    "other",
    [
        "django.middleware.cache.UpdateCacheMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
)
def test_the_middleware_has_its_place(other: str) -> None:
    """Middleware that must come first and does not is a warning."""
    setting = {"SINK": MemorySink()}

    assert ids(MIDDLEWARE=[MIDDLEWARE, other], EXPERIMENTS=setting) == ["abmiddleware.W001"]
    assert ids(MIDDLEWARE=[other, MIDDLEWARE], EXPERIMENTS=setting) == []


def test_the_cookie_needs_a_name_of_its_own() -> None:
    """A visitor cookie with the name of the session cookie is an error."""
    setting = {"SINK": MemorySink(), "COOKIE": {"NAME": "sessionid"}}

    assert ids(EXPERIMENTS=setting) == ["abmiddleware.E003"]


def test_a_journal_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    """A journal under a file, or that is a directory, is told before records are lost."""
    (tmp_path / "file").write_text("")

    assert ids(EXPERIMENTS={"JOURNAL": tmp_path / "file" / "journal"}) == ["abmiddleware.E001"]
    assert ids(EXPERIMENTS={"SINK": Journal(tmp_path)}) == ["abmiddleware.W002"]
    assert ids(EXPERIMENTS={"JOURNAL": tmp_path}) == ["abmiddleware.E001"]
    assert ids(EXPERIMENTS={"JOURNAL": tmp_path / "file"}) == []
    assert ids(EXPERIMENTS={"JOURNAL": tmp_path / "new" / "journal"}) == []


def test_a_missing_setting_is_a_warning() -> None:
    """A project without the setting, or with its name misspelled, is told."""
    with override_settings():
        del settings.EXPERIMENTS
        assert [message.id for message in check_settings()] == ["abmiddleware.W003"]


def test_a_wrong_definition_has_ids_of_its_own(tmp_path: Path) -> None:
    """In code, in a file as a whole, and in a part of a file."""
    twice = {"EXPERIMENTS": [BUTTON, Experiment("checkout-button", ["a", "b"])]}
    assert ids(EXPERIMENTS=twice) == ["abmiddleware.E004"]
    with (
        pytest.raises(SystemCheckError, match="must be its own"),
        override_settings(EXPERIMENTS=twice),
    ):
        call_command("check")
    for text, expected in (
        ("[]", "abmiddleware.E005"),
        (
            json.dumps(
                {"features": {"x": {"rules": [{"force": 1, "condition": {"a": {"$no": 1}}}]}}}
            ),
            "W004",
        ),
        (json.dumps({"features": {"x": {"defaultValue": 1}}}), ""),
    ):
        (tmp_path / "file.json").write_text(text)
        options = {"SINK": MemorySink(), "SOURCES": [File(tmp_path / "file.json")]}
        found = ids(EXPERIMENTS=options)
        assert [str(one).endswith(expected) for one in found] == [True] * bool(expected)


def test_an_experiment_of_users_needs_a_middleware_that_knows_them() -> None:
    """Django's own or one of its kind, or a function."""
    members = Experiment("members", ["old", "new"], hash_attribute="user_id")
    setting = {"SINK": MemorySink(), "EXPERIMENTS": [members]}
    known = {**setting, "ATTRIBUTES": {"user_id": lambda request: request.headers.get("x-user")}}
    login = "django.contrib.auth.middleware.AuthenticationMiddleware"

    assert ids(EXPERIMENTS=setting) == ["abmiddleware.W005"]
    assert ids(EXPERIMENTS=known) == []
    assert ids(EXPERIMENTS=setting, MIDDLEWARE=[login, MIDDLEWARE]) == []


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({}, []),
        ({"COOKIE": {"SECURE": False}}, ["abmiddleware.W006"]),
        ({"COOKIE": {"SECURE": True}}, []),
        ({"QUERY_OVERRIDES": True}, ["abmiddleware.W007"]),
        ({"STRICT": True}, ["abmiddleware.W008"]),
        ({"NO": "key"}, []),
    ],
)
def test_a_site_is_told_what_is_for_development_only(
    option: dict[str, Any], expected: list[str]
) -> None:
    """By `manage.py check --deploy`, and by no other check; tests themselves are strict."""
    with override_settings(EXPERIMENTS={"SINK": MemorySink(), "STRICT": False, **option}):
        assert [one.id for one in check_deployment()] == expected
        if expected:
            call_command("check", fail_level="WARNING")
            with pytest.raises(SystemCheckError, match=expected[0]):
                call_command("check", deploy=True, fail_level="WARNING")


def test_what_lint_finds_keeps_its_level(tmp_path: Path) -> None:
    """Errors, warnings and notes are those of Django's checks."""
    one, two, *_ = [each.key for each in EXPERIMENTS]
    designs = tmp_path / "designs.toml"
    designs.write_text(
        "[metrics.sales]\nkind = 'proportion'\nevent = 'purchase'\n"
        f"[experiments.{one}]\ngoals = ['sales']\n[experiments.{two}]\ngoals = ['sales']\n"
    )
    setting = {"ENGINE": "tests.web.test_django.engine_in_module", "DESIGNS": designs}
    with override_settings(EXPERIMENTS={**setting, "LEDGER": tmp_path / "experiments.jsonl"}):
        levels = {message.id: message.level for message in check_lint()}

    assert levels == {
        "abmiddleware.E007": checks.ERROR,
        "abmiddleware.W009": checks.WARNING,
        "abmiddleware.I001": checks.INFO,
    }


def test_records_of_experiments_are_checked(tmp_path: Path) -> None:
    """The file always, what lint finds with `--deploy`; both beside a ready engine."""
    designs = tmp_path / "designs.toml"
    engine = {"ENGINE": "tests.web.test_django.engine_in_module"}
    setting = {**engine, "DESIGNS": designs, "LEDGER": tmp_path / "experiments.jsonl"}
    with override_settings(EXPERIMENTS=setting):
        (missing,) = check_designs()
        designs.write_text("[metrics.sales]\nkind = 'proportions'\n")
        (wrong,) = check_designs()
        designs.write_text("[experiments.unknown]\nowner = 'ana'\n")
        assert check_designs() == []
        assert conf.engine() is engine_in_module
        (found,) = check_lint()
        with pytest.raises(SystemCheckError, match=r"abmiddleware\.E007"):
            call_command("check", deploy=True)
        designs.write_text("[metrics]\n")
        assert check_lint() == []

    assert (missing.id, wrong.id, found.id) == (*["abmiddleware.E006"] * 2, "abmiddleware.E007")
    assert "metrics.sales.kind: is 'proportions', must be one of 'proportion'" in wrong.msg
    assert "is the record of no experiment" in found.msg
    with override_settings(EXPERIMENTS={**engine, "DESIGNS": 7}):
        (odd,) = check_designs()
    assert odd.msg == "EXPERIMENTS['DESIGNS']: is 7, must be a path"


def test_an_engine_can_be_named_by_its_path() -> None:
    """`ENGINE` names an engine that the project made itself."""
    with override_settings(EXPERIMENTS={"ENGINE": "tests.web.test_django.engine_in_module"}):
        assert conf.engine() is engine_in_module


def test_a_sink_can_be_given() -> None:
    """`SINK` takes an object as it is."""
    sink = LoggingSink()
    with override_settings(EXPERIMENTS={"SINK": sink}):
        assert conf.engine().sink is sink


def test_a_sink_can_be_named_by_its_class() -> None:
    """`SINK` makes an object of a class that is named, as Django's other settings do."""
    with override_settings(EXPERIMENTS={"SINK": "abmiddleware.MemorySink"}):
        assert isinstance(conf.engine().sink, MemorySink)


def test_a_subclass_is_our_middleware() -> None:
    """A project may extend the middleware."""
    setting = {"SINK": MemorySink()}

    assert ids(MIDDLEWARE=["tests.web.test_django.OwnMiddleware"], EXPERIMENTS=setting) == []


class OwnMiddleware(ExperimentsMiddleware):
    """A project's own."""


def test_production_is_not_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without debug mode and outside tests a mistake in a view is logged only."""
    monkeypatch.delenv("PYTEST_VERSION")
    monkeypatch.delattr("django.test.utils._TestState.saved_data")
    with override_settings(EXPERIMENTS={"SINK": memory}, DEBUG=False):
        assert not conf.engine().strict


def test_tests_are_not_looked_for_where_none_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never loaded Django's test tools does not load them for us."""
    monkeypatch.delenv("PYTEST_VERSION")
    with (
        override_settings(EXPERIMENTS={"SINK": memory}, DEBUG=False),
        monkeypatch.context() as gone,
    ):
        gone.delitem(sys.modules, "django.test.utils")

        assert not conf.engine().strict
        assert "django.test.utils" not in sys.modules


def test_a_changed_setting_makes_a_new_engine() -> None:
    """`override_settings` changes the engine, and leaving it brings the old setting back."""
    with override_settings(EXPERIMENTS={"SERVICE": "one", "SINK": memory}):
        with override_settings(EXPERIMENTS={"SERVICE": "two", "SINK": memory}):
            inner = conf.engine().service

        assert (conf.engine().service, inner) == ("one", "two")


def test_djangos_tests_are_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under Django's own test runner a mistake in a view raises, though DEBUG is off."""
    monkeypatch.delenv("PYTEST_VERSION")
    with override_settings(EXPERIMENTS={"SINK": memory}, DEBUG=False):
        assert conf.engine().strict


def test_the_setting_error_reaches_no_later_than_the_first_request() -> None:
    """Without running the checks, a wrong setting is told by the first request."""
    with (
        override_settings(EXPERIMENTS={"JURNAL": "x"}),
        pytest.raises(ConfigurationError, match="JURNAL"),
    ):
        Client().get("/sync/run")


def cached_run(request: Any) -> HttpResponse:
    return HttpResponse(str(request.experiments.run(BUTTON).hash_value))


@experiment(BUTTON)
def cached_handler(request: Any, variation: str) -> HttpResponse:
    return HttpResponse(str(request.experiments.run(BUTTON).hash_value))


def cached_template(request: Any) -> TemplateResponse:
    """Ask when the page is rendered, which is after the view."""
    source = (
        "{% load experiments %}{% variation 'checkout-button' as shown %}"
        "{% for result in experiments.assignments.values %}{{ result.hash_value }}{% endfor %}"
    )
    return TemplateResponse(request, engines["django"].from_string(source))


def cached_quiet_template(request: Any) -> TemplateResponse:
    source = engines["django"].from_string("{% load experiments %}{{ number }}")
    return TemplateResponse(request, source, {"number": uuid.uuid4().hex})


def cached_quiet(request: Any) -> HttpResponse:
    return HttpResponse(uuid.uuid4().hex)


urlpatterns = [
    path("run", cached_run),
    path("run-page", cache_page(60)(cached_run)),
    path("quiet-page", cache_page(60)(cached_quiet)),
    path("handler-page", cache_page(60)(cached_handler)),
    path("template", cached_template),
    path("template-page", cache_page(60)(cached_template)),
    path("quiet-template-page", cache_page(60)(cached_quiet_template)),
]
UPDATE = "django.middleware.cache.UpdateCacheMiddleware"
FETCH = "django.middleware.cache.FetchFromCacheMiddleware"


@pytest.mark.parametrize(
    ("middleware", "page"),
    [
        pytest.param([MIDDLEWARE], "/run-page", id="cache-page"),
        pytest.param([MIDDLEWARE], "/handler-page", id="cache-page-of-a-decorated-view"),
        pytest.param([MIDDLEWARE], "/template-page", id="cache-page-of-a-template"),
        pytest.param([UPDATE, MIDDLEWARE, FETCH], "/template", id="site-cache-of-a-template"),
        pytest.param([UPDATE, MIDDLEWARE, FETCH], "/run", id="site-cache"),
        pytest.param([MIDDLEWARE, UPDATE, FETCH], "/run", id="site-cache-in-wrong-order"),
    ],
)
def test_no_cache_of_django_serves_anothers_variation(middleware: list[str], page: str) -> None:
    """A page that asked is stored by no cache of Django's, wherever it sits."""
    settings = {
        "MIDDLEWARE": middleware,
        "ROOT_URLCONF": "tests.web.test_django",
        "CACHES": {"default": {"BACKEND": LOCMEM, "LOCATION": page + str(middleware)}},
        "EXPERIMENTS": {"EXPERIMENTS": EXPERIMENTS, "SINK": MemorySink()},
    }
    with override_settings(**settings):
        visitors = [Client() for _ in range(5)]
        texts = [visitor.get(page).content.decode() for visitor in visitors]
        again = [visitor.get(page).content.decode() for visitor in visitors]

        assert again == texts == [each.cookies["ab_id"].value.split(".")[0] for each in visitors]


@pytest.mark.parametrize("page", ["/quiet-page", "/quiet-template-page"])
def test_a_page_that_asked_nothing_is_cached(page: str) -> None:
    """A page that asks for no experiment stays in Django's cache, tags and context or not."""
    settings = {
        "ROOT_URLCONF": "tests.web.test_django",
        "CACHES": {"default": {"BACKEND": LOCMEM, "LOCATION": page}},
        "EXPERIMENTS": {"SINK": MemorySink()},
    }
    with override_settings(**settings):
        texts = {Client().get(page).content for _ in range(3)}

    assert len(texts) == 1


def test_the_app_needs_no_migration() -> None:
    """The app has no models, so there is nothing to migrate."""
    assert list(apps.get_app_config("abmiddleware_django").get_models()) == []
