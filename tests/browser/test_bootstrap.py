"""A browser that goes on with a page shows what the server showed, by GrowthBook's own SDK."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import Engine, Experiment, Feature, MemorySink, Overrides, Rule, VariationMeta
from abmiddleware.client import ExperimentClient
from abmiddleware.evaluation.growthbook import write, write_feature
from tests.request_facts import Page

HERE = Path(__file__).parent
BLOCK = re.compile(r"```js\n(.*?)```", re.DOTALL)

HERO = Experiment("hero", ["calm", "bold"], hash_version=2)
TERMS = Experiment(
    "terms",
    [0, 30, 60],
    condition={"plan": "pro"},
    meta=[VariationMeta(key=name) for name in ("now", "month", "two")],
)
NOBODY = Experiment("nobody", ["off", "on"], coverage=0.0)
MENU = Feature("menu", "old", rules=[Rule(key="menu-test", variations=["old", "new"])])
LIMIT = Feature("limit", 10, rules=[Rule(force=20, condition={"plan": "pro"})])
ALL: list[Experiment[Any] | Feature[Any]] = [HERO, TERMS, NOBODY, MENU, LIMIT]
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105  # of a test

#: Tells what a browser shows and tracks.
Browse = Callable[..., Any]


@pytest.fixture(scope="module")
def browse(tmp_path_factory: pytest.TempPathFactory) -> Browse:
    """Install the SDK as its users do, and return what runs a page with it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm and node are not installed")
    place = tmp_path_factory.mktemp("page")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place)
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, cwd=place, check=True, capture_output=True)  # noqa: S603
    (block,) = BLOCK.findall((HERE.parents[1] / "docs" / "browser.md").read_text())

    def browse(
        state: dict[str, Any],
        features: list[Feature[Any]] | None = None,
        experiments: list[Experiment[Any]] | None = None,
    ) -> Any:
        asked: list[Feature[Any]] = [MENU, LIMIT] if features is None else features
        page = {
            "state": json.loads(json.dumps(state)),
            "payload": {"features": {one.key: write_feature(one) for one in asked}},
            "features": [one.key for one in asked],
            "experiments": [write(one) for one in experiments or [HERO, TERMS, NOBODY]],
        }
        done = subprocess.run(  # noqa: S603  # our own page
            [node, HERE / "page.mjs", place, block],
            input=json.dumps(page),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return browse


@pytest.fixture
def engine(sink: MemorySink) -> Engine:
    return Engine(ALL, sink=sink, overrides=Overrides(SECRET))


def shown(client: ExperimentClient) -> dict[str, Any]:
    """Return what a page shows that asks everything."""
    return {
        "experiments": {one.key: client.run(one).value for one in (HERO, TERMS, NOBODY)},
        "features": {one.key: client.feature(one).value for one in (MENU, LIMIT)},
    }


def test_the_browser_shows_what_the_page_shows(
    engine: Engine, sink: MemorySink, browse: Browse
) -> None:
    """And the page's analytics hear of the exposures that the server recorded, each once."""
    for _ in range(5):
        client = engine.request_client(Page())
        client.identify(plan="pro")
        server = shown(client)
        browser = browse(client.bootstrap("plan"))
        client.flush()

        assert {name: browser[name] for name in server} == server
        recorded = {(one.experiment_key, one.variation_key) for one in sink.exposures}
        assert len(recorded) == 3
        assert {(one["experiment"], one["variation"]) for one in browser["tracked"]} == recorded
        assert len(browser["tracked"]) == 3
        sink.clear()


def test_what_the_page_did_not_ask_is_decided_alike_and_tracked_by_the_browser(
    engine: Engine, sink: MemorySink, browse: Browse
) -> None:
    """By the same ids and attributes, so by the same hash; a peek is no exposure of the server."""
    for _ in range(5):
        client = engine.request_client(Page())
        client.identify(plan="pro")
        client.peek(HERO)
        browser = browse(client.bootstrap("plan"))

        assert browser["features"] == shown(client)["features"]
        assert browser["experiments"] == shown(client)["experiments"]
        told = sorted(one["experiment"] for one in browser["tracked"])
        assert told == ["hero", "menu-test", "terms"]


def test_the_browser_keeps_what_was_shown_though_its_configuration_is_another(
    engine: Engine, browse: Browse
) -> None:
    """Its cache may be older, or newer."""
    client = engine.request_client(Page())
    client.identify(plan="pro")
    server = shown(client)
    other = [
        Experiment("hero", ["calm", "bold"], seed="another", weights=[0.01, 0.99]),
        Experiment("terms", [0, 30, 60], seed="another", weights=[0.98, 0.01, 0.01]),
    ]
    menu = Feature(
        "menu", "old", rules=[Rule(key="menu-test", variations=["old", "new"], seed="another")]
    )

    browser = browse(client.bootstrap("plan"), [menu], other)

    assert browser["experiments"]["hero"] == server["experiments"]["hero"]
    assert browser["experiments"]["terms"] == server["experiments"]["terms"]
    assert browser["features"]["menu"] == server["features"]["menu"]


def test_an_override_holds_in_the_browser_and_is_tracked_by_nobody(
    engine: Engine, browse: Browse
) -> None:
    """Also of what the page has not asked about."""
    assert engine.overrides is not None
    for name, value in (("now", 0), ("two", 60)):
        token = engine.overrides.token({"terms": name, "limit": 7})
        client = engine.request_client(Page(f"https://shop.example/?ab_override={token}"))
        browser = browse(client.bootstrap())

        assert browser["experiments"]["terms"] == value
        assert browser["features"]["limit"] == 7
        assert browser["tracked"] == []


def test_the_browser_learns_the_named_attributes_alone(engine: Engine, browse: Browse) -> None:
    """No other reaches the page, nor whom an experiment is for."""
    client = engine.request_client(Page())
    client.identify(plan="pro", risk=0.9, user_id=7)
    shown(client)
    state = client.bootstrap("plan")

    assert set(browse(state)["attributes"]) == {"id", "plan"}
    text = json.dumps(state)
    assert "risk" not in text
    assert "condition" not in text
    assert "user_id" not in text


def test_without_consent_the_browser_gets_nobody(sink: MemorySink, browse: Browse) -> None:
    """No id, of a user neither, so no experiment there, and no tracking."""
    of_users = Experiment("of-users", ["off", "on"], hash_attribute="user_id", weights=[0, 1])
    engine = Engine([*ALL, of_users], sink=sink, consent=lambda _: False)
    client = engine.request_client(Page())
    client.identify(user_id="u7", plan="pro")
    server = shown(client)
    assert client.run(of_users).value == "off"
    state = client.bootstrap("plan", "user_id")

    assert state["attributes"] == {"plan": "pro"}
    assert browse(state, experiments=[of_users])["experiments"]["of-users"] == "off"
    assert state["suppressed"] == "no_consent"
    browser = browse(state)
    assert browser["tracked"] == []
    assert browser["experiments"] == server["experiments"]


def test_a_page_that_bootstraps_is_its_visitors_own(engine: Engine) -> None:
    """It has the visitor's id in it, though nothing else was asked."""
    page = Page()
    client = engine.request_client(page)
    state = client.bootstrap()

    assert page.is_private
    assert client.response_starts()
    (cookie,) = client.cookies()
    assert cookie.value.split(".")[0] == state["attributes"]["id"]
