"""What an engine refuses when it is made, so that nothing is lost or ignored in silence."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from abmiddleware import (
    ConfigurationError,
    DefinitionError,
    Engine,
    Experiment,
    Journal,
    MemorySink,
    VisitorCookie,
)
from abmiddleware.exposures.records import Record
from abmiddleware.sticky import MemoryStickyStore, StickyDocument

MODEL = Experiment("ranking-model", ["linear", "boosted"], hash_version=2)


class AsyncSink:
    async def write(self, records: Sequence[Record], /) -> None:
        """Never be awaited."""


async def fetch(request: object) -> str:
    return "acme"


class AsyncWrite:
    def __init__(self) -> None:
        self.write = AsyncFunction()


class NoWrite:
    write = 5


class AsyncFunction:
    async def __call__(self, request: object) -> str:
        return "acme"


class AsyncStore:
    """A sticky store that is awaited."""

    async def load(self, keys: Sequence[str]) -> Mapping[str, StickyDocument]:
        return {}

    async def save(self, document: StickyDocument) -> None:
        """Keep nothing."""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"experiments": MODEL}, "experiments: is Experiment"),
        ({"experiments": "ranking-model"}, "experiments: is 'ranking-model', must be a list of"),
        ({"experiments": 5}, "experiments: is 5, must be a list of Experiment"),
        ({"experiments": [MODEL, "x"]}, "experiments[1]: is 'x', must be an Experiment"),
        ({"experiments": [MODEL, MODEL]}, "experiments[1].key: is 'ranking-model' as is that of"),
        ({"sink": MemorySink(), "journal": "x"}, "journal: is given beside sink, must be one of"),
        ({"sink": MemorySink}, "must be an object of that class, such as MemorySink()"),
        ({"sink": 5}, "sink: is 5, must have a method write(records)"),
        ({"sink": NoWrite()}, "must have a method write(records), as Journal(path) has"),
        ({"sink": AsyncWrite()}, "sink.write: is a coroutine function, must be a plain one"),
        ({"sink": AsyncSink()}, "sink.write: is a coroutine function, must be a plain one"),
        ({"sources": 5}, "sources: is 5, must be a list of sources"),
        ({"sources": [5]}, "sources[0]: is 5, must be a source, such as File('flags.json')"),
        ({"sticky": 5}, "sticky: is 5, must be a store such as MemoryStickyStore()"),
        ({"sticky": MemoryStickyStore}, "an object of that class, such as MemoryStickyStore(...)"),
        (
            {"sticky": AsyncStore(), "redirects": True},
            "sticky: a store that must be awaited, AsyncStore, cannot be used where the middleware",
        ),
        ({"redirects": 1}, "redirects: is 1, must be True or False"),
        ({"redirect_hosts": "a.example"}, "must be a list of names, each of a host"),
        ({"redirect_hosts": ["a/b"]}, "redirect_hosts[0]: is 'a/b', must be a host"),
        ({"on_feature_usage": 5}, "on_feature_usage: is 5, must be a plain function"),
        ({"forced_features": [1]}, "forced_features: is [1], must be a dictionary"),
        ({"query_overrides": "no"}, "query_overrides: is 'no', must be True or False"),
        ({"journal": 5}, "journal: is 5, must be the path of a file, or a Journal"),
        ({"journal": ""}, "journal: is '', must be the path of a file, or a Journal"),
        ({"journal": "a\0b"}, "must be a path without a NUL"),
        ({"journal": "x" * 300}, "must be one that opens (File name too long)"),
        ({"journal": "/"}, "journal: is '/', must be a file, and there is a directory"),
        ({"cookie": "ab_id"}, "cookie: is 'ab_id', must be a VisitorCookie, such as"),
        ({"attributes": ["company"]}, "attributes: is ['company'], must be a dictionary"),
        ({"attributes": {5: len}}, "attributes[5]: is 5, must be under the name of an attribute"),
        ({"attributes": {"company": fetch}}, "experiments.identify(company=...)"),
        ({"attributes": {"company": AsyncFunction()}}, "experiments.identify(company=...)"),
        ({"record_attributes": "country"}, "record_attributes: is 'country', must be a list of"),
        ({"attributes": {"a": partial(fetch)}}, "attributes['a']: is a coroutine function"),
        ({"attributes": {"a": partial(AsyncFunction())}}, "attributes['a']: is a coroutine func"),
        ({"record_attributes": {"country": 1}}, "record_attributes: is {'country': 1}, must be"),
        ({"record_attributes": [5]}, "record_attributes[0]: is 5, must be the name of"),
        ({"record_attributes": None}, "record_attributes: is None, must be a list of"),
        ({"service": None}, "service: is None, must be a text"),
        ({"strict": "no"}, "strict: is 'no', must be True or False"),
        ({"enabled": "false"}, "enabled: is 'false', must be True or False"),
        ({"qa_mode": 1}, "qa_mode: is 1, must be True or False"),
        ({"forced_variations": [1]}, "forced_variations: is [1], must be a dictionary"),
        (
            {"experiments": [MODEL], "forced_variations": {"ranking-modle": 1}},
            "is of no experiment of this engine, must be one of them, such as 'ranking-model'",
        ),
        ({"forced_variations": {"x": 1}}, "must be left out: the engine has none"),
        (
            {"experiments": [MODEL], "forced_variations": {"ranking-model": True}},
            "forced_variations['ranking-model']: is True, must be the index of a variation, 0 to 1",
        ),
        (
            {"experiments": [MODEL], "forced_variations": {"ranking-model": 9}},
            "forced_variations['ranking-model']: is 9, must be the index of a variation, 0 to 1",
        ),
    ],
)
def test_a_wrong_argument_names_the_place_and_the_mend(arguments: Any, message: str) -> None:
    """A mistake in the engine's arguments is told when it is made."""
    with pytest.raises((ConfigurationError, DefinitionError)) as caught:
        Engine(**arguments)

    assert message in str(caught.value)


def test_a_pipe_is_no_journal(tmp_path: Path) -> None:
    """A pipe that nobody reads would block a request for ever."""
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ConfigurationError, match="there is a pipe"):
        Engine(journal=tmp_path / "pipe")


def test_a_journal_of_the_environment_is_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong path in the environment names the variable that it came from."""
    monkeypatch.setenv("ABMIDDLEWARE_JOURNAL", str(tmp_path))

    with pytest.raises(ConfigurationError, match=r"ABMIDDLEWARE_JOURNAL: is .* a directory"):
        Engine()


def test_right_arguments_are_taken(tmp_path: Path) -> None:
    """Paths, generators, tuples and objects of the right kind are all fine."""
    engine = Engine(
        (experiment for experiment in [MODEL]),
        journal=tmp_path / "journal.jsonl",
        cookie=VisitorCookie(name="visitor"),
        attributes={"company": len},
        record_attributes=("country",),
        service="shop",
        strict=False,
        enabled=True,
        forced_variations={"ranking-model": 1},
    )

    assert isinstance(engine.sink, Journal)
    assert engine.cookie.name == "visitor"
    assert list(engine.snapshot.plans.known()) == ["ranking-model"]
