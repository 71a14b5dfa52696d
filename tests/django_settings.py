"""The settings of the Django project that tests run in."""

SECRET_KEY = "tests"  # noqa: S105  # protects nothing
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.web.sites.django_site"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "abmiddleware_django",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
#: Else each user of a test costs a second.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIDDLEWARE = ["abmiddleware_django.middleware.ExperimentsMiddleware"]
EXPERIMENTS: dict[str, object] = {}
USE_TZ = True
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": ["abmiddleware_django.context_processors.experiments"],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "OPTIONS": {
            "environment": "tests.web.sites.django_handlers.environment",
            "context_processors": ["abmiddleware_django.context_processors.experiments"],
        },
    },
]
