"""What every template may name."""

from __future__ import annotations

from django.http import HttpRequest


def experiments(request: HttpRequest) -> dict[str, object]:
    """Offer the client as `experiments`, which asks nothing until a template does."""
    client = getattr(request, "experiments", None)
    return {} if client is None else {"experiments": client}
