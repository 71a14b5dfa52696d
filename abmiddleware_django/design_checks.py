"""System checks of metrics and records: the file always, what lint finds with `--deploy`."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Info, Warning  # noqa: A004  # Django's names

from abmiddleware import ABMiddlewareError
from abmiddleware.commands import teams
from abmiddleware.commands.lint import findings
from abmiddleware.design.designs import Designs, read_designs
from abmiddleware.design.ledger import Ledger
from abmiddleware.design.lint.finding import Finding
from abmiddleware_django import conf


def check_designs(**_: Any) -> list[CheckMessage]:
    """Check that the file of metrics and records, and the ledger, can be used."""
    try:
        _files()
    except (ABMiddlewareError, OSError) as error:
        return [Error(str(error), id="abmiddleware.E006")]
    return []


def check_lint(**_: Any) -> list[CheckMessage]:
    """Check experiments by the rules of lint."""
    try:
        designs, ledger = _files()
        if not designs.experiments:
            return []
        teams.need_analysis("the check of experiments")
        found = findings(conf.engine(), designs, ledger)
    except (ABMiddlewareError, OSError) as error:
        return [Warning(str(error), id="abmiddleware.W010")]
    return [_message(one) for one in found]


def _message(finding: Finding) -> CheckMessage:
    match finding.level:
        case "error":
            return Error(str(finding), id="abmiddleware.E007")
        case "warning":
            return Warning(str(finding), id="abmiddleware.W009")
    return Info(str(finding), id="abmiddleware.I001")


def _files() -> tuple[Designs, Ledger]:
    designs = conf.file_of("DESIGNS")
    ledger = Ledger(conf.file_of("LEDGER") or teams.LEDGER)
    return (Designs() if designs is None else read_designs(designs)), ledger
