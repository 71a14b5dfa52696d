"""abmiddleware for Django.

    INSTALLED_APPS = [..., "abmiddleware_django"]
    MIDDLEWARE = [..., "abmiddleware_django.middleware.ExperimentsMiddleware"]
    EXPERIMENTS = {"EXPERIMENTS": "shop.experiments.EXPERIMENTS"}

Nothing of Django is imported here: its app must be importable before the settings are ready.
"""

from typing import TYPE_CHECKING

from abmiddleware_django.decorators import experiment, variations

if TYPE_CHECKING:
    from abmiddleware_django.middleware import attach as attach

__all__ = ["attach", "experiment", "variations"]


def __getattr__(name: str) -> object:
    if name == "attach":  # which needs Django
        from abmiddleware_django.middleware import attach

        return attach
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
