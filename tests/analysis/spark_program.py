"""Analyses an experiment in a Spark of this machine, and prints the analysis as JSON."""

from __future__ import annotations

import sys

import msgspec

from abmiddleware.analysis.analysing import analyse
from abmiddleware.analysis.warehouse import open_warehouse
from abmiddleware.design.designs import Designs
from abmiddleware.design.metrics import Measure, Metric
from abmiddleware.design.record import ExperimentRecord
from tests.analysis.records import AB, after

METRICS = {
    "conversion": Metric(kind="proportion", event="purchase", window_days=7),
    "revenue": Metric(kind="mean", event="purchase", cap=0.99, cuped_days=14, window_days=7),
    "order-value": Metric(
        kind="ratio", event="purchase", denominator=Measure(event="purchase", aggregate="count")
    ),
    "p90": Metric(kind="quantile", event="latency", level=0.9, direction="down"),
    "back": Metric(kind="retention", event="latency", after_days=1, window_days=9),
    "funnel": Metric(kind="funnel", steps=("latency", "purchase")),
}
RECORD = ExperimentRecord(
    goals=("conversion",),
    guardrails=("p90",),
    secondary=("revenue", "order-value", "back", "funnel"),
    start=after(0).date(),
    end=after(13).date(),
)
DESIGNS = Designs.of(METRICS, {"button": RECORD})


def main(lake: str) -> None:
    """Print it."""
    import ibis
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    for table in ("exposures", "outcomes", "suppressions"):
        session.read.parquet(f"{lake}/experiments/{table}").createOrReplaceTempView(table)
    warehouse = open_warehouse(ibis.pyspark.connect(session))
    analysis = analyse(AB, DESIGNS, warehouse, now=after(24))
    sys.stdout.write(msgspec.json.encode(analysis).decode() + "\n")
    session.stop()


if __name__ == "__main__":
    main(sys.argv[1])
