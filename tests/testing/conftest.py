"""Suites within the suite."""

pytest_plugins = ["pytester"]
