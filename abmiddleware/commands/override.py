"""Sign an override, by which one of the team sees the variation of their choice."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from abmiddleware.commands.engines import add_engine_argument, engine_of
from abmiddleware.evaluation.naming import index_of, shown_names
from abmiddleware.exceptions import ConfigurationError
from abmiddleware.identity import VisitorCookie
from abmiddleware.overrides import Overrides
from abmiddleware.snapshot import Snapshot

#: Where the secret is, if nothing else says so: what stands on a command line is seen by others.
_VARIABLE: Final = "ABMIDDLEWARE_OVERRIDE_SECRET"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "values",
        nargs="+",
        metavar="KEY=VARIATION",
        help="an experiment and its variation, by name, value or index; or a feature and its value",
    )
    add_engine_argument(parser)
    parser.add_argument(
        "--hours", type=float, default=8.0, help="until it ends, 720 at most (%(default)g)"
    )
    parser.add_argument("--host", default="", help="that it is for alone, as staging.example.com")
    parser.add_argument(
        "--path", default="", help="that it is for alone; with / at the end all below"
    )
    parser.add_argument("--url", default="", help="of a page: print the link instead of the token")
    parser.add_argument("--name", default="ab_override", help="of the cookie (%(default)s)")
    parser.add_argument(
        "--secret-file", metavar="FILE", help=f"the secret that signs; else {_VARIABLE} is it"
    )


def run(options: argparse.Namespace) -> int:
    """Print the token, or a link with it; return the exit code.

    Raises:
        ConfigurationError: an argument is wrong, or there is no secret.
        OSError: the file of the secret cannot be read.
    """
    values = dict(map(_pair, options.values))
    overrides = _overrides(options, values)
    token = overrides.token(
        values,
        lifetime=options.hours * 3600,
        host=options.host,
        path=options.path,
    )
    told = _link(options.url, overrides.name, token) if options.url else token
    sys.stdout.write(f"{told}\n")
    return 0


def _overrides(options: argparse.Namespace, values: Mapping[str, str]) -> Overrides:
    """Return what signs: the engine's own, which must know what is asked for, or the secret.

    Raises:
        ConfigurationError: the engine follows no link, or knows no such variation; or there is no
            secret.
        OSError: the file of the secret cannot be read.
    """
    if getattr(options, "engine", None) is None:
        return Overrides(_secret(options), cookie=VisitorCookie(options.name))
    engine = engine_of(options)
    if engine.overrides is None:
        raise ConfigurationError(
            "overrides: the engine has none, so it follows no link: must have "
            "Engine(overrides=Overrides(secret)), in Django EXPERIMENTS['OVERRIDES']"
        )
    for key, value in values.items():
        _check(engine.snapshot, key, value)
    if options.secret_file:
        return Overrides(_secret(options), cookie=engine.overrides.cookie)
    return engine.overrides


def _check(snapshot: Snapshot, key: str, value: str) -> None:
    """See that a configuration knows a key, and the variation of an experiment.

    Raises:
        ConfigurationError: it does not.
    """
    known = [*snapshot.plans.known(), *snapshot.features.known(), *snapshot.rule_keys()]
    if known and key not in known:
        near = ", ".join(map(repr, get_close_matches(key, known, 3) or sorted(known)[:3]))
        raise ConfigurationError(f"{key!r}: is known to nobody, must be one such as {near}")
    if key in snapshot.plans and key not in snapshot.flags:
        arms = snapshot.plans[key].parts.arms
        if index_of(arms, value) is None:
            names = shown_names(arms)
            raise ConfigurationError(f"{key}: has no variation {value!r}, must be one of {names}")


def _secret(options: argparse.Namespace) -> Any:
    if options.secret_file:
        return Path(options.secret_file).read_text().strip()
    known = os.environ.get(_VARIABLE) or getattr(options, "secret", None)
    if not known:
        raise ConfigurationError(
            f"secret: is missing, must be in {_VARIABLE} or --secret-file, as it is in "
            "Engine(overrides=Overrides(secret))"
        )
    return known


def _pair(text: str) -> tuple[str, str]:
    key, _, value = text.rpartition("=")
    if not key or not value:
        raise ConfigurationError(f"{text!r}: must be KEY=VARIATION, as checkout-button=one-click")
    return key, value


def _link(url: str, name: str, token: str) -> str:
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        raise ConfigurationError(f"url: is {url!r}, must be a whole one, as https://shop.example/")
    kept = [pair for pair in parts.query.split("&") if pair and pair.split("=")[0] != name]
    query = "&".join([*kept, f"{name}={token}"])
    return urlunsplit(parts._replace(query=query))
