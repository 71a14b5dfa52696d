"""The ASGI application: `uvicorn example_apps.shop_django.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_apps.shop_django.settings")
application = get_asgi_application()
