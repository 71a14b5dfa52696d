"""What every store does, over a real backend."""

from __future__ import annotations

import subprocess
import sys
from inspect import iscoroutinefunction
from pathlib import Path

import pytest

from abmiddleware.sticky import AsyncStickyStore, StickyDocument, StickyStore
from tests.sticky.conftest import address_of
from tests.sticky.places import PLACES, SHARED, Awaited, save_at_once

ROOT = Path(__file__).parents[2]


def visitor(**assignments: str) -> StickyDocument:
    return StickyDocument("id", "u1", {f"{key}__0": value for key, value in assignments.items()})


def test_it_is_a_store(store: StickyStore) -> None:
    """Each store satisfies its protocol, and its methods tell whether they must be awaited."""
    told = store.store if isinstance(store, Awaited) else store

    assert isinstance(told, AsyncStickyStore if isinstance(store, Awaited) else StickyStore)
    assert iscoroutinefunction(told.load) == isinstance(store, Awaited)
    assert iscoroutinefunction(told.save) == isinstance(store, Awaited)


def test_an_empty_store_has_nothing(store: StickyStore) -> None:
    """Documents that are not stored are missing from the answer; no keys are no question."""
    assert store.load(["id||u1", "deviceId||d1"]) == {}
    assert store.load([]) == {}


def test_what_was_saved_is_loaded(store: StickyStore) -> None:
    """A document comes back as it was saved, under its key."""
    store.save(visitor(button="1", price="low"))

    assert store.load(["id||u1"]) == {"id||u1": visitor(button="1", price="low")}


def test_several_documents_are_loaded_together(store: StickyStore) -> None:
    """A load answers for all keys that are there, whatever their order and repetition."""
    device = StickyDocument("deviceId", "d1", {"button__0": "0"})
    store.save(visitor(button="1"))
    store.save(device)

    keys = ["company||acme", "deviceId||d1", "id||u1", "deviceId||d1"]

    assert store.load(keys) == {"id||u1": visitor(button="1"), "deviceId||d1": device}
    assert store.load(["deviceId||d1"]) == {"deviceId||d1": device}


def test_a_save_keeps_other_assignments(store: StickyStore) -> None:
    """Assignments that were saved before stay; one that is saved again is replaced."""
    store.save(visitor(button="1", price="low"))
    store.save(visitor(price="high", layout="grid"))

    assert store.load(["id||u1"]) == {"id||u1": visitor(button="1", price="high", layout="grid")}


def test_units_do_not_share_assignments(store: StickyStore) -> None:
    """Neither another value nor another attribute of the same value gets them."""
    store.save(visitor(button="1"))

    assert store.load(["id||u2", "user_id||u1", "id||U1", "id||u", "id||"]) == {}


def test_saving_nothing_stores_nothing(store: StickyStore) -> None:
    """A document without assignments leaves no trace, and removes none."""
    store.save(visitor())
    assert store.load(["id||u1"]) == {}

    store.save(visitor(button="1"))
    store.save(visitor())
    assert store.load(["id||u1"]) == {"id||u1": visitor(button="1")}


TEXTS = {
    "letters": "Zoë 李 مرحبا",
    "beyond the basic plane": "👩‍🚀𝒳",
    "marks of JSON": '{"a": [1, "\\"]}',
    "marks of cookies": 'a=b; c="d", e\\',
    "marks of SQL": "'; DROP TABLE abmiddleware_sticky; -- %s :x ?",
    "bars": "a||b||",
    "control characters": "a\tb\r\nc\x7f\x1b[31m",
    "number": "42",
    "empty": "",
    "spaces": "  a  ",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_is_kept(store: StickyStore, text: str) -> None:
    """Values, experiments and variations may be any text; equal ones only are the same."""
    document = StickyDocument("id", text, {f"{text}__0": text, "other__0": "1"})
    store.save(document)

    assert store.load([document.key]) == {document.key: document}
    assert store.load([f"{document.key} "]) == {}


@pytest.mark.parametrize("letter", ["a", "李", "👩"])
def test_the_longest_texts_are_kept_by_every_store(store: StickyStore, letter: str) -> None:
    """A key of 400 characters and texts of 255 fit everywhere, however many bytes they take."""
    document = StickyDocument("id", letter * 396, {letter * 255: letter * 255})
    store.save(document)

    assert store.load([document.key]) == {document.key: document}


UNSTORABLE = {
    "too long": "a" * 397,
    "enormous": "a" * 10_000_000,
    "NUL": "a\0b",
    "half of a pair": "\ud800",
}


@pytest.mark.parametrize("value", UNSTORABLE.values(), ids=UNSTORABLE)
def test_a_unit_that_not_all_stores_can_keep_is_kept_by_none(
    store: StickyStore, value: str
) -> None:
    """Such a value raises nothing; the unit is not sticky, and the others are."""
    store.save(visitor(button="1"))
    document = StickyDocument("id", value, {"button__0": "1"})
    store.save(document)

    assert store.load([document.key, "id||u1"]) == {"id||u1": visitor(button="1")}


@pytest.mark.parametrize("text", ["a" * 256, "a\0b", "\ud800"], ids=["long", "NUL", "half"])
def test_an_assignment_that_not_all_stores_can_keep_is_left_out(
    store: StickyStore, text: str
) -> None:
    """The other assignments of the document are kept."""
    store.save(StickyDocument("id", "u1", {"button__0": "1", text: "1", "price__0": text}))

    assert store.load(["id||u1"]) == {"id||u1": visitor(button="1")}


def test_savers_at_once_lose_nothing(store: StickyStore) -> None:
    """Of 200 assignments that are saved together, each from its own copy, all are there."""
    documents = [StickyDocument("id", "u1", {f"exp-{number}__0": "1"}) for number in range(200)]
    save_at_once(store, documents)

    (document,) = store.load(["id||u1"]).values()

    assert document.assignments == {f"exp-{number}__0": "1" for number in range(200)}


def test_savers_of_whole_documents_do_not_wait_for_each_other(store: StickyStore) -> None:
    """Savers of the same assignments in different orders neither deadlock nor lose one."""
    names = [f"exp-{number}__0" for number in range(20)]
    forth = StickyDocument("id", "u1", dict.fromkeys(names, "1"))
    back = StickyDocument("id", "u1", dict.fromkeys(reversed(names), "2"))
    save_at_once(store, [forth, back] * 20)

    (document,) = store.load(["id||u1"]).values()

    assert sorted(document.assignments) == sorted(names)
    assert set(document.assignments.values()) <= {"1", "2"}


@pytest.mark.parametrize("place", SHARED)
def test_processes_at_once_lose_nothing(place: str, request: pytest.FixtureRequest) -> None:
    """Four processes that save for one visitor keep all of each other's assignments."""
    address = address_of(place, request)
    with PLACES[place][0](address) as store:
        writers = [
            subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", "tests.sticky.writer", place, address, str(number)],
                cwd=ROOT,
            )
            for number in range(4)
        ]
        assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
        (document,) = store.load(["id||u1"]).values()

    assert len(document.assignments) == 100
