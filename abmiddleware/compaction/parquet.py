"""Writes rows as Parquet, and reads back how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

from abmiddleware.agent.tables import arrow_table
from abmiddleware.extras import required

#: Rows of a row group; so many are in memory at once.
ROW_GROUP: Final = 65_536

# Measured on exposures with random ids: 11.6 times smaller than JSON, and 9.7 times with pyarrow's
# own choice, which makes a dictionary also of values that hardly ever come twice.
_ENCODINGS: Final = {
    "ts_us": "DELTA_BINARY_PACKED",
    "ts": "DELTA_BINARY_PACKED",
    "event_id": "DELTA_BYTE_ARRAY",
    **dict.fromkeys(
        ("unit_id", "alt_ids", "trace_id", "unit_ids", "id_a", "id_b"), "DELTA_LENGTH_BYTE_ARRAY"
    ),
}


def pyarrow() -> Any:
    """Return the package that reads and writes Parquet.

    Raises:
        ConfigurationError: it is not installed.
    """
    return required("pyarrow.parquet", "warehouse", "abmiddleware compact")


def write(path: Path, table: str, rows: Iterable[Any], advance: Callable[[int], None]) -> int:
    """Write rows to a file, and have the disk keep it; return how many there were.

    Args:
        path: of the file, which is replaced.
        table: whose columns it gets.
        rows: in their order.
        advance: is told the rows of each group that was written.

    Raises:
        OSError: it cannot be written.
    """
    parquet, left, count = pyarrow(), iter(rows), 0
    schema = arrow_table(table, []).schema
    encodings = {name: kind for name, kind in _ENCODINGS.items() if name in schema.names}
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    with open(os.open(path, flags, 0o640), "w+b") as file:  # the rights of the journal
        with parquet.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_dictionary=[name for name in schema.names if name not in encodings],
            column_encoding=encodings,
            write_page_checksum=True,
        ) as writer:
            while group := list(islice(left, ROW_GROUP)):
                writer.write_table(arrow_table(table, group))
                count += len(group)
                advance(len(group))
        file.flush()
        os.fsync(file.fileno())
    return count


def read_back(path: Path) -> int:
    """Return the rows of a file, each of whose pages was read and had the right checksum.

    Raises:
        OSError: it cannot be read, or is not whole.
        ValueError: it is no Parquet file.
    """
    with pyarrow().ParquetFile(path, page_checksum_verification=True) as file:
        return sum(batch.num_rows for batch in file.iter_batches(ROW_GROUP))
