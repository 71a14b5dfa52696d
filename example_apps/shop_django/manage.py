"""Django's commands: `python -m example_apps.shop_django.manage check`."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_apps.shop_django.settings")
    execute_from_command_line(sys.argv)
