"""The settings: an app, a middleware and the setting `EXPERIMENTS` add abmiddleware."""

from __future__ import annotations

from example_apps.shop.serving import journal_path

SECRET_KEY = "of the example shop, which keeps no secrets"  # noqa: S105
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "example_apps.shop_django.urls"
WSGI_APPLICATION = "example_apps.shop_django.wsgi.application"
USE_TZ = True

INSTALLED_APPS = ["abmiddleware_django"]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "abmiddleware_django.middleware.ExperimentsMiddleware",
]

EXPERIMENTS = {
    "EXPERIMENTS": "example_apps.shop.experiments.EXPERIMENTS",
    "ATTRIBUTES": {"company": "example_apps.shop_django.attributes.company_of"},
    "JOURNAL": journal_path("shop-django"),
    "SERVICE": "shop-django",
}
