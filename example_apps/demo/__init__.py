"""Sends a shop visitors and reads its journal: `python -m example_apps.demo`."""
