"""Documents and the forms in which other SDKs write them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abmiddleware.sticky import StickyDocument
from abmiddleware.sticky.document import storable, storable_keys

DOCUMENT = StickyDocument("deviceId", "d1", {"button__0": "1", "price__2": "low"})
GROWTHBOOK = {
    "attributeName": "deviceId",
    "attributeValue": "d1",
    "assignments": {"button__0": "1", "price__2": "low"},
}


def test_the_key_names_attribute_and_value() -> None:
    """The key is that of GrowthBook's SDKs, and gives the document back."""
    assert DOCUMENT.key == "deviceId||d1"
    assert StickyDocument.of("deviceId||d1", DOCUMENT.assignments) == DOCUMENT
    assert StickyDocument.of("id||a||b", {}) == StickyDocument("id", "a||b", {})
    assert StickyDocument.of("a||b||c", {}).key == StickyDocument("a||b", "c", {}).key


def test_growthbooks_form_is_written_and_read() -> None:
    """Other SDKs read what is written, and the reverse."""
    assert DOCUMENT.to_growthbook() == GROWTHBOOK
    assert json.loads(DOCUMENT.to_json()) == GROWTHBOOK
    assert StickyDocument.from_growthbook(GROWTHBOOK) == DOCUMENT
    assert StickyDocument.from_json(DOCUMENT.to_json()) == DOCUMENT


WRITTEN = {
    "compact": '{"attributeName":"id","attributeValue":"é","assignments":{"a__0":"1"}}',
    "with spaces": '{ "attributeName": "id",\n "attributeValue": "é", "assignments":{"a__0": "1"}}',
    "escaped": r'{"attributeName":"id","attributeValue":"\u00e9","assignments":{"a__0":"\u0031"}}',
    "in another order": '{"assignments":{"a__0":"1"},"attributeValue":"é","attributeName":"id"}',
    "with more": '{"attributeName":"id","x":[1],"attributeValue":"é","assignments":{"a__0":"1"}}',
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_other_writers_json_is_read(text: str) -> None:
    """However an SDK lays its JSON out, the document is the same."""
    assert StickyDocument.from_json(text.encode()) == StickyDocument("id", "é", {"a__0": "1"})


MALFORMED: dict[str, Any] = {
    "null": None,
    "text": "id||u1",
    "number": 1,
    "list": [GROWTHBOOK],
    "empty": {},
    "no name": {"attributeValue": "d1", "assignments": {}},
    "no value": {"attributeName": "id", "assignments": {}},
    "no assignments": {"attributeName": "id", "attributeValue": "d1"},
    "numeric value": {**GROWTHBOOK, "attributeValue": 1},
    "null name": {**GROWTHBOOK, "attributeName": None},
    "list of assignments": {**GROWTHBOOK, "assignments": ["1"]},
    "numeric variation": {**GROWTHBOOK, "assignments": {"button__0": 1}},
    "null variation": {**GROWTHBOOK, "assignments": {"button__0": "1", "price__0": None}},
    "numeric experiment": {**GROWTHBOOK, "assignments": {1: "1"}},
    "our own names": {"attribute_name": "id", "attribute_value": "d1", "assignments": {}},
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_document_is_none(value: object) -> None:
    """A value of another shape is refused without an error."""
    assert StickyDocument.from_growthbook(value) is None


TEXTS = {
    "empty": b"",
    "no JSON": b"id||u1",
    "cut off": b'{"attributeName":"id","attributeValue":"d1","assignments":{"a__0":"1"',
    "pickle": b"\x80\x04\x95",
    "no UTF-8": b'{"attributeName":"id","attributeValue":"\xff","assignments":{}}',
    "half of a pair": rb'{"attributeName":"id","attributeValue":"\ud800","assignments":{}}',
    "deep": b'{"assignments":' + b"[" * 100_000,
    "deep elsewhere": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_no_document_is_none(text: bytes) -> None:
    """A text that cannot be read is refused without an error."""
    assert StickyDocument.from_json(text) is None


def test_a_value_that_contains_itself_is_none() -> None:
    """A value that no JSON could hold is refused without an error."""
    endless: dict[str, Any] = {"attributeName": "id", "attributeValue": "d1"}
    endless["assignments"] = endless

    assert StickyDocument.from_growthbook(endless) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(GROWTHBOOK)), inner),
)


@given(VALUES | st.fixed_dictionaries(dict.fromkeys(GROWTHBOOK, VALUES)))
def test_no_value_raises(value: object) -> None:
    """Whatever is stored, it is a document or none."""
    document = StickyDocument.from_growthbook(value)

    assert document is None or document.to_growthbook().keys() == GROWTHBOOK.keys()


@given(st.binary())
def test_no_text_raises(text: bytes) -> None:
    """Whatever bytes are stored, they are a document or none."""
    assert StickyDocument.from_json(text) is None


def test_merging_changes_neither_document() -> None:
    """The second one's assignments count; both stay as they were."""
    later = StickyDocument("deviceId", "d1", {"button__0": "0", "layout__0": "grid"})
    merged = DOCUMENT.merged(later)

    assert merged.assignments == {"button__0": "0", "price__2": "low", "layout__0": "grid"}
    assert DOCUMENT.assignments == GROWTHBOOK["assignments"]
    assert later.assignments == {"button__0": "0", "layout__0": "grid"}
    assert DOCUMENT.merged(None) is DOCUMENT


def test_a_document_cannot_be_changed() -> None:
    """A document is shared between requests, so nobody may change one."""
    with pytest.raises(AttributeError):
        DOCUMENT.attribute_value = "d2"  # type: ignore[misc]


def test_keys_are_asked_for_once() -> None:
    """Repeated keys, and those that nothing is stored under, are not asked for."""
    assert storable_keys(["b||1", "a||1", "b||1", "a||\0", "a||" + "x" * 398]) == ["b||1", "a||1"]


def test_a_storable_document_stays_as_it_is() -> None:
    """What every store can keep is kept whole."""
    assert storable(DOCUMENT) == DOCUMENT
