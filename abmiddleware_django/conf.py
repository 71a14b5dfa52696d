"""The setting `EXPERIMENTS`: one dictionary, from which the engine is made on first use."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.utils.module_loading import import_string

from abmiddleware import ConfigurationError, Engine, VisitorCookie

SETTING: Final = "EXPERIMENTS"

#: Each key of the setting, and the argument of `Engine` that it becomes.
OPTIONS: Final = {
    "EXPERIMENTS": "experiments",
    "JOURNAL": "journal",
    "SINK": "sink",
    "COOKIE": "cookie",
    "ATTRIBUTES": "attributes",
    "RECORD_ATTRIBUTES": "record_attributes",
    "SERVICE": "service",
    "STRICT": "strict",
    "ENABLED": "enabled",
    "QA_MODE": "qa_mode",
    "FORCED_VARIATIONS": "forced_variations",
}


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return the engine that the setting describes.

    Raises:
        ConfigurationError: the setting is wrong; `manage.py check` shows the same.
        DefinitionError: an experiment in it is wrong.
    """
    made = engine_from(getattr(settings, SETTING, {}))
    made.in_debug(settings.DEBUG or _under_test())
    return made


def _under_test() -> bool:
    """Tell whether Django's test environment is set up; it is never loaded for that."""
    tests = sys.modules.get("django.test.utils")
    return hasattr(getattr(tests, "_TestState", None), "saved_data")


def forget_engine(*, setting: str, **_: object) -> None:
    """Drop the engine when the setting changes, as it does in tests."""
    if setting in (SETTING, "DEBUG"):
        engine.cache_clear()


def engine_from(options: object) -> Engine:
    """Make an engine from the setting's dictionary; dotted paths in it are imported.

    Raises:
        ConfigurationError: names the key and the mend.
        DefinitionError: an experiment is wrong.
    """
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"{SETTING}: is {options!r}, must be a dictionary")
    if "ENGINE" in options:
        return _ready_engine(options)
    for key in options:
        if key not in OPTIONS:
            known = ", ".join(["ENGINE", *OPTIONS])
            raise ConfigurationError(f"{SETTING}[{key!r}]: is unknown, must be one of {known}")
    arguments = {OPTIONS[key]: _option(key, value) for key, value in options.items()}
    try:
        return Engine(**arguments)
    except ConfigurationError as error:
        raise ConfigurationError(f"{SETTING}: {error}") from error


def _ready_engine(options: Mapping[str, Any]) -> Engine:
    if len(options) > 1:
        raise ConfigurationError(
            f"{SETTING}['ENGINE']: stands beside other keys, must be alone: "
            "the engine holds all options"
        )
    made = _imported("ENGINE", options["ENGINE"])
    if not isinstance(made, Engine):
        raise ConfigurationError(f"{SETTING}['ENGINE']: is {made!r}, must be an Engine")
    return made


def _option(key: str, value: Any) -> Any:
    if key == "COOKIE":
        return _cookie(value)
    if key == "ATTRIBUTES" and isinstance(value, Mapping):
        return {name: _imported(f"{key}.{name}", item) for name, item in value.items()}
    if key == "SINK":
        made = _imported(key, value)
        # A class that is named in a setting stands for an object of it, as elsewhere in Django.
        return made() if isinstance(value, str) and isinstance(made, type) else made
    return _imported(key, value) if key == "EXPERIMENTS" else value


def _cookie(value: Any) -> VisitorCookie:
    if isinstance(value, VisitorCookie):
        return value
    try:
        return VisitorCookie(**{name.lower(): item for name, item in value.items()})
    except (AttributeError, TypeError):
        raise ConfigurationError(
            f"{SETTING}['COOKIE']: is {value!r}, must be a dictionary with the keys of "
            "VisitorCookie, such as {'NAME': 'ab_id', 'DOMAIN': 'example.com'}"
        ) from None


def _imported(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ConfigurationError(
            f"{SETTING}[{key!r}]: {value!r} cannot be imported ({error}), must be the dotted path "
            "of an object in a module"
        ) from error
