"""Records of an experiment as visits leave them, made by DuckDB since Python takes minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Of every exposure, how many units and how many outcomes there are: most come once.
UNITS: Final = 0.8
OUTCOMES: Final = 0.4
#: The journal's first instant, in microseconds since 1970, and the days that it covers.
START_US: Final = 1_793_750_400_000_000
DAYS: Final = 14
_DAY: Final = 86_400_000_000

_EXPOSURES: Final = """
SELECT 1::SMALLINT AS v, 'exposure' AS type, md5('e' || i) AS event_id, ts_us,
  strftime(make_timestamp(ts_us), '%Y-%m-%dT%H:%M:%S.%fZ') AS ts,
  'checkout-button' AS experiment_key, 0::INTEGER AS phase, arm::VARCHAR AS variation_key,
  arm AS variation_id, 'id' AS unit_type, left(md5(unit::VARCHAR), 22) AS unit_id,
  '{{}}' AS alt_ids, 'exposed' AS kind, false AS forced, '{{}}' AS attributes,
  '9e715deb6a976b47' AS config_hash, NULL AS feature_key, NULL AS trace_id, 'shop' AS service,
  'abmiddleware/0.1.0' AS sdk
FROM (SELECT i, unit, (hash(unit, 2) % 2)::INTEGER AS arm,
    {start} + (i * {days}.0 * {day} / {count})::BIGINT AS ts_us
  FROM (SELECT i, (hash(i, 1) % {units})::BIGINT AS unit FROM range({count}) t(i)))
"""
_OUTCOMES: Final = """
SELECT 1::SMALLINT AS v, 'outcome' AS type, md5('o' || i) AS event_id, ts_us,
  strftime(make_timestamp(ts_us), '%Y-%m-%dT%H:%M:%S.%fZ') AS ts, 'purchase' AS event,
  round((hash(i, 3) % 10000) / 100.0, 2)::DOUBLE AS value,
  '{{"id":"' || left(md5(unit::VARCHAR), 22) || '"}}' AS unit_ids, '{{}}' AS properties,
  'shop' AS service, 'abmiddleware/0.1.0' AS sdk
FROM (SELECT i, (hash(i, 4) % {units})::BIGINT AS unit,
    {start} - 14 * {day} + (i * ({days}.0 + 21) * {day} / {outcomes})::BIGINT AS ts_us
  FROM range({outcomes}) t(i))
"""
#: Columns that are objects within a line.
_OBJECTS: Final = {
    "exposures": "alt_ids::JSON AS alt_ids, attributes::JSON AS attributes",
    "outcomes": "unit_ids::JSON AS unit_ids, properties::JSON AS properties",
}


def write_lake(directory: Path, count: int) -> None:
    """Write them as `abmiddleware compact` does: Parquet, by table and day."""
    for table, query in _queries(count).items():
        day = "CAST(make_timestamp(ts_us) AS DATE)"
        rows = f"SELECT *, {day} AS dt FROM ({query})"  # noqa: S608  # our own text
        form = "FORMAT parquet, COMPRESSION zstd, PARTITION_BY (dt)"
        _run(f"COPY ({rows}) TO '{directory}/{table}' ({form})")


def write_journal(directory: Path, count: int) -> None:
    """Write them as the journal does, into a file of exposures and one of outcomes."""
    for table, query in _queries(count).items():
        columns = f"SELECT * REPLACE ({_OBJECTS[table]}) FROM ({query})"  # noqa: S608  # our own
        _run(f"COPY ({columns}) TO '{directory}/{table}.jsonl' (FORMAT json)")


def _queries(count: int) -> dict[str, str]:
    places = {
        "count": count,
        "units": round(count * UNITS),
        "outcomes": round(count * OUTCOMES),
        "start": START_US,
        "days": DAYS,
        "day": _DAY,
    }
    return {"exposures": _EXPOSURES.format(**places), "outcomes": _OUTCOMES.format(**places)}


def _run(query: str) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '2GB'")
        connection.execute("SET enable_progress_bar = false")
        connection.execute(query)
