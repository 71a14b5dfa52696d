"""Files of metrics and records: what is wrong is told with its place and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from abmiddleware.design.designs import Designs, read_designs
from abmiddleware.design.metrics import EventSource, Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from abmiddleware.exceptions import DefinitionError, DocumentError

GOOD = """
[sources.orders]
table = "orders"
time = "paid_at"
ids = {id = "visitor"}

[metrics.conversion]
kind = "proportion"
event = "purchase"
window_days = 7

[metrics.basket]
kind = "ratio"
source = "orders"
column = "amount"
denominator = {source = "orders", aggregate = "count"}

[experiments.button]
goals = ["conversion"]
guardrails = ["basket"]
start = 2026-11-02
end = 2026-11-15
"""


def test_a_file_is_read(tmp_path: Path) -> None:
    """As TOML, YAML and JSON."""
    (tmp_path / "designs.toml").write_text(GOOD)
    designs = read_designs(tmp_path / "designs.toml")

    assert designs.metrics["conversion"] == Metric(
        kind="proportion", event="purchase", window_days=7.0
    )
    assert designs.metrics["basket"].denominator == Measure(source="orders", aggregate="count")
    assert designs.experiments["button"].planned_days == 14
    yaml = "metrics:\n  conversion: {kind: proportion, event: purchase, window_days: 7}\n"
    (tmp_path / "designs.yaml").write_text(yaml)
    (tmp_path / "designs.json").write_text(
        '{"metrics":{"conversion":{"kind":"proportion","event":"purchase","window_days":7}}}'
    )
    for suffix in ("yaml", "json"):
        assert read_designs(tmp_path / f"designs.{suffix}").metrics == {
            "conversion": designs.metrics["conversion"]
        }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[metric.x]\nkind = "mean"', "metric: is unknown, did you mean 'metrics'"),
        ('[metrics.x]\nkind = "men"', "metrics.x.kind: is 'men', must be one of 'proportion'"),
        ('[metrics.x]\nkind = "mean"\nevnt = "a"', "metrics.x.evnt: is unknown, did you mean 'ev"),
        ('[metrics.x]\nkind = "mean"', "metrics.x.event: is missing, must be the name"),
        (
            '[metrics.x]\nkind = "mean"\nevent = "a"\nwindow_days = "7"',
            "days: is '7', must be a number",
        ),
        ('[metrics.x]\nkind = "mean"\nevent = 5', "x.event: is 5, must be a text in quotes"),
        ('[experiments.b]\nstart = "nov"', "b.start: is 'nov', must be a date such as 2026-12-14"),
        ("[experiments.b]\nsequential = 1", "b.sequential: is 1, must be true or false"),
        ("[experiments.b]\ngoals = [1]", r"b.goals\[0\]: is 1, must be a text in quotes"),
        ('[experiments.b]\ngoals = "x"', "b.goals: is 'x', must be a list"),
        ('[calendar]\nx = ["may"]', r"calendar.x\[0\]: is 'may', must be a date"),
        ('[metrics.x]\nkind = "mean"\nevent = "a"\nsource = "s"', "must be one of 'journal'"),
        ('[metrics.x]\nkind = "ratio"\nevent = "a"', "x.denominator: is missing, must be a table"),
        ('[metrics.x]\nkind = "mean"\nevent = "a"\nlevel = 0.9', "is of a quantile, must be left"),
        ('[metrics.x]\nkind = "funnel"\nsteps = ["a"]', "steps: is .*, must be two or more"),
        ('[metrics."x y"]\nkind = "mean"\nevent = "a"', "must be 1 to 64 of A-Z"),
        ('[sources.s]\ntable = "t"', "sources.s.ids: is missing"),
        ('[sources.s]\nids = {id = "v"}', "has a table or a query, must have one of the two"),
        ('[sources.journal]\ntable = "t"\nids = {id = "v"}', "sources.journal: is there already"),
        ('[experiments.b]\ngoals = ["x"]', r"b.goals\[0\]: is 'x', must be one of defined"),
        ("[experiments.b]\nalpha = 2", "experiments.b.alpha: is 2.0, must be between 0 and 1"),
        ("[experiments.b]\nstart = 2026-11-02\nend = 2026-11-01", "must be 2026-11-02 or later"),
        ("metrics = 1", "metrics: must be a table"),
        ("x", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, problem: str) -> None:
    """With its place, and what must be there."""
    (tmp_path / "designs.toml").write_text(text)
    with pytest.raises((DefinitionError, DocumentError), match=problem):
        read_designs(tmp_path / "designs.toml")


def test_other_files_are_refused(tmp_path: Path) -> None:
    """By their names; and those that are not there."""
    (tmp_path / "designs.txt").write_text("")
    with pytest.raises(DocumentError, match=r"must be a \.toml"):
        read_designs(tmp_path / "designs.txt")
    with pytest.raises(FileNotFoundError):
        read_designs(tmp_path / "no.toml")


def test_designs_of_code_are_checked_alike() -> None:
    """With the same messages."""
    with pytest.raises(DefinitionError, match=r"metrics\.x\.event: is missing"):
        Designs.of({"x": Metric(kind="mean")})
    record = ExperimentRecord(goals=("x",))
    with pytest.raises(DefinitionError, match=r"experiments.b.goals\[0\]"):
        Designs.of({}, {"b": record})
    source = EventSource(table="orders", ids={"id": "visitor"})
    metric = Metric(kind="mean", source="orders", column="amount")
    assert Designs.of({"x": metric}, {"b": record}, {"orders": source}).metrics == {"x": metric}
