"""The shop in FastAPI: the middleware once, and the `Experiments` dependency where it is asked."""

from __future__ import annotations

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.requests import HTTPConnection

from abmiddleware import Engine
from abmiddleware_fastapi import Experiments, ExperimentsMiddleware
from example_apps.shop import pages
from example_apps.shop.catalogue import BY_SLUG, CATALOGUE, Product
from example_apps.shop.experiments import (
    EXPERIMENTS,
    LAYOUT,
    PRICE,
    RANKING,
    TERMS,
    company_id,
)
from example_apps.shop.serving import journal_path


def company_of(connection: HTTPConnection) -> str | None:
    """Return the attribute `company` of a request; called only when an experiment reads it."""
    return company_id(connection.headers.get("X-Company") or connection.query_params.get("company"))


app = FastAPI(title="Kiln & Cup")
app.add_middleware(
    ExperimentsMiddleware,
    engine=Engine(
        EXPERIMENTS,
        attributes={"company": company_of},
        journal=journal_path("shop-fastapi"),
        service="shop-fastapi",
    ),
)


def product_or_404(slug: str) -> Product:
    """Return a product."""
    if slug not in BY_SLUG:
        raise HTTPException(404)
    return BY_SLUG[slug]


@app.exception_handler(404)
async def not_found(_: object, __: Exception) -> HTMLResponse:
    """Answer an address that is none."""
    return HTMLResponse(pages.not_found_page(), 404)


@app.get("/", response_class=HTMLResponse)
async def listing(experiments: Experiments) -> str:
    """List the coffees: layout and ranking show here."""
    rank = experiments.run(RANKING).value
    layout = experiments.run(LAYOUT).value
    return pages.listing_page(rank(CATALOGUE, ""), layout, experiments.assignments)


@app.get("/product/{slug}", response_class=HTMLResponse)
async def product(slug: str, experiments: Experiments) -> str:
    """Show one coffee: the price shows here."""
    chosen = product_or_404(slug)
    price = experiments.run(PRICE).value
    return pages.product_page(chosen, price, experiments.assignments)


@app.get("/checkout", response_class=HTMLResponse)
async def checkout(experiments: Experiments, product: str = CATALOGUE[0].slug) -> str:
    """Offer to buy: price and, for a company, payment terms show here."""
    chosen = product_or_404(product)
    price = experiments.run(PRICE).value
    terms = experiments.run(TERMS)
    return pages.checkout_page(chosen, price, terms, experiments.assignments)


# Without protection against forged forms: nobody signs in, and nothing is charged.
@app.post("/buy")
async def buy(experiments: Experiments, product: str = CATALOGUE[0].slug) -> RedirectResponse:
    """Record the purchase; `peek` because the checkout showed the price already."""
    chosen = product_or_404(product)
    experiments.track("purchase", experiments.peek(PRICE).value, product=chosen.slug)
    return RedirectResponse("/thanks", 303)


@app.get("/thanks", response_class=HTMLResponse)
async def thanks() -> str:
    """Say thanks."""
    return pages.thanks_page()


@app.get("/about", response_class=HTMLResponse)
async def about() -> str:
    """Tell about the shop; it asks for no experiment, so any cache may keep it."""
    return pages.about_page()


@app.get("/api/recommendations")
async def recommendations(experiments: Experiments, taste: str = "") -> dict[str, object]:
    """Recommend three coffees, by the visitor's ranking model."""
    ranking = experiments.run(RANKING)
    best = ranking.value(CATALOGUE, taste)[:3]
    return {"model": ranking.key, "products": [product.slug for product in best]}


@app.get("/api/price")
async def price(experiments: Experiments) -> dict[str, object]:
    """Return the price of a bag."""
    return {"price": experiments.run(PRICE).value, "currency": "EUR"}
