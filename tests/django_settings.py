"""The settings of the Django project that tests run in."""

SECRET_KEY = "tests"  # noqa: S105  # protects nothing
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.web.sites.django_site"
INSTALLED_APPS = ["django.contrib.contenttypes", "abmiddleware_django"]
MIDDLEWARE = ["abmiddleware_django.middleware.ExperimentsMiddleware"]
EXPERIMENTS: dict[str, object] = {}
USE_TZ = True
