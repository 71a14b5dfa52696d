"""What an engine tells about itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from abmiddleware import Engine, Experiment, Feature, Health, MemorySink
from abmiddleware.evaluation.conditions import Problem
from abmiddleware.sources import SourceStatus
from tests.test_configuration import Held, flags


class Told(Held):
    """A source whose status a test gives."""

    def __init__(self, payload: object = None, **status: Any) -> None:
        super().__init__(payload)
        self.told = status

    def status(self) -> SourceStatus:
        ready = self.document is not None
        return SourceStatus(**{"name": self.name, "ready": ready, **self.told})


def health(*sources: Held) -> Health:
    return Engine(sink=MemorySink(), sources=sources).health()


def test_an_engine_of_code_is_well() -> None:
    """Without a source there is nothing to wait for, and nothing that ages."""
    engine = Engine([Experiment("a", [1, 2]), Feature("b", 1)], sink=MemorySink())

    assert engine.health() == Health(
        ready=True,
        fresh=True,
        age_seconds=None,
        experiments=1,
        features=1,
        sources=[],
        written=0,
        queued=0,
        lost={},
        suppressed={},
        sticky_failures={},
        pattern_cut_offs=engine.health().pattern_cut_offs,
        telemetry_lost={},
    )


@pytest.mark.parametrize(
    ("sources", "ready", "fresh", "age"),
    [
        pytest.param([{"age_seconds": 2, "interval_seconds": 1}], True, True, 2, id="fresh"),
        pytest.param([{"age_seconds": 3, "interval_seconds": 1}], True, True, 3, id="at-three"),
        pytest.param([{"age_seconds": 3.1, "interval_seconds": 1}], True, False, 3.1, id="old"),
        pytest.param([{"age_seconds": 900, "interval_seconds": None}], True, True, 900, id="code"),
        pytest.param([{"interval_seconds": 1}], True, False, None, id="never-confirmed"),
        pytest.param([{}], True, True, None, id="nothing-told"),
        pytest.param(
            [{"age_seconds": 1, "interval_seconds": 1}, {"interval_seconds": 1}],
            True,
            False,
            None,
            id="one-of-two-never-confirmed",
        ),
        pytest.param([{"age_seconds": 1, "interval_seconds": 1}, {}], True, True, 1, id="code-too"),
        pytest.param(
            [{"age_seconds": 1, "interval_seconds": 1}, {"age_seconds": 9, "interval_seconds": 1}],
            True,
            False,
            9,
            id="one-of-two-old",
        ),
    ],
)
def test_it_tells_the_source_that_is_worst_off(
    sources: list[dict[str, Any]], ready: bool, fresh: bool, age: float | None
) -> None:
    """Fresh is what was confirmed within three intervals; the age is the highest, or not known."""
    told = health(*(Told(flags(a=1), **status) for status in sources))

    assert (told.ready, told.fresh, told.age_seconds) == (ready, fresh, age)
    assert len(told.sources) == len(sources)


def test_a_source_without_a_document_is_told() -> None:
    """Until every source has one, the engine is neither ready nor fresh."""
    told = health(Told(flags(a=1)), Told(None, last_error="timed out"))

    assert (told.ready, told.fresh, told.features) == (False, False, 1)
    assert [source.last_error for source in told.sources] == ["", "timed out"]


def test_it_counts_what_is_served() -> None:
    """Keys of several sources count once, and a change counts at once."""
    source = Held(flags(a=1, b=1))
    engine = Engine([Feature("a", 1)], sink=MemorySink(), sources=[source])
    before = engine.health().features
    source.put(flags(b=1, c=1, d=1))

    assert (before, engine.health().features) == (2, 4)


class BrokenSink:
    def write(self, records: object, /) -> None:
        raise OSError("the sink is broken")


def test_it_counts_what_is_lost(tmp_path: Path) -> None:
    """Losses of the recorder and of the journal are told together, by reason."""
    test = Experiment("a", [1, 2])
    broken = Engine([test], sink=BrokenSink())
    broken.client(id="u1").run(test)
    journal = tmp_path / "journal.jsonl"
    unwritable = Engine([test], journal=journal, strict=False)
    journal.mkdir()
    unwritable.client(id="u1").run(test)
    unwritable.client().track("purchase")
    lost = unwritable.health().lost

    assert broken.health().lost == {"sink failed": 1}
    assert lost.pop("outcome invalid") == 1
    assert sum(lost.values()) == 1


def test_it_is_plain_json() -> None:
    """A health endpoint can answer with it as it is."""
    source = Told(flags(a=1), age_seconds=1.5, problems=(Problem("features.a", "is odd"),))
    told = msgspec.to_builtins(health(source))

    assert json.loads(json.dumps(told)) == json.loads(msgspec.json.encode(told))
    assert list(told["sources"][0]["problems"]) == [{"path": "features.a", "problem": "is odd"}]
    assert told["sources"][0]["name"] == "held"


class ClosingSink(MemorySink):
    """A sink that notes how long it may take to close, and then fails."""

    timeout = -1.0

    def close(self, timeout: float) -> None:
        self.timeout = timeout
        raise OSError("nothing is there to close")


def test_closing_an_engine_closes_its_sink() -> None:
    """What waits in a sink gets the time that is left; a sink that fails breaks no shutdown."""
    sink = ClosingSink()
    Engine(sink=sink).close(2.0)

    assert 0 < sink.timeout <= 2
