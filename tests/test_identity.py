"""The visitor id and its cookie."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abmiddleware import ConfigurationError, VisitorCookie, identity
from abmiddleware.identity import SetCookie, Visitor, new_visitor_id

TODAY = 20_779
YEAR = 365 * 86_400


@pytest.fixture(autouse=True)
def _fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "today", lambda: TODAY)


# Ids.


def test_ids_are_128_random_bits_in_our_form() -> None:
    """No two visitors get the same id, and each bit is random."""
    ids = {new_visitor_id() for _ in range(2000)}

    assert len(ids) == 2000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", one) for one in ids)
    assert {one[-1] for one in ids} == set("AQgw")
    assert len({one[0] for one in ids}) == 64


def test_an_issued_visitor_is_read_back() -> None:
    """The browser's answer to our cookie is the same visitor."""
    visitor = Visitor.issue()
    read = Visitor.find(f"ab_id={visitor.value()}", "ab_id")

    assert read == Visitor(visitor.id, TODAY)
    assert visitor.is_new
    assert read is not None
    assert not read.is_new


GOOD = "V1StGXR8_Z5jdHi6B-myTQ.20779"

FOREIGN = [
    "",
    "null",
    "undefined",
    "V1StGXR8_Z5jdHi6B-myTQ",
    "V1StGXR8_Z5jdHi6B-myTQ.",
    "V1StGXR8_Z5jdHi6B-myT.20779",
    "V1StGXR8_Z5jdHi6B-myTQQ.20779",
    "V1StGXR8_Z5jdHi6B-myTB.20779",
    "V1StGXR8_Z5jdHi6B-my+Q.20779",
    "V1StGXR8_Z5jdHi6B-myTQ.-1",
    "V1StGXR8_Z5jdHi6B-myTQ.2077900",
    "V1StGXR8_Z5jdHi6B-myTQ.٢٠٧٧٩",
    "V1StGXR8_Z5jdHi6B-myTQ.20779 Secure",
    "x V1StGXR8_Z5jdHi6B-myTQ.20779",
    "=V1StGXR8_Z5jdHi6B-myTQ.20779",
    '"V1StGXR8_Z5jdHi6B-myTQ".20779',
    "<script>alert(1)</script>.20779",
    "x" * 100_000,
]


@pytest.mark.parametrize("value", FOREIGN, ids=range(len(FOREIGN)))
def test_a_cookie_that_is_not_ours_names_nobody(value: str) -> None:
    """Broken clients and forgers do not share one visitor or choose their text."""
    assert Visitor.find(f"ab_id={value}", "ab_id") is None


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{20,23}[.][0-9]{0,7}\n?", fullmatch=True))
@example(GOOD)
def test_any_text_is_read_only_in_our_form(value: str) -> None:
    """What is read is an id and a day of issue that we could have set."""
    visitor = Visitor.find(f"ab_id={value}", "ab_id")

    if visitor is not None:
        assert re.fullmatch("[A-Za-z0-9_-]{21}[AQgw]", visitor.id)
        found = re.search(rf"{visitor.id}[.]([0-9]+)", value)
        assert found is not None
        assert int(found[1]) == visitor.day
        assert not visitor.is_new
        assert value.isascii()
        assert value.isprintable()


# Renewal.


@pytest.mark.parametrize(
    ("age", "is_due"), [(0, False), (1, False), (121, False), (122, True), (365, True), (-1, True)]
)
def test_a_cookie_is_renewed_after_a_third_of_its_life(age: int, is_due: bool) -> None:
    """An active visitor's cookie never runs out; one that claims to be of the future is mended."""
    visitor = Visitor(new_visitor_id(), TODAY - age)

    assert visitor.is_due(YEAR) is is_due
    assert visitor.value() == f"{visitor.id}.{TODAY}"


def test_a_new_visitor_is_due() -> None:
    """The first response sets the cookie."""
    assert Visitor.issue().is_due(YEAR)


@pytest.mark.parametrize(("max_age", "is_due"), [(3600, True), (86_400, True), (3 * 86_400, False)])
def test_short_lives_are_renewed_by_every_response(max_age: int, is_due: bool) -> None:
    """A cookie that lives an hour must not run out amid a visit on one day."""
    assert Visitor(new_visitor_id(), TODAY).is_due(max_age) is is_due


# The cookie as it is set.


def test_the_header_says_what_the_policy_says() -> None:
    """The default cookie is a year long, for the whole site, and hidden from scripts."""
    header = SetCookie(GOOD, VisitorCookie(), secure=True).header()

    name, *attributes = header.split("; ")
    assert name == f"ab_id={GOOD}"
    assert sorted(attributes) == [
        "HttpOnly",
        "Max-Age=31536000",
        "Path=/",
        "SameSite=Lax",
        "Secure",
    ]


def test_the_header_leaves_out_what_is_off() -> None:
    """Over plain http there is no Secure, and scripts may read it where a team wants so."""
    cookie = VisitorCookie(
        "visitor", 86_400, "/shop", "shop.example", http_only=False, same_site="Strict"
    )
    name, *attributes = SetCookie(GOOD, cookie, secure=False).header().split("; ")

    assert name == f"visitor={GOOD}"
    assert sorted(attributes) == [
        "Domain=shop.example",
        "Max-Age=86400",
        "Path=/shop",
        "SameSite=Strict",
    ]


def test_the_header_is_read_back_by_others() -> None:
    """The value needs no quotes, so that every client sends back what was set."""
    jar: SimpleCookie = SimpleCookie()
    jar.load(SetCookie(GOOD, VisitorCookie(), secure=True).header())

    assert jar["ab_id"].value == jar["ab_id"].coded_value == GOOD


def test_the_options_are_those_of_set_cookie() -> None:
    """Django and Flask are told the same as the header says."""
    cookie = VisitorCookie(domain="shop.example")

    assert SetCookie(GOOD, cookie, secure=True).options() == {
        "key": "ab_id",
        "value": GOOD,
        "max_age": YEAR,
        "path": "/",
        "domain": "shop.example",
        "secure": True,
        "httponly": True,
        "samesite": "Lax",
    }


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "cookie.name: is '', must be letters"),
    ({"name": "a b"}, "cookie.name"),
    ({"name": "a=b"}, "cookie.name"),
    ({"name": "ab_id\n"}, "cookie.name"),
    ({"name": "x" * 65}, "cookie.name"),
    ({"name": "Path"}, "cookie.name: is 'Path', must not be"),
    ({"name": "secure"}, "cookie.name"),
    ({"max_age": 0}, "cookie.max_age: is 0, must be 1 to 34560000 seconds"),
    ({"max_age": -1}, "cookie.max_age"),
    ({"max_age": True}, "cookie.max_age"),
    ({"max_age": 1.5}, "cookie.max_age"),
    ({"max_age": 401 * 86_400}, "cookie.max_age"),
    ({"path": ""}, "cookie.path"),
    ({"path": "shop"}, "cookie.path"),
    ({"path": "/; Domain=evil.example"}, "cookie.path"),
    ({"path": "/\r\nX-Evil: 1"}, "cookie.path"),
    ({"domain": ""}, "cookie.domain"),
    ({"domain": "a; Secure"}, "cookie.domain"),
    ({"same_site": "lax"}, "cookie.same_site: is 'lax', must be 'Lax', 'Strict' or 'None'"),
    ({"same_site": None}, "cookie.same_site"),
    ({"same_site": "None"}, "must come with secure=True"),
]


@pytest.mark.parametrize(("options", "message"), WRONG, ids=[str(options) for options, _ in WRONG])
def test_what_browsers_refuse_is_refused_at_set_up(options: dict[str, Any], message: str) -> None:
    """A wrong option is told when the application starts, by its name and with the mend."""
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        VisitorCookie(**options)


def test_a_cookie_for_other_sites_must_be_secure() -> None:
    """SameSite=None is allowed with Secure."""
    cookie = VisitorCookie(same_site="None", secure=True)

    assert "SameSite=None; Secure" in SetCookie(GOOD, cookie, secure=True).header().replace(
        "HttpOnly; ", ""
    )


OURS, OTHER = "AbCdEfGhIjKlMnOpQrStUg.20000", "DNVreglJmySzisLLREMJIg.20000"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        (f"ab_id={OURS}", OURS),
        (f"a=1; ab_id={OURS}; b=2", OURS),
        (f"a=1;ab_id = {OURS} ;b=2", OURS),
        (f'ab_id="{OURS}"', OURS),
        (f"ab_id={OURS}; ab_id={OTHER}", OURS),
        (f"ab_id=bad; ab_id={OTHER}", OTHER),
        (f"ab_id2={OURS}; xab_id={OURS}", None),
        ("other=ab_id", None),
        ("ab_id", None),
        ("ab_id=", None),
        (f";;=;ab_id={OURS}", OURS),
    ],
)
def test_a_cookie_is_found_in_its_header(header: str, expected: str | None) -> None:
    """The first cookie of the name in our form is found among others, however they are spaced."""
    found = Visitor.find(header, "ab_id")

    assert (found and f"{found.id}.{found.day}") == expected
