"""The shop in FastAPI: `python -m example_apps.shop_fastapi`."""
