"""Records in the forms of other tools, held against the tools' own packages where these check."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from posthog import Posthog
from segment.analytics.client import Client as Segment  # type: ignore[import-untyped]

from abmiddleware import Engine, Experiment, Journal, JournalReader, VariationMeta
from abmiddleware.exposures import formats
from abmiddleware.exposures.records import Record, Row, row
from tests.exposures.facts import exposure, link, outcome

Format = Callable[[Record | Row], dict[str, Any] | None]
FORMATS: dict[str, Format] = {
    "growthbook": formats.growthbook,
    "segment": formats.segment,
    "posthog": formats.posthog,
}


def of(form: Format, record: Record) -> dict[str, Any]:
    """Return a record in a form, which must be the same of its row, and JSON."""
    told = form(record)
    assert told is not None
    assert told == form(row(record))
    assert json.loads(json.dumps(told)) == told
    return told


def test_growthbooks_table_has_the_columns_of_its_queries() -> None:
    """The time, who, what and which: the columns that an assignment query must have."""
    assert of(formats.growthbook, exposure()) == {
        "timestamp": "2026-11-22T09:30:00.000123Z",
        "user_id": "42",
        "anonymous_id": "V1StGXR8_Z5jdHi6B-myTQ",
        "experiment_id": "checkout-button",
        "variation_id": "1",
    }


def test_other_units_have_columns_of_their_own_in_growthbooks_table() -> None:
    """A company is an identifier type of its own there."""
    told = of(formats.growthbook, exposure(unit_type="company", unit_id="c1", alt_ids={"id": "v"}))

    assert (told["company"], told["anonymous_id"], told["user_id"]) == ("c1", "v", None)


def sent_by_segment(message: dict[str, Any]) -> dict[str, Any]:
    """Return what Segment's client sends for a message, after its own checks."""
    success, sent = Segment("key", send=False).track(
        user_id=message.get("userId"),
        anonymous_id=message.get("anonymousId"),
        event=message["event"],
        properties=message["properties"],
        timestamp=datetime.fromisoformat(message["timestamp"]),
        message_id=message["messageId"],
    )
    assert success
    return dict(sent)


@pytest.mark.parametrize(
    "record",
    [
        exposure(),
        exposure(alt_ids={}),
        exposure(unit_type="user_id", unit_id="42", alt_ids={}),
        exposure(unit_type="company", unit_id="c1", alt_ids={}),
        outcome(),
        outcome(value=None, properties={"when": Decimal("1.5")}),
    ],
    ids=["both", "visitor", "user", "company", "outcome", "bare outcome"],
)
def test_segment_takes_the_message(record: Record) -> None:
    """Its own client accepts the call, and would send what is told."""
    message = of(formats.segment, record)
    sent = sent_by_segment(message)

    for name in ("type", "event", "messageId", "properties"):
        assert sent[name] == message[name]
    assert (sent["userId"], sent["anonymousId"]) == (
        message.get("userId"),
        message.get("anonymousId"),
    )
    assert sent["userId"] or sent["anonymousId"]


def test_segments_event_is_the_one_of_its_specification() -> None:
    """Tools behind Segment know the event by its name and its four properties."""
    message = of(formats.segment, exposure(variation_key="bold"))

    assert message["event"] == "Experiment Viewed"
    assert message["properties"] == {
        "experiment_id": "checkout-button",
        "experiment_name": "checkout-button",
        "variation_id": "bold",
        "variation_name": "bold",
    }
    assert (message["anonymousId"], message["userId"]) == ("V1StGXR8_Z5jdHi6B-myTQ", "42")


def sent_by_posthog(event: dict[str, Any]) -> dict[str, Any]:
    """Return what PostHog's client sends for an event, after its own checks."""
    sent: list[dict[str, Any]] = []

    def note(message: dict[str, Any]) -> dict[str, Any]:
        sent.append(message)
        return message

    Posthog("key", send=False, before_send=note).capture(**event)
    (message,) = sent
    return message


@pytest.mark.parametrize("record", [exposure(), outcome()], ids=["exposure", "outcome"])
def test_posthog_takes_the_event(record: Record) -> None:
    """Its own client accepts the event as it is, with our id and time."""
    event = of(formats.posthog, record)
    sent = sent_by_posthog(event)

    for name in ("event", "distinct_id", "uuid"):
        assert sent[name] == event[name]
    assert datetime.fromisoformat(sent["timestamp"]) == datetime.fromisoformat(event["timestamp"])
    assert event["properties"].items() <= sent["properties"].items()
    assert event["uuid"].replace("-", "") == record.event_id


def test_posthogs_event_is_the_one_that_experiments_count() -> None:
    """The flag, the answer, and the property that other events are broken down by."""
    event = of(formats.posthog, exposure(variation_key="bold"))
    of_feature = of(formats.posthog, exposure(feature_key="checkout"))

    assert event["event"] == "$feature_flag_called"
    assert event["properties"] == {
        "$feature_flag": "checkout-button",
        "$feature_flag_response": "bold",
        "$feature/checkout-button": "bold",
    }
    assert of_feature["properties"]["$feature_flag"] == "checkout"


def test_posthog_knows_people_by_the_id_that_is_told() -> None:
    """Exposures and outcomes of one person have one distinct id."""
    ids = {"id": "v", "user_id": "42"}
    seen = exposure(unit_type="id", unit_id="v", alt_ids={"user_id": "42"})
    company = exposure(unit_type="company", unit_id="c1", alt_ids={})

    for record in (seen, outcome(unit_ids=ids)):
        assert (formats.posthog(record) or {})["distinct_id"] == "v"
        assert (formats.posthog(record, unit="user_id") or {})["distinct_id"] == "42"
    assert of(formats.posthog, company)["distinct_id"] == "c1"


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_what_has_no_place_is_left_out(form: Format) -> None:
    """A link is no event, and what was forced must count nowhere."""
    assert form(link()) is None
    assert form(row(link())) is None
    assert form(exposure(forced=True)) is None


def test_outcomes_are_no_assignments() -> None:
    """GrowthBook reads outcomes by metric queries of their own."""
    assert formats.growthbook(outcome()) is None


def test_a_journal_is_read_into_any_form(tmp_path: Path) -> None:
    """Readers of the journal use the same functions on its rows."""
    button = Experiment(
        "button", ["a", "b"], meta=[VariationMeta(key="control"), VariationMeta(key="bold")]
    )
    path = tmp_path / "journal.jsonl"
    with Engine([button], sink=Journal(path)).client(id="u1") as experiments:
        shown = experiments.run(button).key
        experiments.track("purchase", 42.0)
    rows = list(JournalReader(path))

    assert [message["event"] for line in rows if (message := formats.segment(line))] == [
        "Experiment Viewed",
        "purchase",
    ]
    assert [table["variation_id"] for line in rows if (table := formats.growthbook(line))] == [
        shown
    ]
