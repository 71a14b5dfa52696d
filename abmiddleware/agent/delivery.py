"""Delivers tables by dlt: one load package at a time, confirmed or repeated."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from abmiddleware.agent.destinations import Destination
from abmiddleware.agent.tables import json_columns
from abmiddleware.extras import required

if TYPE_CHECKING:
    from pyarrow import Table

#: dlt's configuration, where the environment does not say otherwise.
_DEFAULTS: Final = {
    "RUNTIME__LOG_LEVEL": "CRITICAL",  # what fails is told by the agent
    "LOAD__DELETE_COMPLETED_JOBS": "true",
    "LOAD__RAISE_ON_MAX_RETRIES": "2",  # the agent tries again, and says so
}
#: What must not be otherwise.
_FIXED: Final = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",  # nobody is told who delivers what
    "RUNTIME__INTERCEPT_SIGNALS": "false",
    "RESTORE_FROM_DESTINATION": "false",  # the agent keeps its own state
    "LOAD__RAISE_ON_FAILED_JOBS": "true",
    "LOAD__AUTO_ABORT_ON_TERMINAL_ERROR": "true",
}
_PIPELINE: Final = "abmiddleware_agent"


class RefusedError(Exception):
    """The destination will not take this package, however often it is tried."""


class Delivery:
    """Hands batches to dlt; all its files are in one directory.

    Args:
        destination: where to.
        directory: of dlt.
        dataset: the schema or folder of the tables.

    Raises:
        ConfigurationError: dlt is not installed.
    """

    def __init__(self, destination: Destination, directory: Path, dataset: str) -> None:
        os.environ.update(_FIXED, DLT_DATA_DIR=str(directory))
        for name, value in _DEFAULTS.items():
            os.environ.setdefault(name, value)
        self._dlt = required("dlt", "warehouse", "the agent")
        self.destination = destination
        self._directory = directory / "pipelines"
        self._dataset = dataset
        #: Whether there may be something left of a delivery that failed, or of another process.
        self._is_free = False

    def take(self, tables: Mapping[str, Table], day: str, batch: str) -> str:
        """Write tables to disk as a load package; return its id.

        What was taken before and has not arrived is given up.
        """
        pipeline = self._pipeline(day, batch)
        if pipeline.has_pending_data:
            pipeline.abort_packages()
        info = pipeline.extract(
            [self._resource(name, table) for name, table in tables.items()],
            loader_file_format=self.destination.file_format,
        )
        (package,) = info.loads_ids
        return str(package)

    def finish(self, package: str, day: str, batch: str) -> bool:
        """Load a package that was taken; tell whether it has arrived.

        False means that the package is not there, and must be taken again.

        Raises:
            RefusedError: the destination takes everything else, but not this.
            Exception: it did not work, and may later.
        """
        pipeline = self._pipeline(day, batch)
        self._free()
        try:
            pipeline.normalize()
            pipeline.load()
        except Exception as error:
            self._is_free = False
            if _is_terminal(error):
                raise RefusedError(told(error)) from error
            raise
        if package not in pipeline.list_completed_load_packages():
            return False
        arrived = pipeline.get_load_package_info(package).state == "loaded"
        if arrived:
            self.destination.publish(day, batch)
        self._clean(pipeline)
        return bool(arrived)

    def _free(self) -> None:
        if not self._is_free:
            self.destination.free()
            self._is_free = True

    def _pipeline(self, day: str, batch: str) -> Any:
        return self._dlt.pipeline(
            _PIPELINE,
            pipelines_dir=str(self._directory),
            destination=self.destination.made(self._dlt, day, batch),
            dataset_name=self._dataset,
        )

    def _resource(self, name: str, table: Table) -> Any:
        columns: dict[str, dict[str, object]] = {
            column: {"data_type": "json", "nullable": False} for column in json_columns(name)
        }
        columns["event_id"] = {"unique": True, "nullable": False}
        return self._dlt.resource(
            [table],
            name=name,
            primary_key="event_id",
            write_disposition=self._disposition(),
            columns=columns,
        )

    def _disposition(self) -> object:
        if self.destination.by_day:
            return "append"  # a file replaces the one of the same batch
        made = self.destination.made(self._dlt, "", "")
        strategies = made.capabilities().supported_merge_strategies or ()
        # What is there stays: the earliest of several sights counts.
        return (
            {"disposition": "merge", "strategy": "insert-only"}
            if ("insert-only" in strategies)
            else "merge"
        )

    def _clean(self, pipeline: Any) -> None:
        """Remove what dlt keeps of packages that have arrived."""
        loaded = Path(pipeline.working_dir) / "load" / "loaded"
        with suppress(OSError):
            for place in loaded.iterdir():
                shutil.rmtree(place, ignore_errors=True)


def _is_terminal(error: BaseException) -> bool:
    from dlt.load.exceptions import LoadClientJobFailed

    found: BaseException | None = error
    while found is not None:
        if isinstance(found, LoadClientJobFailed):
            return True
        found = getattr(found, "exception", None) or found.__cause__
    return False


def told(error: BaseException) -> str:
    """Return what is wrong at its root, on one line."""
    root: BaseException = error
    while isinstance(cause := root.__cause__ or getattr(root, "exception", None), BaseException):
        if cause is root:
            break
        root = cause
    # A job that failed tells of it by a traceback, whose first line at the margin is the error.
    lines = str(getattr(root, "failed_message", "")).strip().splitlines()
    plain = [line for line in lines if not line.startswith((" ", "Traceback"))]
    text = "\n".join(plain) or f"{type(root).__name__}: {root}"
    return " ".join(text.split())[:500]
