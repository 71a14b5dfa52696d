"""No visitor is ever taken for another, however many come at once and whatever happens to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from abmiddleware import JournalReader
from abmiddleware.exposures.records import ExposureRow, OutcomeRow
from tests.faults.conftest import Tell
from tests.faults.crowd import Crowd
from tests.faults.scale import LONG, times
from tests.faults.servers import Command, gunicorn, serving, uvicorn

APPS = "tests.faults.crowd_apps"
THREADS = ("--workers", "2", "--worker-class", "gthread", "--threads", "16")
GREENLETS = ("--workers", "2", "--worker-class", "gevent")

SERVERS: dict[str, Command] = {
    "starlette": uvicorn(app=f"{APPS}:starlette_app"),
    "fastapi": uvicorn(app=f"{APPS}:fastapi_app"),
    "flask-threads": gunicorn(*THREADS, app=f"{APPS}:flask_app"),
    "flask-gevent": gunicorn(*GREENLETS, app=f"{APPS}:flask_app"),
    "django-threads": gunicorn(*THREADS, app=f"{APPS}:django_wsgi()"),
    "django-gevent": gunicorn(*GREENLETS, app=f"{APPS}:django_wsgi()"),
    "django-asgi": uvicorn("--factory", app=f"{APPS}:django_asgi"),
}
REQUESTS, AT_ONCE = times(1_000, 100_000), times(100, 1_000)


@pytest.mark.parametrize("name", [one for one in SERVERS if LONG or one != "django-gevent"])
def test_nobody_is_taken_for_another(tmp_path: Path, name: str, tell: Tell) -> None:
    """Each answer, cookie and record of a crowd is of the visitor who asked, in every framework."""
    journal = tmp_path / "journal.jsonl"
    path = "/async" if name == "django-asgi" else "/"
    with serving(journal, SERVERS[name]) as server:
        crowd = Crowd(server.port, REQUESTS, AT_ONCE, path)
        crowd.come()

    assert crowd.mixed == []
    assert crowd.outcomes["200"] >= 0.75 * REQUESTS
    assert crowd.outcomes["500"] >= 0.05 * REQUESTS
    assert len(set(crowd.ids.values())) == len(crowd.ids)
    assert records_of_others(journal, crowd) == []
    tell(f"{REQUESTS:,} requests, {AT_ONCE} at once: {dict(crowd.outcomes)}, 0 mixed")


def records_of_others(journal: Path, crowd: Crowd) -> list[object]:
    """Return the records that name somebody else than the visitor who asked."""
    ids = set(crowd.ids.values())
    strange: list[object] = []
    for row in JournalReader(journal):
        if isinstance(row, OutcomeRow):
            number = int(row.properties["number"])
            account = row.unit_ids["account"]
            is_own = crowd.ids.get(number) in (row.unit_ids["id"], None)
            if not is_own or account != crowd.accounts[number]:
                strange.append(row)
        elif isinstance(row, ExposureRow) and row.unit_type == "id" and row.unit_id not in ids:
            strange.append(row)
    return strange
