"""abmiddleware for Django.

    INSTALLED_APPS = [..., "abmiddleware_django"]
    MIDDLEWARE = [..., "abmiddleware_django.middleware.ExperimentsMiddleware"]
    EXPERIMENTS = {"EXPERIMENTS": "shop.experiments.EXPERIMENTS"}

Nothing is imported here: a Django app must be importable before the settings are ready.
"""
