"""The setting `EXPERIMENTS`: one dictionary, from which the engine is made on first use."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string

from abmiddleware import (
    Baggage,
    ConfigurationError,
    Engine,
    IdHeader,
    Overrides,
    Telemetry,
    VisitorCookie,
)
from abmiddleware_django.signals import send

T = TypeVar("T")

SETTING: Final = "EXPERIMENTS"

#: Each key of the setting, and the argument of `Engine` that it becomes.
OPTIONS: Final = {
    "EXPERIMENTS": "experiments",
    "SOURCES": "sources",
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
    "FORCED_FEATURES": "forced_features",
    "QUERY_OVERRIDES": "query_overrides",
    "STICKY": "sticky",
    "REDIRECTS": "redirects",
    "REDIRECT_HOSTS": "redirect_hosts",
    "ON_FEATURE_USAGE": "on_feature_usage",
    "TELEMETRY": "telemetry",
    "CONSENT": "consent",
    "EXCLUDE": "exclude",
    "EXEMPT_PATHS": "exempt_paths",
    "COUNT_PREFETCH": "count_prefetch",
    "OVERRIDES": "overrides",
    "ID_HEADER": "id_header",
    "COUNTRY_HEADER": "country_header",
    "BAGGAGE": "baggage",
}

#: Keys that no engine needs: where metrics and records are, and the history of experiments.
FILES: Final = ("DESIGNS", "LEDGER")

#: Keys whose value may be the dotted path of an object.
DOTTED: Final = (
    "EXPERIMENTS",
    "SOURCES",
    "STICKY",
    "ON_FEATURE_USAGE",
    "TELEMETRY",
    "CONSENT",
    "EXCLUDE",
)


@lru_cache(maxsize=1)
def engine() -> Engine:
    """Return the engine that the setting describes.

    Raises:
        ConfigurationError: the setting is wrong; `manage.py check` shows the same.
        DefinitionError: an experiment in it is wrong.
    """
    made = engine_from(getattr(settings, SETTING, {}))
    made.in_debug(settings.DEBUG or _under_test())
    made.on_exposure(send)
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
    options = {key: value for key, value in options.items() if key not in FILES}
    if "ENGINE" in options:
        return _ready_engine(options)
    for key in options:
        if key not in OPTIONS:
            known = ["ENGINE", *OPTIONS, *FILES]
            near = get_close_matches(str(key).upper(), known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"must be one of {', '.join(known)}"
            raise ConfigurationError(f"{SETTING}[{key!r}]: is unknown, {hint}")
    arguments = {OPTIONS[key]: _option(key, value) for key, value in options.items()}
    try:
        return Engine(**arguments)
    except ConfigurationError as error:
        raise _located(error) from error


def file_of(key: str) -> str | None:
    """Return the path of one of `FILES`; None where the setting has none.

    Raises:
        ConfigurationError: it is no path.
    """
    told = getattr(settings, SETTING, None)
    path = told.get(key) if isinstance(told, Mapping) else None
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise ConfigurationError(f"{SETTING}[{key!r}]: is {path!r}, must be a path")
    return None if path is None else os.fspath(path)


def _located(error: ConfigurationError) -> ConfigurationError:
    """Name the key of the setting in place of the argument that it becomes."""
    message = str(error)
    for key, argument in OPTIONS.items():
        if re.match(rf"{argument}\b", message):
            return ConfigurationError(f"{SETTING}[{key!r}]{message[len(argument) :]}")
    return error


def _ready_engine(options: Mapping[str, Any]) -> Engine:
    if len(options) > 1:
        raise ConfigurationError(
            f"{SETTING}['ENGINE']: stands beside other keys, must be alone: "
            "the engine holds all options"
        )
    made = _imported("['ENGINE']", options["ENGINE"])
    if not isinstance(made, Engine):
        raise ConfigurationError(f"{SETTING}['ENGINE']: is {made!r}, must be an Engine")
    return made


def _option(key: str, value: Any) -> Any:
    if key == "COOKIE":
        return _object(key, VisitorCookie, value, "{'NAME': 'ab_id', 'DOMAIN': 'example.com'}")
    if key == "TELEMETRY" and isinstance(value, Mapping):
        return _object(key, Telemetry, value, "{'EVENTS': 'both'}")
    if key == "OVERRIDES" and isinstance(value, Mapping):
        return _overrides(value)
    if key == "ID_HEADER" and isinstance(value, Mapping):
        trusted = _imported("['ID_HEADER']['TRUSTED']", value.get("TRUSTED"))
        options = {**value, "TRUSTED": trusted}
        return _object(key, IdHeader, options, "{'NAME': 'x-device-id', 'TRUSTED': 'shop.trusts'}")
    if key == "BAGGAGE" and isinstance(value, Mapping):
        trusted = _imported("['BAGGAGE']['TRUSTED']", value.get("TRUSTED"))
        options = {**value, "TRUSTED": trusted}
        return _object(key, Baggage, options, "{'ACCEPT': ['checkout'], 'TRUSTED': 'shop.trusts'}")
    if key == "ATTRIBUTES" and isinstance(value, Mapping):
        return {name: _imported(f"[{key!r}][{name!r}]", item) for name, item in value.items()}
    if key == "SINK":
        return _sink(value)
    return _imported(f"[{key!r}]", value) if key in DOTTED else value


def _overrides(options: Mapping[str, Any]) -> Overrides:
    """Make them of their options; the project's own secret signs unless another one is given."""
    made = {"SECRET": settings.SECRET_KEY, **options}
    made["ALLOW"] = _imported("['OVERRIDES']['ALLOW']", made.get("ALLOW"))
    if isinstance(cookie := made.get("COOKIE"), Mapping):
        named = {"NAME": "ab_override", "MAX_AGE": 8 * 3600, **cookie}
        made["COOKIE"] = _object("COOKIE", VisitorCookie, named, "{'NAME': 'ab_override'}")
    return _object("OVERRIDES", Overrides, made, "{'ALLOW': 'abmiddleware.is_staff'}")


def _sink(value: Any) -> Any:
    made = _imported("['SINK']", value)
    if not (isinstance(value, str) and isinstance(made, type)):
        return made
    try:
        return made()  # a class named in a setting stands for an object, as elsewhere in Django
    except Exception as error:
        raise ConfigurationError(
            f"{SETTING}['SINK']: {value!r} cannot be made without arguments ({error!r}), must be "
            "an object, or the dotted path of one"
        ) from error


def _object(key: str, kind: type[T], value: Any, such_as: str) -> T:
    """Make an object of its options, whose names are in capitals, as all of Django's."""
    if isinstance(value, kind):
        return value
    try:
        return kind(**{name.lower(): item for name, item in value.items()})
    except ConfigurationError as error:
        raise _located(error) from error
    except (AttributeError, TypeError):
        raise ConfigurationError(
            f"{SETTING}[{key!r}]: is {value!r}, must be a dictionary with the keys of "
            f"{kind.__name__}, such as {such_as}"
        ) from None


def _imported(place: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ConfigurationError(
            f"{SETTING}{place}: {value!r} cannot be imported ({error}), must be the dotted path "
            "of an object in a module"
        ) from error
