"""The store in a cookie: signed, short, and of its visitor only."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.cookies import SimpleCookie
from random import Random
from threading import Barrier
from typing import Any

import pytest
from django.http import HttpResponse
from hypothesis import example, given
from hypothesis import strategies as st

from abmiddleware import ConfigurationError, identity
from abmiddleware.sticky import (
    CookieSession,
    CookieStickyStore,
    StickyDocument,
    StickyStore,
    sealed,
)
from tests.sticky.places import SECRET

STORE = CookieStickyStore(SECRET)
OTHER_SECRET = SECRET[::-1]
TODAY = identity.today()


@pytest.fixture(autouse=True)
def _fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "today", lambda: TODAY)


def visitor(*names: str, value: str = "1", unit: str = "u1") -> StickyDocument:
    return StickyDocument("id", unit, {f"{name}__0": value for name in names})


def value_of(session: CookieSession) -> str:
    cookie = session.set_cookie(is_secure=True)
    assert cookie is not None
    return cookie.value


def saved(*documents: StickyDocument, store: CookieStickyStore = STORE, header: str = "") -> str:
    """Return the `Cookie` header of a browser after a response to a request with `header`."""
    session = store.open(header)
    for document in documents:
        session.save(document)
    return f"{store.cookie.name}={value_of(session)}"


def kept(header: str, store: CookieStickyStore = STORE, unit: str = "u1") -> dict[str, str]:
    """Return the assignments of a visitor in a `Cookie` header."""
    document = store.open(header).load([f"id||{unit}"]).get(f"id||{unit}")
    return {} if document is None else dict(document.assignments)


HEADER = saved(visitor("button"))
VALUE = HEADER.partition("=")[2]
BUTTON = {"button__0": "1"}


# From request to request.


def test_the_next_request_has_what_was_saved() -> None:
    """The cookie brings every document back, beside other cookies."""
    device = StickyDocument("deviceId", "d1", {"price__0": "low"})
    header = f"a=b; {saved(visitor('button'), device)}; ab_id=x"
    session = STORE.open(header)

    assert session.load(["id||u1", "deviceId||d1", "id||u2"]) == {
        "id||u1": visitor("button"),
        "deviceId||d1": device,
    }
    assert isinstance(session, StickyStore)


def test_requests_add_to_the_cookie() -> None:
    """Each response's cookie has the assignments of all requests before."""
    header = saved(visitor("price"), header=HEADER)

    assert kept(header) == {"button__0": "1", "price__0": "1"}


def test_a_save_is_seen_in_the_same_request() -> None:
    """An evaluation that follows in the request sees the assignment at once."""
    session = STORE.open(HEADER)
    session.save(visitor("price"))

    assert session.load(["id||u1"]) == {"id||u1": visitor("button", "price")}


@pytest.mark.parametrize("header", ["", HEADER, "ab_sticky=forged"], ids=["none", "ours", "forged"])
def test_a_request_that_changes_nothing_sets_no_cookie(header: str) -> None:
    """Neither a load, nor a save of what is there, sets a cookie; nor does an unused session."""
    session = STORE.open(header)
    assert session.set_cookie(is_secure=True) is None

    session.load(["id||u1"])
    if header == HEADER:
        session.save(visitor("button"))
    assert session.set_cookie(is_secure=True) is None


def test_a_changed_assignment_replaces_the_old_one() -> None:
    """The later variation counts."""
    assert kept(saved(visitor("button", value="0"), header=HEADER)) == {"button__0": "0"}


def test_what_differs_is_set_as_the_options_say() -> None:
    """The cookie carries the options of the store."""
    store = CookieStickyStore(
        SECRET, name="s", max_age=100, path="/shop", domain="example.com", same_site="Strict"
    )
    session = store.open("")
    session.save(visitor("button"))
    cookie = session.set_cookie(is_secure=True)
    assert cookie is not None

    assert cookie.options() == {
        "key": "s",
        "value": cookie.value,
        "max_age": 100,
        "path": "/shop",
        "domain": "example.com",
        "secure": True,
        "httponly": True,
        "samesite": "Strict",
    }


def test_by_default_it_lives_for_180_days_out_of_reach_of_scripts() -> None:
    """The header is one that browsers take, with the value as it is, unquoted."""
    session = STORE.open("")
    session.save(visitor("button"))
    cookie = session.set_cookie(is_secure=False)
    assert cookie is not None

    assert cookie.header() == (
        f"ab_sticky={cookie.value}; HttpOnly; Max-Age=15552000; Path=/; SameSite=Lax"
    )
    response = HttpResponse()
    response.set_cookie(**cookie.options())  # type: ignore[arg-type]
    assert response.cookies["ab_sticky"].value == cookie.value
    assert SimpleCookie(cookie.header())["ab_sticky"].value == cookie.value


@pytest.mark.parametrize(
    ("secure", "expected"), [(None, [False, True]), (True, [True] * 2), (False, [False] * 2)]
)
def test_https_decides_unless_told(secure: bool | None, expected: list[bool]) -> None:
    """The cookie is for https only if the request came by it, or if the store says so."""
    session = CookieStickyStore(SECRET, secure=secure).open("")
    session.save(visitor("button"))
    cookies = [session.set_cookie(is_secure) for is_secure in (False, True)]

    assert [cookie.secure for cookie in cookies if cookie] == expected


# What it shows, and how long it is.


def test_it_shows_no_id_and_holds_nothing_that_firewalls_stop_at() -> None:
    """The value is base64url, and the ids of the units are not in it."""
    value = VALUE

    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", value)
    for unit in ("u1", "anna@example.com"):
        content = STORE.open(saved(visitor("button", unit=unit)))._entries()
        assert unit not in repr(content)


def numbered(numbers: range) -> list[StickyDocument]:
    """Return documents of experiments as they are really named."""
    words = ["checkout", "pricing", "onboarding", "search", "banner", "signup", "email"]
    tests = ["button-copy", "layout", "free-trial", "ranking-model", "color", "social-proof"]
    chosen = Random(0)  # noqa: S311  # the same in each run
    return [
        visitor(f"{chosen.choice(words)}-{chosen.choice(tests)}-{n}", value=chosen.choice("01"))
        for n in numbers
    ]


@pytest.mark.parametrize("max_bytes", [512, 1000, 3800, 4096])
def test_200_experiments_stay_within_the_bound_and_the_oldest_go_first(max_bytes: int) -> None:
    """Name and value are never longer than the bound; what is dropped is what came first."""
    store = CookieStickyStore(SECRET, max_bytes=max_bytes)
    documents = numbered(range(200))
    header = ""
    for start in range(0, 200, 20):
        header = saved(*documents[start : start + 20], store=store, header=header)
        assert len(header) <= max_bytes

    names = [name for document in documents for name in document.assignments]
    left = kept(header, store)
    assert list(left) == names[-len(left) :]
    assert len(left) >= max_bytes // 32


def test_the_bound_is_used() -> None:
    """One experiment more than fits drops about one, not half of them."""
    documents = numbered(range(2000))
    header = saved(*documents)

    assert 3700 <= len(header) <= 3800
    assert len(kept(header)) > 150


def test_assignments_that_do_not_compress_stay_within_the_bound() -> None:
    """Long keys of random letters are dropped in the same way, units mixed."""
    documents = [visitor(sha256(bytes([n])).hexdigest(), unit=f"u{n % 5}") for n in range(200)]
    header = saved(*documents)

    assert len(header) <= 3800
    assert kept(header, unit="u4").items() >= documents[199].assignments.items()


def test_what_changed_is_the_newest() -> None:
    """An assignment that changed is dropped after those that came between."""
    store = CookieStickyStore(SECRET, max_bytes=512)
    first, *others = numbered(range(100))
    changed = visitor(*(name.removesuffix("__0") for name in first.assignments), value="0")
    header = saved(first, *others, changed, store=store)

    assert list(kept(header, store).items())[-1] == next(iter(changed.assignments.items()))


def test_one_that_never_fits_drops_itself() -> None:
    """An assignment longer than the whole cookie leaves an empty one, which is valid."""
    store = CookieStickyStore(SECRET, max_bytes=512)
    noise = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(250))
    header = saved(visitor("button"), visitor(noise), store=store)

    assert len(header) <= 512
    assert kept(header, store) == {}


# What is not ours is nothing.


def test_a_cookie_with_any_one_byte_changed_is_empty() -> None:
    """Each byte of the value counts, down to the unused bits of its last letters."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
    for position, letter in enumerate(VALUE):
        for other in alphabet if position % 9 == 0 or position > len(VALUE) - 3 else "AB":
            if other != letter:
                forged = f"{VALUE[:position]}{other}{VALUE[position + 1 :]}"
                assert kept(f"ab_sticky={forged}") == {}, (position, other)


def test_a_cookie_that_was_cut_or_grew_is_empty() -> None:
    """Every shorter value is refused, and every longer one."""
    for end in range(len(VALUE)):
        assert kept(f"ab_sticky={VALUE[:end]}") == {}
    for more in ("A", "=", ".", "A" * 10_000, " x", f".{VALUE}"):
        assert kept(f"ab_sticky={VALUE}{more}") == {}
        assert kept(f"ab_sticky={more}{VALUE}") == {}


def test_an_oversized_cookie_is_not_even_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that no browser keeps costs no signature."""
    monkeypatch.setattr("abmiddleware.signing._signature", None)

    assert kept(f"ab_sticky={'A' * 5000}.{VALUE[-43:]}") == {}


FOREIGN = {
    "another secret": CookieStickyStore(OTHER_SECRET),
    "another name": CookieStickyStore(SECRET, name="other"),
}


@pytest.mark.parametrize("store", FOREIGN.values(), ids=FOREIGN)
def test_a_value_of_another_seal_is_empty(store: CookieStickyStore) -> None:
    """A value signed by another secret, or for a cookie of another name, is refused."""
    value = saved(visitor("button"), store=store).partition("=")[2]

    assert kept(f"ab_sticky={value}") == {}


def test_another_units_cookie_is_of_no_use() -> None:
    """Whoever copies a cookie gets no assignment without the id that it was made for."""
    assert kept(HEADER, unit="u2") == {}


def test_the_first_valid_one_of_several_counts() -> None:
    """A forged cookie of the same name, such as of a parent domain, does not hide the real one."""
    later = saved(visitor("price"))

    assert kept(f"ab_sticky=forged; {HEADER}; {later}") == BUTTON
    assert kept(f"xab_sticky={VALUE}; ab_stickyx={VALUE}") == {}
    assert kept(f' ab_sticky = "{VALUE}" ') == BUTTON


def test_a_signed_value_in_another_form_is_empty() -> None:
    """What another version of this library may have packed raises nothing."""
    seal = sealed.Seal(SECRET, "ab_sticky")
    contents = [b"", b"\x00", zlib.compress(b"{}"), *map(_deflated, [b"", b"{}", b"[1,[[1]]]"])]
    contents.append(_deflated(b" " * (2 << 20) + b"[1,[]]"))  # unpacks to more than it may
    for content in contents:
        assert kept(f"ab_sticky={seal._signer.sign(content or b'A')}") == {}


def _deflated(content: bytes) -> bytes:
    return zlib.compress(content, wbits=-15)


TOKENS = st.sampled_from(["ab_sticky", "=", ";", " ", ".", '"', VALUE, VALUE[:20], VALUE[-43:]])


@given(st.text() | st.lists(TOKENS | st.text(max_size=3)).map("".join))
@example("ab_sticky=" + "A" * 60 + "." + "A" * 43)
@example("ab_sticky=\ud800; ab_sticky=\xff.\xff")
@example(HEADER)
def test_no_header_raises(header: str) -> None:
    """Whatever a client sends, a visitor has what was signed for them, or nothing."""
    session = STORE.open(header)
    found = kept(header)
    assert found in ({}, BUTTON)

    session.save(visitor("price"))
    assert kept(f"ab_sticky={value_of(session)}") == {**found, "price__0": "1"}


@given(
    st.dictionaries(
        st.tuples(st.text(max_size=300), st.text(max_size=300)), st.text(max_size=300), max_size=30
    )
)
def test_whatever_is_saved_fits_or_goes(assignments: dict[tuple[str, str], str]) -> None:
    """With any texts at all the cookie is within its bound, and holds only what was saved."""
    session = STORE.open("")
    for (unit, name), variation in assignments.items():
        session.save(visitor(name, value=variation, unit=unit))
    cookie = session.set_cookie(is_secure=True)
    header = "" if cookie is None else f"ab_sticky={cookie.value}"

    assert len(header) <= 3800
    for unit, _ in assignments:
        for key, variation in kept(header, unit=unit).items():
            assert assignments[unit, key.removesuffix("__0")] == variation


# Time and secrets.


@pytest.mark.parametrize(
    ("days", "is_renewed"), [(0, False), (60, False), (61, True), (400, True), (-1, True)]
)
def test_a_cookie_is_renewed_when_a_third_of_its_life_has_passed(
    days: int, is_renewed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor who comes back keeps their assignments, however long no new one is made."""
    monkeypatch.setattr(identity, "today", lambda: TODAY + days)
    session = STORE.open(HEADER)
    session.load(["id||u1"])
    cookie = session.set_cookie(is_secure=True)

    assert (cookie is not None) == is_renewed
    if cookie is not None:
        assert kept(f"ab_sticky={cookie.value}") == BUTTON


def test_a_cookie_of_less_than_three_days_is_renewed_by_every_response() -> None:
    """A day is too coarse to tell the age of such a cookie."""
    store = CookieStickyStore(SECRET, max_age=3600)
    session = store.open(saved(visitor("button"), store=store))
    session.load(["id||u1"])

    assert session.set_cookie(is_secure=True) is not None


def test_secrets_can_be_replaced_one_by_one() -> None:
    """With the new secret before the old one visitors keep all, and get the new signature."""
    rotated = CookieStickyStore([OTHER_SECRET, SECRET])
    session = rotated.open(HEADER)
    assert session.load(["id||u1"]) == {"id||u1": visitor("button")}

    header = f"ab_sticky={value_of(session)}"
    assert kept(header, CookieStickyStore(OTHER_SECRET)) == BUTTON
    assert kept(header, STORE) == {}
    assert kept(HEADER, CookieStickyStore(OTHER_SECRET)) == {}


WRONG_SECRETS: dict[str, tuple[Any, str]] = {
    "short": ("a" * 31, "secret: has 31 characters, must have at least 32, such as python -c"),
    "empty": ("", "secret: has 0 characters"),
    "none": ([], "secret: is a list, must be a text, or a list of texts"),
    "None": (None, "secret: is a NoneType, must be a text, or a list of texts"),
    "bytes": (b"a" * 32, "secret: is a bytes, must be a text, or a list of texts"),
    "second short": ([SECRET, "abc"], "secret[1]: has 3 characters"),
    "second bytes": ((SECRET, b"a" * 32), "secret[1]: is a bytes, must be a text"),
}


@pytest.mark.parametrize(("secret", "problem"), WRONG_SECRETS.values(), ids=WRONG_SECRETS)
def test_a_secret_that_could_be_guessed_is_refused(secret: Any, problem: str) -> None:
    """The error says which one and what it must be, and shows none."""
    with pytest.raises(ConfigurationError, match=f"^{re.escape(problem)}") as caught:
        CookieStickyStore(secret)

    assert "aaa" not in str(caught.value)
    assert SECRET not in str(caught.value)


def secrets_shown(store: CookieStickyStore) -> Iterator[str]:
    """Yield what a debugger or a log shows of a store."""
    yield repr(store)
    yield repr(vars(store))
    yield repr(vars(store._seal))


def test_no_store_shows_its_secret() -> None:
    """Neither a log line nor a crash report has it."""
    assert not any(SECRET in shown for shown in secrets_shown(STORE))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_bytes", 511),
        ("max_bytes", 4097),
        ("max_bytes", 1000.0),
        ("name", "a b"),
        ("max_age", 0),
        ("path", "shop"),
        ("domain", "a;b"),
        ("same_site", "None"),
    ],
    ids=str,
)
def test_an_option_that_browsers_refuse_is_refused(option: str, value: Any) -> None:
    """The error names the option."""
    with pytest.raises(ConfigurationError, match=rf"^(cookie\.)?{option}: is "):
        CookieStickyStore(SECRET, **{option: value})


def test_threads_of_one_request_lose_nothing() -> None:
    """Whoever saves first while the cookie is read, all assignments are in the next one."""
    header = saved(visitor("before"))
    names = [f"e{number}" for number in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(names)) as threads:
            for _ in range(100):
                session, start = STORE.open(header), Barrier(len(names))

                def save(
                    name: str, session: CookieSession = session, start: Barrier = start
                ) -> None:
                    start.wait(20)
                    session.save(visitor(name))

                list(threads.map(save, names))
                after = kept(f"{STORE.cookie.name}={value_of(session)}")
                assert set(after) == {f"{name}__0" for name in ("before", *names)}
    finally:
        sys.setswitchinterval(interval)
