"""The plugin of pytest, as a team's own suite uses it."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

APPLICATION = """
from abmiddleware import Engine, Experiment, MemorySink

BUTTON = Experiment("button", ["red", "green", "blue"], coverage=0.0, hash_version=2)
sink = MemorySink()
engine = Engine([BUTTON], sink=sink)

def page():
    return engine.client(id="u1").run(BUTTON).value
"""


@pytest.fixture(autouse=True)
def _no_django(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the suites within out of this one's Django project."""
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")


def suite(pytester: pytest.Pytester, tests: str) -> pytest.RunResult:
    """Run tests of an application in a process of their own."""
    pytester.makepyfile(application=APPLICATION, test_suite=tests)
    return pytester.runpytest_subprocess("-q", "--strict-markers", "-p", "no:randomly")


def test_pytest_finds_it() -> None:
    """A team has nothing to set up."""
    (found,) = entry_points(group="pytest11", name="abmiddleware")

    assert found.value == "abmiddleware_pytest"


def test_fixtures_and_markers_hold_for_their_test_alone(pytester: pytest.Pytester) -> None:
    """Whatever the order, and when a test fails."""
    result = suite(
        pytester,
        """
        import pytest
        from application import page, sink

        def test_before():
            assert page() == "red"

        def test_force(abm_force, abm_exposures):
            abm_force("button", "green")
            assert page() == "green"
            abm_force({"button": "blue"})
            assert page() == "blue"
            assert [one.variation_key for one in abm_exposures] == ["1", "2"]
            assert len(abm_exposures) == 2 and abm_exposures[0].forced

        def test_between():
            assert page() == "red"
            assert sink.records == []

        def test_that_fails(abm_force):
            abm_force("button", "green")
            assert page() == "red"

        def test_after_it():
            assert page() == "red"

        @pytest.mark.abm("button", "green")
        class TestMarked:
            def test_of_the_class(self):
                assert page() == "green"

            @pytest.mark.abm("button", "blue")
            def test_closer(self):
                assert page() == "blue"

        @pytest.fixture
        def shown():
            return page()

        @pytest.mark.abm({"button": "green"})
        def test_fixtures_are_reached(shown):
            assert shown == "green"

        def test_last(abm_records):
            assert page() == "red"
            assert abm_records.records == []
        """,
    )

    result.assert_outcomes(passed=8, failed=1)


def test_a_wrong_marker_is_an_error_of_its_test(pytester: pytest.Pytester) -> None:
    """The others run."""
    result = suite(
        pytester,
        """
        import pytest
        from application import page

        @pytest.mark.abm("button", "yellow")
        def test_wrong():
            pass

        def test_right():
            assert page() == "red"
        """,
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*experiment 'button' has no variation 'yellow'*"])


def test_a_suite_that_does_not_use_it_does_not_load_the_library(
    pytester: pytest.Pytester,
) -> None:
    """Neither its modules nor its dependencies."""
    result = suite(
        pytester,
        """
        import sys

        def test_nothing_is_loaded():
            loaded = {name for name in sys.modules if name.split(".")[0] == "abmiddleware"}
            assert loaded == set()
        """,
    )

    result.assert_outcomes(passed=1)


SHOP = """
import pytest
from flask import Flask, request
from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware_flask import Experiments

@pytest.fixture
def client():
    app = Flask("shop")
    Experiments(app, engine=Engine([Experiment("checkout-button", ["control", "one-click"])]))

    @app.get("/cart")
    def cart():
        value = request.experiments.run("checkout-button").value
        return "Buy now" if value == "one-click" else "Cart"

    return app.test_client()
"""


def test_the_page_about_it_says_what_works(pytester: pytest.Pytester) -> None:
    """Its tests pass with a shop of Flask."""
    page = (Path(__file__).parents[2] / "docs" / "testing.md").read_text()
    pytester.makeconftest(SHOP)
    example = page.split("```python\n")[1].split("```")[0]

    suite(pytester, example).assert_outcomes(passed=2)
