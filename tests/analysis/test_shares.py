"""Who gets what is what the engine decides, and nobody is exposed by asking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scipy import stats

from abmiddleware import Engine, Experiment, MemorySink
from abmiddleware.analysis.shares import Overlap, Simulation, simulate


def visitors(count: int = 2_000, **attributes: Any) -> Iterator[dict[str, object]]:
    """Yield visitors, ten of each company."""
    for number in range(count):
        yield {"id": f"v{number}", "company": f"c{number // 10}", **attributes}


def simulated(*experiments: Experiment[Any], units: Any = None, **options: Any) -> Simulation:
    """Return what experiments do with visitors; no record is written."""
    sink = MemorySink()
    engine = Engine(experiments, sink=sink, **options)
    found = simulate(
        {one.key: engine.snapshot.plans[one.key] for one in experiments},
        lambda attributes: engine.client(**attributes).peek,
        units or visitors(),
    )

    assert not sink.records
    return found


def overlap(*experiments: Experiment[Any], **options: Any) -> Overlap:
    """Return the overlap of two experiments."""
    (found,) = simulated(*experiments, **options).overlaps
    return found


def test_units_get_what_a_client_gets() -> None:
    """Each variation as often as `run` gives it, beside what is configured."""
    button = Experiment("button", ["old", "new"], weights=[0.7, 0.3], hash_version=2)
    engine = Engine([button], sink=MemorySink())
    theirs = [engine.client(**unit).run("button").value for unit in visitors()]
    found = simulated(button)

    (spread,) = found.experiments
    assert (found.units, spread.units, spread.unit_type) == (2_000, 2_000, "id")
    assert [(one.name, one.units, one.configured) for one in spread.shares] == [
        ("old", theirs.count("old"), 0.7),
        ("new", theirs.count("new"), pytest.approx(0.3)),
    ]
    assert sum(one.share for one in spread.shares) == pytest.approx(1)
    assert spread.outside == {}


def test_who_is_not_in_it_is_told_with_the_reason() -> None:
    """That of the evaluation; by constants of the engine, too."""
    experiments = [
        Experiment("half", ["a", "b"], coverage=0.5, hash_version=2),
        Experiment("nl", ["a", "b"], condition={"country": "NL"}),
        Experiment("team", ["a", "b"], hash_attribute="team"),
        Experiment("off", ["a", "b"], active=False),
        Experiment("live", ["a", "b"], condition={"env": "live"}),
        Experiment("forced", ["a", "b"]),
    ]
    units = [*visitors(300, country="NL"), *visitors(100, country="BE")]
    found = simulated(
        *experiments,
        units=units,
        attributes={"env": "live"},
        forced_variations={"forced": 1},
    )

    outside = {one.key: one.outside for one in found.experiments}
    half = found.experiments[0]
    assert outside == {
        "half": {"not_covered": 300 - half.units},
        "nl": {"condition": 100},
        "team": {"no_unit": 400},
        "off": {"disabled": 300},
        "live": {},
        "forced": {"forced": 300},
    }
    assert 120 < half.units < 180
    assert [one.share for one in found.experiments[3].shares] == [0.0, 0.0]


def test_an_experiment_by_company_counts_companies() -> None:
    """Which it randomises; that ten visitors of each are listed says no more."""
    found = simulated(Experiment("terms", [0, 30], hash_attribute="company", hash_version=2))

    assert found.experiments[0].units == 200
    assert found.units == 2_000


def test_experiments_of_their_own_seeds_are_independent() -> None:
    """The table adds up, and its p-value is that of SciPy."""
    found = overlap(
        Experiment("button", ["old", "new"], hash_version=2),
        Experiment("colour", ["a", "b", "c"], hash_version=2),
    )
    cells = [list(row.values()) for row in found.table.values()]

    assert (found.one, found.two, found.units) == ("button", "colour", 2_000)
    assert sum(map(sum, cells)) == 2_000
    assert found.p_value == pytest.approx(stats.chi2_contingency(cells).pvalue)
    assert not found.is_alarming


def test_experiments_of_one_seed_go_together() -> None:
    """Who gets the first of one gets the first of the other."""
    found = overlap(
        Experiment("button", ["old", "new"], seed="same"),
        Experiment("colour", ["blue", "green"], seed="same"),
    )

    assert found.is_alarming
    assert found.table["0"]["1"] == found.table["1"]["0"] == 0


def test_experiments_of_disjoint_namespaces_share_nobody() -> None:
    """So there is nothing to test."""
    found = overlap(
        Experiment("button", ["old", "new"], namespace=("checkout", 0.0, 0.5)),
        Experiment("colour", ["blue", "green"], namespace=("checkout", 0.5, 1.0)),
    )

    assert (found.units, found.p_value, found.is_alarming) == (0, None, False)


def test_two_experiments_by_company_are_compared_by_company() -> None:
    """By visitors, of which a company's have all the same, most pairs would be alarming."""
    pairs = [
        overlap(
            Experiment(f"a{number}", ["x", "y"], hash_attribute="company", hash_version=2),
            Experiment(f"b{number}", ["x", "y"], hash_attribute="company", hash_version=2),
            units=list(visitors(1_000)),
        )
        for number in range(12)
    ]

    assert {pair.units for pair in pairs} == {100}
    assert not any(pair.is_alarming for pair in pairs)


def test_few_units_say_nothing() -> None:
    """Where a cell is expected to have fewer than five."""
    experiments = Experiment("a", ["x", "y"]), Experiment("b", ["x", "y"])

    assert overlap(*experiments, units=list(visitors(12))).p_value is None
