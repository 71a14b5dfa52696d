"""The demonstration: a small run as it is started, and what it must notice."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from collections import Counter
from itertools import product
from pathlib import Path

import pytest
from rich.console import Console
from scipy import stats

from abmiddleware import Engine
from abmiddleware.analysis.analysis import Analysis
from example_apps.demo.report import analyses, report
from example_apps.demo.server import ServerError, running_shop
from example_apps.demo.sight import shown_by_order
from example_apps.demo.traffic import Visit
from example_apps.demo.truth import (
    EFFECTS,
    PEOPLE,
    companies_of,
    purchase_chance,
    true_rate,
    variation_keys,
    weights,
)
from example_apps.shop.experiments import EXPERIMENTS, LAYOUT, PRICE, RANKING, TERMS

ROOT = Path(__file__).parents[2]


def run_demo(place: Path) -> subprocess.CompletedProcess[str]:
    """Run the demonstration with 400 visitors."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "example_apps.demo", "--visitors", "400"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_small_run(tmp_path: Path) -> None:
    """A run prints a table per experiment and the way on, and ends well."""
    done = run_demo(tmp_path)
    if "not as configured" in done.stdout:  # by chance once in some hundred runs, not twice
        done = run_demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for experiment in EXPERIMENTS:
        assert experiment.key in done.stdout
    assert done.stdout.count("split as configured (p = ") == len(EXPERIMENTS)
    assert done.stdout.count("true conversion (simulated)") == len(EXPERIMENTS)
    assert "var/demo-fastapi-bag-price.html" in done.stdout
    assert "var/demo-fastapi.jsonl" in done.stdout
    assert "0 missing" in done.stdout
    assert "-m example_apps.shop_fastapi" in done.stdout
    assert (tmp_path / "var" / "demo-fastapi.jsonl").stat().st_size > 0


def test_server_that_does_not_start(tmp_path: Path) -> None:
    """A server that ends at once is not waited for, and its log says why."""
    with (
        pytest.raises(ServerError, match=r"No module named .*shop_nowhere"),
        running_shop("nowhere", tmp_path / "journal.jsonl", tmp_path / "server.log"),
    ):
        pass


def journal_of(place: Path, visits: list[Visit]) -> Path:
    """Write the journal of a shop that these visitors went through, as a client writes it."""
    journal = place / "journal.jsonl"
    engine = Engine(EXPERIMENTS, journal=journal)
    for visit in visits:
        with engine.client(id=visit.visitor_id, company=visit.company) as experiments:
            for experiment in EXPERIMENTS:
                result = experiments.run(experiment)
                if result.in_experiment:
                    visit.see({experiment.key: result.key})
            if visit.purchases:
                experiments.track("purchase", 9.99)
    return journal


@pytest.fixture
def visits() -> list[Visit]:
    """Forty visitors, some of two companies; every fourth buys, and so nobody of the second."""
    companies = ["one", None, None, "two", None, None]
    return [
        Visit(companies[number % 6], f"visitor {number}", purchases=int(number % 4 == 0))
        for number in range(40)
    ]


def problems_of(journal: Path, visits: list[Visit]) -> list[str]:
    """Return what the report finds wrong."""
    return report(Console(file=io.StringIO()), "fastapi", journal, visits)


def test_nothing_is_wrong(tmp_path: Path, visits: list[Visit]) -> None:
    """A journal that holds what was shown and bought is found right."""
    assert problems_of(journal_of(tmp_path, visits), visits) == []


@pytest.mark.parametrize("kind", ["exposure", "outcome"])
def test_missing_record(tmp_path: Path, visits: list[Visit], kind: str) -> None:
    """One record less than was delivered is noticed."""
    journal = journal_of(tmp_path, visits)
    lines = journal.read_text().splitlines(keepends=True)
    lines.remove(next(line for line in lines if f'"type":"{kind}"' in line))
    journal.write_text("".join(lines))
    (problem,) = problems_of(journal, visits)
    assert problem.startswith("the journal lacks ")


def test_torn_line(tmp_path: Path, visits: list[Visit]) -> None:
    """A line that is no record is noticed."""
    journal = journal_of(tmp_path, visits)
    with journal.open("a") as file:
        file.write('{"torn')
    assert problems_of(journal, visits) == ["the journal lacks 0 records, 1 lines are torn"]


def test_changed_variation(tmp_path: Path, visits: list[Visit]) -> None:
    """A second request that shows another variation than the first is noticed."""
    journal = journal_of(tmp_path, visits)
    shown = visits[0].shown[LAYOUT.key]
    visits[0].see({LAYOUT.key: "grid" if shown == "list" else "list"})
    assert any(problem.startswith("page-layout was") for problem in problems_of(journal, visits))


def test_uneven_split(tmp_path: Path, visits: list[Visit]) -> None:
    """A split that is not as configured is noticed."""
    journal = journal_of(tmp_path, visits)
    text = journal.read_text()
    journal.write_text(text.replace('"variation_key":"list"', '"variation_key":"grid"'))
    assert "page-layout: the split is not as configured" in problems_of(journal, visits)


def test_units_are_counted_once(tmp_path: Path, visits: list[Visit]) -> None:
    """A unit counts once however often it comes and buys; companies are units of their own."""
    by_key = {one.key: one for one in analyses(journal_of(tmp_path, visits * 2))}
    for key, units, buyers in ((PRICE.key, 40, 10), (TERMS.key, 2, 1)):
        arms = by_key[key].arms
        assert sum(arm.units for arm in arms) == units
        assert buyers_of(by_key[key]) in (buyers, None)


def buyers_of(analysis: Analysis) -> int | None:
    """Return the units that bought, where the report counts them."""
    (goal,) = (one for one in analysis.metrics if one.role == "goal")
    return sum(cell.successes or 0 for cell in goal.cells) if goal.verdicts else None


def simulated(place: Path, seed: int, visitors: int) -> Path:
    """Write the journal of visitors who buy as the simulation says, without a server."""
    source = random.Random(seed)  # noqa: S311  # a simulation
    journal = place / f"journal-{seed}.jsonl"
    engine = Engine(EXPERIMENTS, journal=journal)
    for number, company in enumerate(companies_of(visitors)):
        with engine.client(id=f"{seed}-{number}", company=company) as experiments:
            results = {each.key: experiments.run(each) for each in EXPERIMENTS}
            shown = {key: one.key for key, one in results.items() if one.in_experiment}
            if source.random() < purchase_chance(shown):
                experiments.track("purchase", float(results[PRICE.key].key))
    return journal


def test_the_report_of_the_demo_is_right(tmp_path: Path) -> None:
    """Over 20 demonstrations, the true differences are within their intervals."""
    inside = total = 0
    for seed in range(20):
        for analysis in analyses(simulated(tmp_path, seed, 1_200)):
            (experiment,) = (each for each in EXPERIMENTS if each.key == analysis.key)
            control = analysis.arms[0].key
            (goal,) = (one for one in analysis.metrics if one.role == "goal")
            for verdict in goal.verdicts:
                truth = true_rate(experiment, verdict.variation) - true_rate(experiment, control)
                effect = verdict.comparison.effect
                inside += effect.low <= truth <= effect.high
                total += 1
    # Sequential intervals hold at every look, so at one of them in more than 95 of 100.
    assert total == 100
    assert stats.binomtest(inside, total, 0.95, alternative="less").pvalue > 0.01


def test_companies_have_equally_many_people() -> None:
    """Of 2,000 visitors four each come from 150 companies."""
    companies = companies_of(2000)
    assert len(companies) == 2000
    people = Counter(company for company in companies if company)
    assert len(people) == 150
    assert set(people.values()) == {PEOPLE}


def test_effects_cover_every_variation() -> None:
    """The simulation knows what each variation does."""
    for experiment in EXPERIMENTS:
        assert list(EFFECTS[experiment.key]) == variation_keys(experiment)
        assert len(weights(experiment)) == len(experiment.variations)


def test_true_rate_is_the_mean_chance() -> None:
    """The true rate of a price is the mean chance over all that else may be shown."""
    chances = [
        purchase_chance({PRICE.key: "9.99", RANKING.key: ranking, LAYOUT.key: layout, **terms})
        for ranking, layout in product(EFFECTS[RANKING.key], EFFECTS[LAYOUT.key])
        for terms in (*({},) * 7 * 2, *({TERMS.key: "net-14"}, {TERMS.key: "net-30"}) * 3)
    ]
    assert true_rate(PRICE, "9.99") == pytest.approx(sum(chances) / len(chances))


def test_unknown_order() -> None:
    """An order that no ranking gives is noticed."""
    with pytest.raises(ValueError, match="no ranking gives"):
        shown_by_order(["volcan", "harbour"])
