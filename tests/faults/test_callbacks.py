"""A team's own functions that misbehave break no page and flood no log."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow
from tests.faults.conftest import Tell
from tests.faults.scale import LONG
from tests.faults.servers import gunicorn, serving

#: What is to be read in the log, once; "" where there is nothing to say.
FAULTS = {
    "resolver-raises": "attribute 'country' counts as missing: its function raised",
    "resolver-overflows": "attribute 'country' counts as missing: its function raised",
    "resolver-nonsense": "attribute 'country' counts as missing",
    "usage-raises": "on_feature_usage raised",
    "usage-overflows": "on_feature_usage raised",
    "usage-nonsense": "",
    "sink-raises": "records lost (sink failed",
    "sink-overflows": "records lost (sink failed",
}
ONE_WORKER = ("--workers", "1", "--worker-class", "gthread", "--threads", "4")
APP = "tests.faults.callback_app:app"


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if LONG or not fault.endswith("overflows")]
)
def test_a_faulty_function_breaks_no_page(tmp_path: Path, fault: str, tell: Tell) -> None:
    """Each of a hundred requests is answered, with its records, and the log has one line of it."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, gunicorn(*ONE_WORKER, app=APP), FAULT=fault) as server:
        answers = [server.get(number) for number in range(100)]
        server.stop()

    assert [answer["country"] for answer in answers] == [not fault.startswith("resolver")] * 100
    if fault.startswith("sink"):
        assert answers[-1]["lost"] == {"sink failed": 198}  # two each of those before
    else:
        rows = [row for row in JournalReader(journal) if isinstance(row, ExposureRow)]
        assert {row.unit_id for row in rows} == {answer["unit_id"] for answer in answers}
    if FAULTS[fault]:
        assert server.log().count(FAULTS[fault]) == 1
    tell("100 of 100 requests answered, one line in the log")


@pytest.mark.parametrize("fault", ["resolver-hangs", "sink-hangs"])
def test_a_function_that_hangs_holds_up_its_own_request_only(tmp_path: Path, fault: str) -> None:
    """A resolver or a sink is called in the request that needs it; the others are served on."""
    journal = tmp_path / "journal.jsonl"
    with serving(journal, gunicorn(*ONE_WORKER, app=APP), FAULT=fault) as server:
        server.get(0)
        ended: list[float] = []

        def hang() -> None:
            server.get(1, "&hang=yes")
            ended.append(time.monotonic())

        thread = threading.Thread(target=hang)
        thread.start()
        for number in range(50):
            server.get(number)
        assert ended == []
        thread.join(30)
        assert len(ended) == 1
