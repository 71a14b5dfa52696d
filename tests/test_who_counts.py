"""Who takes part in a request, and who counts, as a view sees it."""

from __future__ import annotations

import pytest

from abmiddleware import Engine, Experiment, MemorySink, is_bot, is_staff
from abmiddleware.policy import Suppressed
from tests.request_facts import Page

BUTTON = Experiment("button", ["red", "green"], hash_version=2)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page(), ""),
        (Page(method="HEAD"), "method"),
        (Page(headers={"sec-purpose": "prefetch;prerender"}), "prefetch"),
        (Page(headers={"user-agent": "bingbot/2.0"}), "excluded"),
        (Page("https://shop.example/healthz"), "exempt_path"),
        (Page("https://shop.example/admin/users"), "exempt_path"),
        (Page(request="no consent"), "no_consent"),
    ],
)
def test_a_view_can_see_why_nothing_is_recorded(page: Page, reason: str) -> None:
    """The reason is empty, and so false, for a request that counts."""
    engine = Engine(
        sink=MemorySink(),
        exempt_paths=["/healthz", "/admin/"],
        consent=lambda request: request != "no consent",
    )

    assert engine.request_client(page).suppressed == reason
    assert bool(engine.request_client(page).suppressed) == bool(reason)


def test_a_script_counts() -> None:
    """It has no request that would say otherwise."""
    assert Engine(sink=MemorySink()).client(id="u1").suppressed is Suppressed.NO


@pytest.mark.parametrize("text", ["null", "undefined", ""])
def test_identify_passes_over_the_text_of_a_missing_id(text: str) -> None:
    """The visitor keeps the id of the cookie, and is linked to nobody."""
    sink = MemorySink()
    client = Engine(sink=sink).request_client(Page())
    client.identify(id=text, user_id=text, company_id=text, name=text)
    client.run(BUTTON)
    client.flush()

    (exposure,) = sink.exposures
    assert sink.records == [exposure]
    assert exposure.unit_id not in ("", text)
    by_user = Experiment("by-user", ["a", "b"], hash_attribute="user_id")
    by_name = Experiment("by-name", ["a", "b"], hash_attribute="name")
    assert client.run(by_user).reason == "no_unit"
    assert client.run(by_name).in_experiment == bool(text)  # what is no id may be any text


class Staff:
    """A member of the team, as Django has it."""

    is_staff = True


def test_the_ready_predicates_take_any_frameworks_request() -> None:
    """What a framework has not is not so."""

    class Plain:
        def __init__(self) -> None:
            self.headers = {"user-agent": "curl/8"}

    class WithUser(Plain):
        user = Staff()

    assert not is_staff(Plain())
    assert is_staff(WithUser())
    assert not is_bot(Plain())
