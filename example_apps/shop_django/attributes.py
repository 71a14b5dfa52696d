"""What the experiments may know of a request."""

from __future__ import annotations

from django.http import HttpRequest

from example_apps.shop.experiments import company_id


def company_of(request: HttpRequest) -> str | None:
    """Return the attribute `company` of a request; called only when an experiment reads it."""
    return company_id(request.headers.get("X-Company") or request.GET.get("company"))
