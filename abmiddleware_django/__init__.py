"""abmiddleware for Django.

    INSTALLED_APPS = [..., "abmiddleware_django"]
    MIDDLEWARE = [..., "abmiddleware_django.middleware.ExperimentsMiddleware"]
    EXPERIMENTS = {"EXPERIMENTS": "shop.experiments.EXPERIMENTS"}

Nothing of Django is imported here: its app must be importable before the settings are ready.
"""

from abmiddleware_django.decorators import experiment, variations

__all__ = ["experiment", "variations"]
