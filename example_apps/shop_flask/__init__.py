"""The shop in Flask: `python -m example_apps.shop_flask`."""
