"""A task of Django's own queue goes on with a request's work; there are some since Django 6."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path

from abmiddleware import Engine, MemorySink
from abmiddleware_django import conf
from tests.web.views import BUTTON, EXPERIMENTS


def bill(who: dict[str, Any]) -> str:
    """Return what a bill shows."""
    with conf.engine().client_from(who) as experiments:
        experiments.track("billed")
        return str(experiments.run(BUTTON).value)


def order(request: Any) -> HttpResponse:
    """Show a variation, and have a bill sent."""
    from django.tasks import task  # type: ignore[import-not-found, unused-ignore]

    shown = request.experiments.run(BUTTON).value
    sent = task(bill).enqueue(request.experiments.to_dict())
    return HttpResponse(f"{shown} {sent.return_value}")


urlpatterns = [path("order", order)]

if find_spec("django.tasks"):

    def test_a_task_of_django_shows_what_the_request_shows(sink: MemorySink) -> None:
        """Its arguments pass through JSON; the request records the exposure, and it alone."""
        engine = Engine(EXPERIMENTS, sink=sink)
        with override_settings(EXPERIMENTS={"ENGINE": engine}, ROOT_URLCONF=__name__):
            for _ in range(5):
                shown, billed = Client().get("/order").content.decode().split()
                assert shown == billed
        assert len(sink.exposures) == 5
        assert [one.unit_ids["id"] for one in sink.outcomes] == [
            one.unit_id for one in sink.exposures
        ]
