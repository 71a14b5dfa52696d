"""The queries of an analysis, as warehouses would be asked that no test can reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
import sqlglot
from ibis.backends.duckdb import Backend as DuckDB
from sqlglot import expressions as exp

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.events import Events
from abmiddleware.analysis.queries import _at_place, quantile
from abmiddleware.analysis.warehouse import Warehouse, open_journal
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import EventSource, Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from tests.analysis.records import AB, DAY, START_US, after, exposure, outcome, write
from tests.analysis.test_warehouses import near

DIALECTS = ("bigquery", "clickhouse", "databricks", "snowflake", "trino")
#: How DuckDB answers to the functions of others, so that what is asked is run, too.
STAND_INS = (
    "json_value(ids, path) AS json_extract_string(ids, path)",
    "JSONExtractString(ids, name) AS coalesce(json_extract_string(ids, name), '')",
    "json_extract_scalar(ids, path) AS json_extract_string(ids, path)",
    "unix_micros(instant) AS epoch_us(instant)",
    """get_json_object(ids, path)
    AS json_extract_string(ids, replace(replace(path, '[''', '."'), ''']', '"'))""",
)
ORDERS = EventSource(table="orders", time="happened", ids={"id": "visitor"})
METRICS = {
    "conversion": Metric(kind="proportion", event="purchase", window_days=7),
    "revenue": Metric(kind="mean", event="purchase", cap_at=90.0, cuped_days=14, window_days=7),
    "largest": Metric(kind="mean", event="purchase", aggregate="max"),
    "order-value": Metric(
        kind="ratio",
        event="purchase",
        cuped_days=14,
        denominator=Measure(event="purchase", aggregate="count"),
    ),
    "back": Metric(kind="retention", event="latency", after_days=1, window_days=9),
    "funnel": Metric(kind="funnel", steps=("latency", "purchase"), window_days=9),
    "orders": Metric(kind="mean", source="orders", column="price"),
}
#: What asks the database for quantiles of values.
QUANTILES = {
    "median": Metric(kind="quantile", event="latency", level=0.5, direction="down"),
    "capped": Metric(kind="mean", event="purchase", cap=0.99),
}


class Recording(DuckDB):  # type: ignore[misc]
    """A DuckDB that writes down each query as another warehouse would be asked it."""

    spoken = ""
    queries: list[str]

    def to_pyarrow(self, expr: Any, /, **options: Any) -> Any:
        """Compile it, and answer."""
        self._told(expr)
        return super().to_pyarrow(expr, **options)

    def _create_cached_table(self, name: str, expr: Any) -> Any:
        self._told(expr)
        return super()._create_cached_table(name, expr)

    def _told(self, expr: Any) -> None:
        if self.spoken:
            self.queries.append(str(ibis.to_sql(expr, dialect=self.spoken)))


def rows() -> list[dict[str, Any]]:
    """Return records with all that a metric looks at."""
    source = np.random.default_rng(1)
    found = []
    for unit in range(200):
        at = START_US + int(source.integers(5 * DAY))
        found.append(exposure(f"ü{unit}", "ab"[unit % 2], at))
        for event in ("latency", "latency", "purchase", "opened"):
            when = at + int(source.integers(-9 * DAY, 10 * DAY))
            found.append(outcome(f"ü{unit}", event, float(source.lognormal(3, 1)), when))
    return found


@contextmanager
def recording(journal: Path, dialect: str, kind: str) -> Iterator[Warehouse]:
    """Return a warehouse with the tables of the agent, where ids are JSON or text of it."""
    backend = Recording()
    backend.do_connect()
    backend.queries = []
    source = open_journal(journal)
    for name in ("exposures", "outcomes"):
        backend.create_table(name, getattr(source, name).to_pyarrow())
    backend.raw_sql(f"ALTER TABLE outcomes ALTER unit_ids TYPE {kind}")
    backend.raw_sql(
        "CREATE TABLE orders AS SELECT 'ü' || unnest(range(200)) AS visitor, 2.5 AS price, "
        "TIMESTAMP '2026-11-08 12:00:00' AS happened"
    )
    for stand_in in STAND_INS if dialect else ():
        backend.raw_sql(f"CREATE MACRO {stand_in}")
    backend.spoken = dialect
    # By its name an analysis knows its functions.
    named = SimpleNamespace(name=dialect or "duckdb", table=backend.table, queries=backend.queries)
    yield Warehouse(
        named, backend.table("exposures"), backend.table("outcomes"), {"orders": ORDERS}
    )
    backend.disconnect()


def analysed(warehouse: Warehouse, metrics: dict[str, Metric]) -> Analysis:
    record = ExperimentRecord(
        goals=tuple(metrics), activation="opened", start=after(0).date(), end=after(13).date()
    )
    designs = Designs.of(metrics, {"button": record}, {"orders": ORDERS})
    return analyse(AB, designs, warehouse, now=after(24))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("journal") / "journal.jsonl", rows())


@pytest.fixture(scope="module")
def expected(journal: Path) -> Analysis:
    with recording(journal, "", "JSON") as warehouse:
        return analysed(warehouse, METRICS)


def check(query: str, dialect: str) -> None:
    """Check that it is SQL of a dialect, and says what every database understands alike."""
    (tree,) = sqlglot.parse(query, dialect=dialect)
    assert isinstance(tree, exp.Query), query
    # A written 1.5 is a decimal, whose digits are few; of time only microseconds are asked.
    for number in tree.find_all(exp.Literal):
        is_level = number.find_ancestor(exp.PercentileCont, exp.Quantile, exp.ParameterizedAgg)
        assert number.is_string or number.is_int or is_level, query
    assert not list(tree.find_all(exp.Interval, exp.DateAdd, exp.TimestampAdd)), query


@pytest.mark.parametrize("kind", ["JSON", "VARCHAR"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_warehouse_is_asked_what_it_understands(
    journal: Path, expected: Analysis, dialect: str, kind: str
) -> None:
    """Each query of an analysis with all kinds of metrics; and the answers are the same."""
    with recording(journal, dialect, kind) as warehouse:
        found = analysed(warehouse, METRICS)
        queries = warehouse.backend.queries

    assert len(queries) > 20
    for query in queries:
        check(query, dialect)
    # Of their own type of JSON, the text of a text is without quotes in those two alone.
    if kind == "VARCHAR" or dialect not in ("databricks", "snowflake"):
        assert near(found, expected)
        assert all(result.verdicts for result in found.metrics)


@pytest.mark.parametrize("name", QUANTILES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_warehouse_is_asked_for_quantiles(
    journal: Path, dialect: str, name: str, request: pytest.FixtureRequest
) -> None:
    """Of values, and of a cap; some have approximate ones alone."""
    with recording(journal, dialect, "VARCHAR") as warehouse:
        found = analysed(warehouse, {name: QUANTILES[name]})
        queries = warehouse.backend.queries

    for query in queries:
        check(query, dialect)
    assert found.metrics[0].verdicts


@pytest.mark.parametrize("level", [0.0, 0.5, 0.9, 0.999, 1.0])
def test_quantiles_by_places_are_those_of_the_database(level: float) -> None:
    """To the last digit, also between two values; none of none."""
    values = [float(one) for one in np.random.default_rng(1).normal(0, 1, 101)]
    table = ibis.memtable(pa.table({"amount": pa.array(values, pa.float64())}))

    assert _at_place(table, "amount", level) == pytest.approx(np.quantile(values, level))
    assert quantile(table, "amount", level) == pytest.approx(np.quantile(values, level))
    for find in (quantile, _at_place):
        assert find(table.filter(table.amount > 1e9), "amount", level) is None


@pytest.mark.parametrize("dialect", [*DIALECTS, "athena", "duckdb", "postgres"])
@pytest.mark.parametrize("kind", ["json", "string"])
def test_ids_are_read_by_a_function_that_reads_numbers_too(dialect: str, kind: str) -> None:
    """A cast of text to JSON makes a text of JSON in some, which would have no ids."""
    schema = {"event_id": "string", "ts_us": "int64", "event": "string", "value": "float64"}
    outcomes = ibis.table({**schema, "unit_ids": kind}, name="outcomes")
    query = str(ibis.to_sql(Events.of_journal(outcomes, "user-id", dialect).table, dialect=dialect))

    assert "user-id" in query
    if dialect != "postgres":
        assert "AS JSON" not in query
    for of_texts_alone in ("TYPE", "SCHEMA_OF_VARIANT", "UNWRAP", "AS_VARCHAR"):
        assert of_texts_alone not in query.upper()
