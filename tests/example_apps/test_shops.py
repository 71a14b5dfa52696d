"""The same shop in three frameworks, over real HTTP, under its real server."""

from __future__ import annotations

import httpx2
import pytest

from example_apps.demo.sight import (
    products_on,
    shown_by_checkout,
    shown_by_listing,
    shown_by_order,
    shown_by_product,
)
from example_apps.shop.catalogue import BY_SLUG, CATALOGUE
from example_apps.shop.experiments import LAYOUT, PRICE, RANKING, TERMS
from tests.example_apps.conftest import Shop

PATHS = (
    "/",
    "/product/kochere",
    "/checkout?product=kochere",
    "/checkout",
    "/thanks",
    "/about",
    "/api/recommendations",
    "/api/price",
)


def id_of(visitor: httpx2.Client) -> str:
    """Return the visitor id in a browser's cookie."""
    return (visitor.cookies.get("ab_id") or "").partition(".")[0]


def tour(visitor: httpx2.Client) -> dict[str, str]:
    """Return every variation that a visitor is shown."""
    return {
        **shown_by_listing(visitor.get("/").text),
        **shown_by_product(visitor.get("/product/kochere").text),
        **shown_by_checkout(visitor.get("/checkout?product=kochere").text),
    }


@pytest.mark.parametrize("path", PATHS)
def test_page_answers(shop: Shop, path: str) -> None:
    """Every page answers at the first request of a visitor."""
    with shop.visitor() as visitor:
        assert visitor.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/nothing", "/product/nothing", "/checkout?product=nothing"])
def test_unknown_address(shop: Shop, path: str) -> None:
    """An address that is none gets the shop's own page, which asks for no experiment."""
    with shop.visitor() as visitor:
        response = visitor.get(path)
    assert response.status_code == 404
    assert "There is no coffee" in response.text
    assert "set-cookie" not in response.headers


def test_variations_stay(shop: Shop) -> None:
    """A visitor who keeps cookies keeps all variations."""
    for number in range(8):
        with shop.visitor(f"staying {number}") as visitor:
            assert tour(visitor) == tour(visitor)


def test_variations_differ(shop: Shop) -> None:
    """Among some visitors each variation of the page's layout is seen."""
    seen = set()
    for _ in range(30):
        with shop.visitor() as visitor:
            seen.add(shown_by_listing(visitor.get("/").text)[LAYOUT.key])
    assert seen == {"grid", "list"}


def test_cookie_is_set_once(shop: Shop) -> None:
    """The first request sets the visitor's cookie, the second sets none."""
    with shop.visitor() as visitor:
        first, second = visitor.get("/"), visitor.get("/product/kochere")
    assert first.headers["set-cookie"].startswith("ab_id=")
    assert "set-cookie" not in second.headers
    assert first.headers["vary"] == second.headers["vary"] == "Cookie"
    assert first.headers["cache-control"] == second.headers["cache-control"] == "private"


@pytest.mark.parametrize("path", ["/about", "/thanks"])
def test_page_without_experiments(shop: Shop, path: str) -> None:
    """A page that asks for no experiment may be cached for everybody."""
    with shop.visitor() as visitor:
        response = visitor.get(path)
    assert "set-cookie" not in response.headers
    assert "cookie" not in response.headers.get("vary", "").lower()
    assert "private" not in response.headers.get("cache-control", "")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", {RANKING.key, LAYOUT.key}),
        ("/product/kochere", {PRICE.key}),
        ("/checkout?product=kochere", {PRICE.key}),
        ("/api/recommendations", {RANKING.key}),
        ("/api/price", {PRICE.key}),
    ],
)
def test_exposed_where_it_shows(shop: Shop, path: str, expected: set[str]) -> None:
    """A page exposes the experiments that show on it, and no others."""
    with shop.visitor() as visitor:
        visitor.get(path)
        rows = shop.exposures(id_of(visitor))
    assert {row.experiment_key for row in rows} == expected
    assert len(rows) == len(expected)


def test_journal_holds_what_was_shown(shop: Shop) -> None:
    """The variations in the journal are those that the visitor saw."""
    with shop.visitor() as visitor:
        shown = tour(visitor)
        rows = shop.exposures(id_of(visitor))
    assert {row.experiment_key: row.variation_key for row in rows} == shown


@pytest.mark.parametrize("company", [None, "Acme"])
def test_purchase(shop: Shop, company: str | None) -> None:
    """A purchase is recorded for the visitor and their company, at the price that was shown."""
    with shop.visitor(company) as visitor:
        checkout = visitor.get("/checkout?product=kochere")
        response = visitor.post("/buy?product=kochere")
        units = {"id": id_of(visitor)} | ({"company": "acme"} if company else {})
    assert (response.status_code, response.headers["location"]) == (303, "/thanks")
    (row,) = shop.purchases(units["id"])
    assert (row.event, row.unit_ids, row.properties) == ("purchase", units, {"product": "kochere"})
    assert row.value == float(shown_by_checkout(checkout.text)[PRICE.key])


def test_purchase_is_posted(shop: Shop) -> None:
    """A link to the purchase buys nothing."""
    with shop.visitor() as visitor:
        assert visitor.get("/buy?product=kochere").status_code == 405


def test_company_shares_its_terms(shop: Shop) -> None:
    """All people of a company are offered the same terms, however its name comes."""
    for number in range(6):
        with shop.visitor(f"Shared {number} Ltd") as one, shop.visitor() as other:
            ours = shown_by_checkout(one.get("/checkout").text)
            theirs = shown_by_checkout(other.get(f"/checkout?company=shared+{number}++LTD").text)
            assert id_of(one) != id_of(other)
        assert ours[TERMS.key] == theirs[TERMS.key]
        rows = [row for row in shop.exposures(f"shared {number} ltd") if row.unit_type == "company"]
        assert [row.variation_key for row in rows] == [ours[TERMS.key]] * 2


def test_ranking_orders_recommendations(shop: Shop) -> None:
    """The visitor's model orders recommendations and listing; both models are seen."""
    expected = {
        "popularity": ["harbour", "morning-train", "old-quarter"],
        "relevance": ["kochere", "gesha-lot-9", "nyeri-hill"],
    }
    seen = set()
    for _ in range(30):
        with shop.visitor() as visitor:
            advice = visitor.get("/api/recommendations").json()
            listing = visitor.get("/").text
        assert advice["products"] == expected[advice["model"]] == products_on(listing)[:3]
        assert shown_by_order(advice["products"]) == {RANKING.key: advice["model"]}
        assert len(products_on(listing)) == len(CATALOGUE)
        seen.add(advice["model"])
    assert seen == set(expected)


def test_taste_moves_the_relevance_model(shop: Shop) -> None:
    """The relevance model answers to what the visitor likes, the popularity model does not."""
    for _ in range(10):
        with shop.visitor() as visitor:
            advice = visitor.get("/api/recommendations?taste=fruit").json()
        tastes = [BY_SLUG[slug].taste for slug in advice["products"]]
        assert (tastes == ["fruit"] * 3) == (advice["model"] == "relevance")


def test_company_name_is_escaped(shop: Shop) -> None:
    """What a visitor types comes back as text, never as HTML."""
    with shop.visitor() as visitor:
        page = visitor.get("/checkout", params={"company": '<b>"x"&'}).text
    assert "<b>" not in page
    assert "&lt;b&gt;&quot;x&quot;&amp;" in page
    assert "company=%3Cb%3E%22x%22%26" in page
