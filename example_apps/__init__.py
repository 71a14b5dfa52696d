"""A small shop in Django, Flask and FastAPI, and a demonstration that sends it visitors."""
