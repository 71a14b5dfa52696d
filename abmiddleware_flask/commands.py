"""`flask experiments …`: the commands of `abmiddleware`, with the application's engine."""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from abmiddleware import cli


@click.command(
    "experiments",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@with_appcontext
def commands(arguments: tuple[str, ...]) -> None:
    """Look after experiments; see `flask experiments --help`."""
    engine = current_app.extensions["abmiddleware"]
    code = cli.main(arguments, program="flask experiments", engine=lambda: engine)
    if code:
        sys.exit(code)
