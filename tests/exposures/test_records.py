"""Records become rows, and rows lines, whatever an application puts in them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import typing_extensions
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware import Exposure, Link, Outcome
from abmiddleware.exposures.records import (
    SDK,
    ExposureRow,
    LinkRow,
    OutcomeRow,
    Record,
    decode,
    digest,
    encode,
    rfc3339,
    row,
    unique_id,
)
from tests.exposures.facts import NOON, exposure, link, outcome

DAY_US = 86_400_000_000

HEAD = ["v", "type", "event_id", "ts_us", "ts"]
FIELDS: list[tuple[Record, type, list[str]]] = [
    (
        exposure(),
        ExposureRow,
        [
            *HEAD,
            *("experiment_key", "phase", "variation_key", "variation_id", "unit_type", "unit_id"),
            *("alt_ids", "kind", "forced", "attributes", "config_hash", "feature_key", "trace_id"),
            *("service", "sdk"),
        ],
    ),
    (
        outcome(),
        OutcomeRow,
        [*HEAD, "event", "value", "unit_ids", "properties", "service", "sdk"],
    ),
    (
        link(),
        LinkRow,
        [*HEAD, "unit_type_a", "id_a", "unit_type_b", "id_b", "source", "service", "sdk"],
    ),
]


# The form of rows.


@pytest.mark.parametrize(("record", "form", "fields"), FIELDS)
def test_a_row_has_exactly_its_fields_in_order(
    record: Record, form: type, fields: list[str]
) -> None:
    """The fields of a line, and their order, are what other programs rely on."""
    line = encode(record)

    assert list(json.loads(line)) == fields
    assert line.startswith(b'{"v":1,"type":"')
    assert b"\n" not in line
    assert type(row(record)) is form


@pytest.mark.parametrize("record", [record for record, _, _ in FIELDS])
def test_a_row_holds_what_the_record_holds(record: Record) -> None:
    """No value of a record is changed or left out on its way."""
    line = json.loads(encode(record))
    told = msgspec.structs.asdict(record)

    assert {name: line[name] for name in told} == told
    assert line["event_id"] == record.event_id
    assert line["ts"] == rfc3339(record.ts_us)
    assert line["sdk"] == SDK == "abmiddleware/0.1.0"


@pytest.mark.parametrize("record", [record for record, _, _ in FIELDS])
def test_a_line_is_read_as_it_was_written(record: Record) -> None:
    """Reading a line gives the row that it was made of."""
    assert decode(encode(record)) == row(record)


@pytest.mark.parametrize(
    ("ts_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (NOON, "2026-11-22T09:30:00.000123Z"),
        (951_827_696_999_999, "2000-02-29T12:34:56.999999Z"),
    ],
)
def test_instants_are_shown_in_utc_to_the_microsecond(ts_us: int, text: str) -> None:
    """The text of an instant is that of RFC 3339."""
    assert rfc3339(ts_us) == text


@given(st.integers(0, 4_102_444_800_000_000))
def test_the_text_of_an_instant_is_that_instant(ts_us: int) -> None:
    """Other programs read the text as the same microsecond."""
    read = datetime.fromisoformat(rfc3339(ts_us))

    assert (read - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() == pytest.approx(ts_us / 1e6)
    assert read.microsecond == ts_us % 1_000_000


# The ids of events.


def test_an_exposure_has_the_same_id_all_day() -> None:
    """A unit that meets a variation again on the same UTC day gives the same event."""
    start = NOON - NOON % DAY_US
    ids = {exposure(ts_us=start + passed).event_id for passed in (0, 1, DAY_US - 1)}

    assert len(ids) == 1
    assert exposure(ts_us=start + DAY_US).event_id not in ids
    assert exposure(ts_us=start - 1).event_id not in ids


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "activated"},
        {"experiment_key": "price"},
        {"phase": 1},
        {"unit_type": "company"},
        {"unit_id": "other"},
        {"variation_key": "0"},
        {"ts_us": NOON + DAY_US},
    ],
)
def test_an_exposures_id_tells_each_of_its_parts(changes: dict[str, Any]) -> None:
    """Another kind, experiment, phase, unit, variation or day is another event."""
    assert exposure(**changes).event_id != exposure().event_id


@pytest.mark.parametrize(
    "changes",
    [
        {"alt_ids": {}},
        {"attributes": {}},
        {"service": "other"},
        {"config_hash": "other"},
        {"trace_id": "0af7651916cd43dd8448eb211c80319c"},
        {"ts_us": NOON + 1},
    ],
)
def test_an_exposures_id_tells_nothing_else(changes: dict[str, Any]) -> None:
    """What does not make it another event leaves the id as it is."""
    assert exposure(**changes).event_id == exposure().event_id


def test_the_id_of_an_exposure_stays_what_it_was() -> None:
    """A new release gives the same events the same ids, or a rolling deployment counts twice."""
    assert exposure().event_id == "79d2b1b11079f49fdbd70dbd784eb2e7"
    assert link().event_id == "3d31d39dd6fa96554b3f28560260d571"


@pytest.mark.parametrize(
    "changes",
    [
        {"unit_type_a": "b"},
        {"id_a": "b"},
        {"unit_type_b": "b"},
        {"id_b": "b"},
        {"ts_us": NOON + DAY_US},
    ],
)
def test_a_links_id_tells_each_of_its_parts(changes: dict[str, Any]) -> None:
    """Another pair or day is another event; another source or moment is not."""
    assert link(**changes).event_id != link().event_id
    assert link(source="other", ts_us=NOON + 1).event_id == link().event_id


parts = st.lists(st.text("a\x1f:1\\", max_size=4), max_size=4)


@given(parts, parts)
def test_a_digest_cannot_be_made_to_collide_by_separators(
    left: list[str], right: list[str]
) -> None:
    """No content of a part can pass for a border between parts."""
    assert (digest(*left) == digest(*right)) == (left == right)


def test_a_digest_takes_any_text() -> None:
    """Half of a surrogate pair has a digest, too."""
    assert len(digest("\ud800")) == 32
    assert digest("\ud800") != digest("\udc00")


def test_unique_ids_sort_by_time_and_differ() -> None:
    """The id of an outcome is never given twice, and later ones sort behind."""
    ids = [unique_id(NOON + passed) for passed in range(1000)]

    assert ids == sorted(set(ids))
    assert unique_id(NOON) != unique_id(NOON)
    assert {len(one) for one in ids} == {32}


# Whatever an application puts in.


class Colour(Enum):
    RED = "red"


class Marked(str):
    """A text that stays what it is under str(), as Django's SafeString and Flask's Markup."""

    __slots__ = ()

    def __str__(self) -> str:
        return self


class Half(float):
    """A number of another library, as NumPy's float64."""

    __slots__ = ()


class Count(int):
    """Likewise a whole number."""

    __slots__ = ()


class Silent:
    def __str__(self) -> str:
        raise RuntimeError("no text")


class Torn:
    def __str__(self) -> str:
        return "\ud800"


class Wrong:
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307


VALUES: list[tuple[object, object]] = [
    ("a\n\u2028\x00<", "a\n\u2028\x00<"),
    ("\ud800", "\\ud800"),
    ({"\ud800": ["\udfff"]}, {"\\ud800": ["\\udfff"]}),
    (2**63, 2**63),
    (2**200, 2**200),
    (10**5000, "<int>"),
    (float("nan"), None),
    (float("inf"), None),
    (Half(0.5), 0.5),
    (Count(3), 3),
    (True, True),
    (None, None),
    (Decimal("19.90"), "19.90"),
    (Decimal("NaN"), "NaN"),
    (Fraction(1, 2), 0.5),
    (1j, "1j"),
    (datetime(2026, 11, 22, 9, 30, tzinfo=UTC), "2026-11-22T09:30:00Z"),
    (date(2026, 11, 22), "2026-11-22"),
    (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    (Colour.RED, "red"),
    ({1}, [1]),
    ((1, "a"), [1, "a"]),
    ({(1, 2): 3, None: 4}, {"(1, 2)": 3, "None": 4}),
    (b"\xff", "/w=="),
    (Marked("<b>"), "<b>"),
    (Silent(), "<Silent>"),
    (Torn(), "\\ud800"),
    (Wrong(), "<Wrong>"),
    (
        ["\ud800", Marked("b"), Silent(), date(2026, 11, 22)],
        ["\\ud800", "b", "<Silent>", "2026-11-22"],
    ),
]


@pytest.mark.parametrize(("value", "written"), VALUES, ids=[type(v).__name__ for v, _ in VALUES])
def test_values_that_json_lacks_are_written_as_text(value: object, written: object) -> None:
    """Each value of Python has a form in the journal."""
    assert json.loads(encode(outcome(properties={"of": value})))["properties"]["of"] == written
    assert json.loads(encode(exposure(attributes={"of": value})))["attributes"]["of"] == written


def test_a_value_within_itself_is_cut_off() -> None:
    """A list that holds itself, even twice, is written up to there."""
    ring: list[object] = [1]
    ring += [ring, ring]

    line = json.loads(encode(outcome(properties={"ring": ring, "size": 3})))
    assert line["properties"] == {
        "ring": [1, "nested too deeply", "nested too deeply"],
        "size": 3,
    }


def test_a_deep_value_is_cut_off() -> None:
    """A value deeper than the stack is written as far as sixty-four levels."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    line = encode(outcome(properties={"deep": deep}))
    assert b"nested too deeply" in line
    assert line.count(b"[") < 70


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.uuids()
    | st.complex_numbers()
    | st.none().map(lambda _: 10**5000)  # it has no text that could be shown
    | st.sampled_from([2**64, Colour.RED, Marked("m"), Silent(), Torn(), Wrong(), object()]),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.none() | st.tuples(st.text()), inner)
        | st.frozensets(st.integers() | st.text())
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.text(st.characters(codec=None)), anything))
def test_any_properties_become_a_line_that_is_read_again(properties: dict[str, Any]) -> None:
    """Whatever the properties are, the outcome is written, on one line, and is a row."""
    line = encode(outcome(properties=properties))

    assert b"\n" not in line
    read = decode(line)
    assert isinstance(read, OutcomeRow)
    assert read.event == "purchase"
    assert len(read.properties) <= len(properties)


texts = st.text(st.characters(codec=None))


@given(texts, texts, st.dictionaries(texts, texts))
def test_any_ids_become_a_line_that_is_read_again(a: str, b: str, ids: dict[str, str]) -> None:
    """Ids come from outside and may hold any character."""
    for record in (
        exposure(unit_type=a, unit_id=b, alt_ids=ids, variation_key=a),
        outcome(event=a, unit_ids=ids),
        link(unit_type_a=a, id_a=b, id_b=a),
    ):
        assert decode(encode(record)).event_id == record.event_id


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.builds(
        Outcome,
        ts_us=st.integers(0, 10**17),
        value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
        properties=st.dictionaries(st.text(), json_values),
        unit_ids=st.dictionaries(st.text(), st.text()),
    )
)
def test_an_outcome_of_json_values_is_read_as_it_was(record: Outcome) -> None:
    """JSON values come back unchanged."""
    assert decode(encode(record)) == row(record)


@given(
    st.builds(
        Exposure,
        ts_us=st.integers(0, 10**17),
        phase=st.integers(0, 99),
        variation_id=st.integers(0, 99),
        attributes=st.dictionaries(st.text(), json_values),
        alt_ids=st.dictionaries(st.text(), st.text()),
    )
)
def test_an_exposure_of_json_values_is_read_as_it_was(record: Exposure) -> None:
    """JSON values come back unchanged."""
    assert decode(encode(record)) == row(record)


@given(st.builds(Link, ts_us=st.integers(0, 10**17)))
def test_a_link_is_read_as_it_was(record: Link) -> None:
    """Both ids come back unchanged."""
    assert decode(encode(record)) == row(record)


# Lines that are no rows.


def cut(line: bytes) -> bytes:
    return line[: len(line) // 2]


NO_ROWS = [
    b"",
    b"\x00" * 4096,
    b"null",
    b"[]",
    b"{}",
    b'{"v":1}',
    b'{"type":"exposure"}',
    b'{"v":1,"type":"exposure"}',
    b'{"v":1,"type":"nonsense"}',
    b'{"v":1,"type":["exposure"]}',
    b'{"v":1,"type":"\xff"}',
    cut(encode(exposure())),
    encode(exposure()) + encode(outcome()),
    cut(encode(exposure())) + encode(outcome()),
    encode(outcome()).replace(b"EUR", b"\xff\xfe"),
    encode(outcome()).replace(b"42.0", b'"42"'),
    encode(outcome()).replace(b'"v":1', b'"v":2'),
    encode(link()).replace(b'"v":1', b'"v":"1"'),
    encode(outcome()).replace(b'{"currency":"EUR"}', b'{"a":' + b"[" * 200_000),
    b'{"v":' + b"[" * 200_000,
    b"[" * 200_000,
]


@pytest.mark.parametrize("line", NO_ROWS, ids=range(len(NO_ROWS)))
def test_what_is_no_row_is_a_value_error(line: bytes) -> None:
    """A torn, foreign or hostile line is one kind of error."""
    with pytest.raises(ValueError):  # noqa: PT011  # the kind is the point
        decode(line)


def test_an_unknown_row_is_told_by_type_and_version() -> None:
    """The error for rows of a later release tells what was found and what is known."""
    with pytest.raises(ValueError, match=r"type 'exposure', version 2.*exposure, outcome, link"):
        decode(encode(exposure()).replace(b'"v":1', b'"v":2'))


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_a_row_or_a_value_error(line: bytes) -> None:
    """Nothing that a file may hold raises anything else."""
    try:
        decode(line)
    except ValueError:
        return


@given(st.data())
def test_any_damage_to_a_line_is_a_row_or_a_value_error(data: st.DataObject) -> None:
    """A row with bytes changed, cut or added raises nothing but ValueError."""
    records: list[Record] = [exposure(), outcome(), link()]
    line = bytearray(encode(data.draw(st.sampled_from(records))))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(line)))
        line[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
    try:
        decode(bytes(line))
    except ValueError:
        return


def test_records_are_written_where_the_library_is_not_installed(tmp_path: Path) -> None:
    """A copy in a folder or a bundle, without metadata, leaves its version out of the rows."""
    for name in ("abmiddleware", "msgspec", "fnv_hash_fast", "fnvhash", "opentelemetry.context"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        package = name.partition(".")[0]  # opentelemetry itself is in no file: many share it
        (tmp_path / package).symlink_to(
            next(p for p in Path(spec.origin).parents if p.name == package)
        )
    (tmp_path / "typing_extensions.py").symlink_to(typing_extensions.__file__)
    script = (
        "from abmiddleware.exposures.records import Outcome, encode\n"
        "print(encode(Outcome(0, 'id', 'seen', None, {}, {}, '')).decode())\n"
    )
    done = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
    )

    assert decode(done.stdout).sdk == "abmiddleware"
