"""The shop in Django: `python -m example_apps.shop_django`."""
