"""The WSGI application: `gunicorn example_apps.shop_django.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_apps.shop_django.settings")
application = get_wsgi_application()
