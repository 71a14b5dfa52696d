"""`manage.py experiments …`: the commands of `abmiddleware`, with the project's settings."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from abmiddleware import cli
from abmiddleware.exceptions import ABMiddlewareError
from abmiddleware_django import conf
from abmiddleware_django.conf import SETTING


class Command(BaseCommand):
    """Runs a command with the journal and the secret that `EXPERIMENTS` names."""

    help = "Look after experiments; see `manage.py experiments COMMAND --help`."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the commands, each with the project's engine, journal and secret."""
        cli.add_commands(
            parser,
            journal=_journal(),
            secret=_secret(),
            engine=conf.engine,
            designs=conf.file_of("DESIGNS"),
            ledger=conf.file_of("LEDGER"),
        )

    def handle(self, *_: object, **options: Any) -> None:
        """Run the command.

        Raises:
            CommandError: it was told something wrong, or has failed.
        """
        try:
            code = cli.run_command(options)
        except (ABMiddlewareError, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        if code:
            raise SystemExit(code)


def _journal() -> str | None:
    told = getattr(settings, SETTING, None)
    journal = told.get("JOURNAL") if isinstance(told, Mapping) else None
    return os.fspath(journal) if isinstance(journal, (str, os.PathLike)) else None


def _secret() -> object:
    told = getattr(settings, SETTING, None)
    overrides = told.get("OVERRIDES") if isinstance(told, Mapping) else None
    own = overrides.get("SECRET") if isinstance(overrides, Mapping) else None
    return own or settings.SECRET_KEY or None
