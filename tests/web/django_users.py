"""People who are logged in to a Django site, with a real database."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import User
from django.test import override_settings

MIDDLEWARE: Final = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "abmiddleware_django.middleware.ExperimentsMiddleware",
]


def project(options: dict[str, Any]) -> override_settings:
    """Return the settings of a project whose people log in."""
    return override_settings(EXPERIMENTS=options, MIDDLEWARE=MIDDLEWARE)


def person(name: str, *, is_staff: bool = False) -> User:
    """Return a user, who is made on first sight."""
    found: User = User.objects.get_or_create(username=name, defaults={"is_staff": is_staff})[0]
    return found
