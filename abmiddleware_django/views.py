"""Views that an application may route to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from abmiddleware_django import conf


@require_safe
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """Tell how this process' engine is doing, as JSON; for a monitoring system, not for visitors.

    path("internal/experiments/health", health)
    """
    return HttpResponse(conf.engine().health().json(), content_type="application/json")
