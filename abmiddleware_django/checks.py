"""System checks: what is wrong with the setting shows in `manage.py check`, not in a request."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # Django's names
from django.utils.module_loading import import_string

from abmiddleware import ABMiddlewareError, DefinitionError, DocumentError, Engine, Journal
from abmiddleware_django import conf
from abmiddleware_django.middleware import ExperimentsMiddleware

MIDDLEWARE: Final = "abmiddleware_django.middleware.ExperimentsMiddleware"

_MUST_PRECEDE: Final = (
    "django.middleware.cache.UpdateCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


def check_settings(**_: Any) -> list[CheckMessage]:
    """Check the setting, the middleware's place, the cookie, the journal and the definitions."""
    try:
        engine = conf.engine()
    except DefinitionError as error:
        return [Error(str(error), id="abmiddleware.E004")]
    except DocumentError as error:
        return [Error(str(error), id="abmiddleware.E005")]
    except ABMiddlewareError as error:
        return [Error(str(error), id="abmiddleware.E001")]
    return [
        *_check_setting(),
        *_check_middleware(),
        *_check_cookie(engine),
        *_check_journal(engine),
        *_check_definitions(engine),
        *_check_users(engine),
    ]


def _check_setting() -> list[CheckMessage]:
    if hasattr(settings, conf.SETTING):
        return []
    return [
        Warning(
            "The setting EXPERIMENTS is missing, so no experiment is known by key and the journal "
            "lies in the working directory; must name both, such as "
            'EXPERIMENTS = {"ENGINE": "experiments.engine"}.',
            id="abmiddleware.W003",
        )
    ]


def _check_middleware() -> list[CheckMessage]:
    middleware: Sequence[str] = settings.MIDDLEWARE
    places = [place for place, path in enumerate(middleware) if _is_ours(path)]
    if len(places) != 1:
        return [
            Error(
                f"MIDDLEWARE lacks {MIDDLEWARE!r}, must have it once."
                if not places
                else f"MIDDLEWARE has {MIDDLEWARE!r} {len(places)} times, must have it once.",
                id="abmiddleware.E002",
            )
        ]
    own = places[0]
    return [
        Warning(
            f"MIDDLEWARE has {other} behind {MIDDLEWARE}, must have it before.",
            id="abmiddleware.W001",
        )
        for other in _MUST_PRECEDE
        if other in middleware[own:]
    ]


def _is_ours(path: str) -> bool:
    """Tell whether a path is our middleware, or a project's subclass of it."""
    found = _imported(path)
    return isinstance(found, type) and issubclass(found, ExperimentsMiddleware)


def _imported(path: str) -> object:
    try:
        return import_string(path)
    except Exception:  # noqa: BLE001  # Django tells of it itself
        return None


def _check_cookie(engine: Engine) -> list[CheckMessage]:
    taken = [
        name
        for name in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME")
        if getattr(settings, name) == engine.cookie.name
    ]
    return [
        Error(
            f"The visitor cookie has the name {engine.cookie.name!r} of {name}, must have its own.",
            id="abmiddleware.E003",
        )
        for name in taken
    ]


def _check_journal(engine: Engine) -> list[CheckMessage]:
    if not isinstance(engine.sink, Journal) or _is_writable(engine.sink.path):
        return []
    return [
        Warning(
            f"The journal {engine.sink.path} cannot be written, so every record would be lost; "
            "the path must be that of a file in a directory that the server may write to.",
            id="abmiddleware.W002",
        )
    ]


def _check_definitions(engine: Engine) -> list[CheckMessage]:
    """Compile all that is there already; what servers have is told of by `engine.health()`."""
    return [
        Warning(
            f"A part of the configuration cannot be used: {one.path}: {one.problem}",
            id="abmiddleware.W004",
        )
        for document in engine.snapshot.documents
        for one in document.check()
    ]


def _check_users(engine: Engine) -> list[CheckMessage]:
    is_needed = "user_id" in engine.snapshot.units and "user_id" not in engine.attributes
    if not is_needed or any(_is_authentication(path) for path in settings.MIDDLEWARE):
        return []
    return [
        Warning(
            "An experiment is randomised by user_id, but no middleware tells who is logged in, so "
            "nobody is in it: MIDDLEWARE must have "
            "'django.contrib.auth.middleware.AuthenticationMiddleware', or "
            "EXPERIMENTS['ATTRIBUTES'] a function for 'user_id'.",
            id="abmiddleware.W005",
        )
    ]


def _is_authentication(path: str) -> bool:
    found = _imported(path)
    # Its module cannot be imported where a project has no users.
    kinds = found.__mro__ if isinstance(found, type) else ()
    return any(f"{kind.__module__}.{kind.__name__}" == _MUST_PRECEDE[-1] for kind in kinds)


def _is_writable(path: Path) -> bool:
    # Not path.exists(): until Python 3.14 it raises where a directory may not be looked into.
    if os.path.exists(path):
        return path.is_file() and os.access(path, os.W_OK)
    parent = next(parent for parent in path.parents if os.path.exists(parent))
    return parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
