"""Overrides, as a team makes them: in code, by the command, and by Django's setting."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import (
    ConfigurationError,
    Engine,
    Experiment,
    Feature,
    MemorySink,
    Overrides,
    Rule,
    cli,
)
from abmiddleware.identity import VisitorCookie
from abmiddleware_django import conf
from tests.request_facts import Page

SECRET = "a secret of at least thirty-two characters"  # noqa: S105
OVERRIDES = Overrides(SECRET)
#: For what no type checker would let through.
ANY_OVERRIDES: Any = Overrides
ANY_ENGINE: Any = Engine
BUTTON = Experiment("button", ["red", "green"], hash_version=2)


def shown(token: str, experiment: Experiment[Any] = BUTTON) -> Any:
    """Return what a page shows of an experiment, by a header."""
    engine = Engine([experiment], sink=MemorySink(), overrides=OVERRIDES)
    page = Page("https://shop.example/cart", headers={"ab-override": token})
    return engine.request_client(page).run(experiment.key).value


@pytest.mark.parametrize(
    ("values", "text", "value"),
    [
        (["red", "green"], "green", "green"),
        (["red", "green"], "1", "green"),
        (["0", "1"], "1", "1"),
        ([False, True], True, True),
        ([True, False], "true", True),
        ([5, 10], 10, 10),
        ([1.5, 2.5], "2.5", 2.5),
        ([{"a": 1}, {"a": 2}], 1, {"a": 2}),
        (["x:1", "x:2"], "x:2", "x:2"),
    ],
)
def test_a_variation_is_named_as_people_know_it(
    values: list[Any], text: object, value: Any
) -> None:
    """By its value, or by its key, which is its index unless it has another."""
    experiment = Experiment("exp", values)

    assert shown(OVERRIDES.token({"exp": text}), experiment) == value


@given(st.text(max_size=300))
def test_no_text_is_an_override_but_a_signed_one(text: str) -> None:
    """It breaks no page, whatever it is."""
    engine = Engine([BUTTON], sink=MemorySink(), overrides=OVERRIDES)
    pages = [Page(headers={"ab-override": text}), Page(cookie=f"ab_override={text}")]

    for page in pages:
        client = engine.request_client(page)
        assert client.run("button").in_experiment
        assert client.suppressed == ""


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Overrides(), "have neither a secret nor allow"),
        (lambda: Overrides("short"), "secret: has 5 characters"),
        (lambda: ANY_OVERRIDES(SECRET, allow=3), "overrides.allow: is 3"),
        (
            lambda: ANY_OVERRIDES(SECRET, cookie="x"),
            "overrides.cookie: is 'x', must be a Visitor",
        ),
        (lambda: OVERRIDES.token({}), "values: is {}, must be a dictionary"),
        (lambda: OVERRIDES.token({"a": object()}), "must be texts and other JSON values"),
        (lambda: OVERRIDES.token({"a": 1}, lifetime=0), "lifetime: is 0, must be 1 to 2592000"),
        (lambda: OVERRIDES.token({"a": 1}, path="cart"), "path: is 'cart', must be a path that"),
        (lambda: OVERRIDES.token({"a": "x" * 2000}), "must make at most 2000"),
        (lambda: Overrides(allow=bool).token({"a": 1}), "overrides.secret: is None"),
        (lambda: ANY_ENGINE(overrides=SECRET), "overrides: is 'a secret"),
    ],
    ids=range(11),
)
def test_a_slip_is_told_where_it_is_made(make: Any, problem: str) -> None:
    """With what was wrong and what would be right."""
    with pytest.raises(ConfigurationError) as error:
        make()

    assert problem in str(error.value)


def test_an_old_secret_verifies_beside_a_new_one() -> None:
    """So that links go on while a secret is replaced."""
    both = Overrides(["a new secret of at least thirty-two characters", SECRET])
    engine = Engine([BUTTON], sink=MemorySink(), overrides=both)
    page = Page(headers={"ab-override": OVERRIDES.token({"button": "green"})})

    assert engine.request_client(page).run("button").value == "green"


def test_cookie_and_parameter_have_the_name_that_a_team_gives() -> None:
    """The header too, with a hyphen."""
    overrides = Overrides(SECRET, cookie=VisitorCookie("qa_look", domain="example.com"))
    engine = Engine([BUTTON], sink=MemorySink(), overrides=overrides)
    token = overrides.token({"button": "green"})
    page = Page(f"https://shop.example/?qa_look={token}")
    client = engine.request_client(page)
    client.response_starts()

    (cookie,) = [one for one in client.cookies() if one.cookie.name == "qa_look"]
    assert "; Domain=example.com; HttpOnly;" in cookie.header()
    assert "; Secure" in cookie.header()
    for page in (Page(headers={"qa-look": token}), Page(cookie=f"a=b; qa_look={cookie.value}")):
        assert engine.request_client(page).run("button").value == "green"


def run(*arguments: str) -> str:
    """Return what the command prints."""
    return cli_output([*arguments])


def cli_output(arguments: list[str]) -> str:
    capture = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", capture)
        patch.setattr("sys.stderr", capture)
        code = cli.main(["override", *arguments])
    assert (code == 2) == capture.getvalue().startswith("abmiddleware override:")
    return capture.getvalue().strip()


def test_the_command_signs_what_the_service_believes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By a secret of the environment, or of a file."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    assert shown(run("button=green", "--secret-file", str(tmp_path / "secret"))) == "green"

    monkeypatch.setenv("ABMIDDLEWARE_OVERRIDE_SECRET", SECRET)
    assert shown(run("button=red", "--hours", "1", "--host", "shop.example")) == "red"


def test_the_command_prints_a_link_to_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the page's URL had already, but for an override."""
    monkeypatch.setenv("ABMIDDLEWARE_OVERRIDE_SECRET", SECRET)
    link = run("button=green", "--url", "https://shop.example/cart?a=b&ab_override=old#top")

    start, _, rest = link.partition("ab_override=")
    assert start == "https://shop.example/cart?a=b&"
    assert rest.endswith("#top")
    assert shown(rest.removesuffix("#top")) == "green"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["button"], "'button': must be KEY=VARIATION"),
        (["button=green", "--url", "/cart"], "url: is '/cart', must be a whole one"),
        (["button=green", "--hours", "1000"], "lifetime: is 3600000.0"),
        (["button=green", "--name", "a b"], "cookie.name: is 'a b'"),
        (["button=green", "--secret-file", "/nowhere"], "No such file"),
    ],
    ids=["pair", "url", "hours", "name", "file"],
)
def test_the_command_says_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], problem: str
) -> None:
    """And ends with 2."""
    monkeypatch.setenv("ABMIDDLEWARE_OVERRIDE_SECRET", SECRET)
    assert problem in run(*arguments)


def test_the_command_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the variable."""
    monkeypatch.delenv("ABMIDDLEWARE_OVERRIDE_SECRET", raising=False)
    assert "must be in ABMIDDLEWARE_OVERRIDE_SECRET or --secret-file" in run("button=green")


def test_django_signs_with_the_secret_of_the_project() -> None:
    """The command of the project makes what its pages believe."""
    told = StringIO()
    with override_settings(SECRET_KEY=SECRET, EXPERIMENTS={"OVERRIDES": {}}):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", told)
            call_command("experiments", "override", "button=green")
        engine = conf.engine_from({"OVERRIDES": {}, "SINK": MemorySink(), "EXPERIMENTS": [BUTTON]})
    page = Page(headers={"ab-override": told.getvalue().strip()})

    assert engine.request_client(page).run("button").value == "green"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"SECRET": "short"}, "secret: has 5 characters"),
        ({"COOKIE": {"NAME": "a b"}}, "is 'a b', must be letters"),
        ({"ALLOW": "nowhere.at_all"}, "'nowhere.at_all' cannot be imported"),
        ({"HOURS": 3}, "EXPERIMENTS['OVERRIDES']: is {"),
    ],
    ids=["secret", "cookie", "allow", "key"],
)
def test_a_wrong_setting_is_told(options: dict[str, Any], problem: str) -> None:
    """As every other."""
    with (
        override_settings(SECRET_KEY=SECRET),
        pytest.raises(ConfigurationError) as error,
    ):
        conf.engine_from({"OVERRIDES": options})

    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("checkout-buton=one-click", "'checkout-buton': is known to nobody, must be one such as"),
        ("checkout-button=oneclick", "checkout-button: has no variation 'oneclick', must be one"),
        ("rule=new", ""),
        ("flag=true", ""),
        ("checkout-button=1", ""),
    ],
)
def test_a_link_is_for_what_the_engine_knows(
    value: str, problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slip is told when it is signed, not when somebody sees the wrong page."""
    flag = Feature("flag", "old", rules=[Rule(key="rule", variations=["old", "new"])])
    button = Experiment("checkout-button", ["control", "one-click"])
    engine = Engine([button, flag], sink=MemorySink(), overrides=Overrides(SECRET))
    monkeypatch.setattr("tests.test_overrides.ENGINE", engine, raising=False)

    code = cli.main(["override", value, "--engine", "tests.test_overrides:ENGINE"])
    told = capsys.readouterr()
    assert (code, problem in told.err) == ((2, True) if problem else (0, True))


def test_a_link_that_nobody_follows_is_not_signed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an engine without overrides."""
    engine = Engine([], sink=MemorySink())
    monkeypatch.setattr("tests.test_overrides.ENGINE", engine, raising=False)

    assert cli.main(["override", "a=b", "--engine", "tests.test_overrides:ENGINE"]) == 2
    assert "the engine has none, so it follows no link" in capsys.readouterr().err
