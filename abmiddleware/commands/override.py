"""Sign an override, by which one of the team sees the variation of their choice."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from abmiddleware.exceptions import ConfigurationError
from abmiddleware.identity import VisitorCookie
from abmiddleware.overrides import Overrides

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
    overrides = Overrides(_secret(options), cookie=VisitorCookie(options.name))
    token = overrides.token(
        dict(map(_pair, options.values)),
        lifetime=options.hours * 3600,
        host=options.host,
        path=options.path,
    )
    told = _link(options.url, options.name, token) if options.url else token
    sys.stdout.write(f"{told}\n")
    return 0


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
