"""The views of the behaviour suite, the same for every framework."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from abmiddleware import Experiment, ExperimentClient, Result

BUTTON = Experiment("checkout-button", ["control", "one-click"], hash_version=2)
COMPANY = Experiment("terms", ["now", "30-days"], hash_version=2, hash_attribute="company")
NOBODY = Experiment("nobody", ["off", "on"], coverage=0.0, hash_version=2)
EXPERIMENTS = [BUTTON, COMPANY, NOBODY]

#: Whose values a template must escape.
MARKUP = Experiment("markup", ["<b>old</b>", "<i>new</i>"], hash_version=2)

#: Templates of Jinja, by name; those of Django that differ are in its site.
TEMPLATES = {
    "quiet": "nothing {{ 'asked' }}",
    "shown": "{{ variation('checkout-button') }}",
    "often": (
        "{% set kept = variation('checkout-button') %}{{ kept }} {{ decorated }} "
        "{{ 'one-click' if variation('checkout-button') == 'one-click' else 'control' }} "
        "{{ asked }}"
    ),
    "markup": "{{ variation('markup') }}",
    "unknown": "[{{ variation('checkout-buton') }}]",
    "macro": (
        "{% macro button() %}{{ variation('checkout-button') }}{% endmacro %}"
        "{% for _ in range(3) %}{{ button() }} {% endfor %}"
    ),
}


@dataclass
class Reply:
    """What a view answers; a body that is no text is streamed."""

    body: str | Iterable[str]
    headers: dict[str, str] = field(default_factory=dict)


View = Callable[[ExperimentClient], Reply]
AsyncView = Callable[[ExperimentClient], Awaitable[Reply]]

#: Two requests meet here while both hold an answer.
meeting = threading.Barrier(2)


def run(experiments: ExperimentClient) -> Reply:
    return Reply(experiments.run(BUTTON).value)


def run_by_key(experiments: ExperimentClient) -> Reply:
    return Reply(str(experiments.run("checkout-button").value))


def run_often(experiments: ExperimentClient) -> Reply:
    return Reply("".join(experiments.run(BUTTON).value[0] for _ in range(3)))


def run_all(experiments: ExperimentClient) -> Reply:
    return Reply(" ".join(experiments.run(each).value for each in EXPERIMENTS))


def run_company(experiments: ExperimentClient) -> Reply:
    return Reply(experiments.run(COMPANY).value)


def run_nobody(experiments: ExperimentClient) -> Reply:
    return Reply(experiments.run(NOBODY).value)


def run_members(experiments: ExperimentClient) -> Reply:
    return Reply(str(experiments.run("members").value))


async def arun_members(experiments: ExperimentClient) -> Reply:
    return Reply(str((await experiments.arun("members")).value))


def peek(experiments: ExperimentClient) -> Reply:
    return Reply(experiments.peek(BUTTON).value)


def peek_and_expose(experiments: ExperimentClient) -> Reply:
    shown = experiments.peek(BUTTON).value
    experiments.expose(BUTTON)
    return Reply(shown)


def unknown(experiments: ExperimentClient) -> Reply:
    return Reply(repr(experiments.run("checkout-buton").value))


def quiet(experiments: ExperimentClient) -> Reply:
    return Reply("nothing asked")


def bare(_: object) -> Reply:
    return Reply("nothing asked")


def quiet_stream(_: object) -> Reply:
    return Reply(iter(["nothing", " ", "asked"]), {"Cache-Control": "public, max-age=60"})


def raises(experiments: ExperimentClient) -> Reply:
    raise ZeroDivisionError(experiments.run(BUTTON).value)


def stream(experiments: ExperimentClient) -> Reply:
    experiments.ensure_identity()
    return Reply(part(experiments) for part in (lambda _: "begin ", late, late))


def late(experiments: ExperimentClient) -> str:
    return experiments.run(BUTTON).value


def run_and_stream(experiments: ExperimentClient) -> Reply:
    shown = experiments.run(BUTTON).value
    return Reply(iter([shown, " ", experiments.run(BUTTON).value]))


def public(experiments: ExperimentClient) -> Reply:
    return Reply(experiments.run(BUTTON).value, {"Cache-Control": "public, max-age=60"})


def aged(experiments: ExperimentClient) -> Reply:
    return Reply(experiments.run(BUTTON).value, {"Cache-Control": "max-age=60"})


def unstored(experiments: ExperimentClient) -> Reply:
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
    return Reply(experiments.run(BUTTON).value, headers)


def buy(experiments: ExperimentClient) -> Reply:
    experiments.track("purchase", 42.5, currency="EUR")
    return Reply("bought")


def log_in(experiments: ExperimentClient) -> Reply:
    before = experiments.run(BUTTON).value
    experiments.identify(user_id=7)
    return Reply(f"{before} {experiments.run(BUTTON).value}")


def meet(experiments: ExperimentClient) -> Reply:
    first = experiments.run(BUTTON)
    meeting.wait(20)
    again = experiments.run("checkout-button")
    return Reply(f"{first.value} {again.value} {again.hash_value}")


def threads(experiments: ExperimentClient) -> Reply:
    start = threading.Barrier(50)

    def ask(_: int) -> Result[Any]:
        start.wait(20)
        return experiments.run(BUTTON)

    with ThreadPoolExecutor(50) as pool:
        results = set(pool.map(ask, range(50)))
    return Reply(" ".join(result.value for result in results))


async def gather(experiments: ExperimentClient) -> Reply:
    async def ask() -> Result[Any]:
        await asyncio.sleep(0)
        return experiments.run(BUTTON)

    results = set(await asyncio.gather(*(ask() for _ in range(50))))
    return Reply(" ".join(result.value for result in results))


def flag(experiments: ExperimentClient) -> Reply:
    return Reply(str(experiments.value("new-menu", "default")))


def flags(experiments: ExperimentClient) -> Reply:
    answers = [experiments.is_on(key) for key in ("new-menu", "child", "new-menu")]
    return Reply(f"{answers} {experiments.run('menu-test').value}")


def flag_threads(experiments: ExperimentClient) -> Reply:
    start = threading.Barrier(50)

    def ask(_: int) -> object:
        start.wait(20)
        return experiments.value("new-menu", "default")

    with ThreadPoolExecutor(50) as pool:
        return Reply(" ".join({str(value) for value in pool.map(ask, range(50))}))


async def arun(experiments: ExperimentClient) -> Reply:
    results = await asyncio.gather(*(experiments.arun("checkout-button") for _ in range(20)))
    return Reply(" ".join({str(result.value) for result in results}))


VIEWS: dict[str, View] = {
    "aged": aged,
    "buy": buy,
    "flag": flag,
    "flag-threads": flag_threads,
    "flags": flags,
    "late": lambda experiments: Reply(late(experiments) for _ in range(1)),
    "log-in": log_in,
    "meet": meet,
    "peek": peek,
    "peek-and-expose": peek_and_expose,
    "public": public,
    "quiet": quiet,
    "raises": raises,
    "run": run,
    "run-all": run_all,
    "run-and-stream": run_and_stream,
    "run-by-key": run_by_key,
    "run-company": run_company,
    "run-nobody": run_nobody,
    "run-members": run_members,
    "run-often": run_often,
    "stream": stream,
    "threads": threads,
    "unknown": unknown,
    "unstored": unstored,
}
#: Views that never touch the client, so that an application without it serves them, too.
BARE: dict[str, Callable[[object], Reply]] = {"bare": bare, "quiet-stream": quiet_stream}
ASYNC_VIEWS: dict[str, AsyncView] = {"arun": arun, "arun-members": arun_members, "gather": gather}
