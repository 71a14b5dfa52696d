"""The shop's pages: values in, HTML out. What an experiment decided comes as a plain value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from abmiddleware import Result
from example_apps.shop.catalogue import Product
from example_apps.shop.markup import Html, fill, joined
from example_apps.shop.style import STYLE

#: What the request's client decided so far: `experiments.assignments`.
Assignments = Mapping[str, Result[Any]]


def listing_page(
    products: Iterable[Product], layout: tuple[str, int], assignments: Assignments
) -> str:
    """Return the front page: all coffees, in the given order and layout."""
    form, columns = layout
    body = fill(
        "<h1>Coffee, roasted this week</h1>"
        '<p class="lead">Twelve coffees in 250 g bags, all at one price, sent the day after you '
        "order.</p>"
        '<ul class="products {form}" style="--columns: {columns}" data-layout="{form}" '
        'data-columns="{columns}">{cards}</ul>',
        form=form,
        columns=columns,
        cards=joined(_card(product) for product in products),
    )
    return _page("Coffees", body, assignments)


def product_page(product: Product, price: float, assignments: Assignments) -> str:
    """Return the page of one coffee, with its price."""
    body = fill(
        '<article class="panel product"><div class="stage">{bag}</div><div><h1>{name}</h1>'
        '<p class="soft">{notes}</p><dl><dt>Origin</dt><dd>{origin}</dd><dt>Rating</dt>'
        "<dd>★ {rating}</dd><dt>Roasted</dt><dd>{roasted}</dd></dl>"
        '<p class="price" data-price="{price}">€{price} <small>for 250 g</small></p>'
        '<a class="buy" href="/checkout?product={slug}">Buy a bag</a></div></article>',
        bag=_bag(product),
        name=product.name,
        notes=product.notes,
        origin=product.origin,
        rating=product.rating,
        roasted=_days_ago(product.days_since_roast),
        price=f"{price:.2f}",
        slug=product.slug,
    )
    return _page(product.name, body, assignments)


def checkout_page(
    product: Product, price: float, terms: Result[int], assignments: Assignments
) -> str:
    """Return the checkout: the sum, and how to pay; a company pays later, on its terms."""
    company = str(terms.hash_value) if terms.in_experiment else ""
    order = {"product": product.slug} | ({"company": company} if company else {})
    body = fill(
        '<section class="panel narrow"><h1>Checkout</h1><div class="line">{bag}'
        '<div class="words"><h2>{name}</h2><p class="soft">1 bag, 250 g</p></div>'
        '<p class="amount" data-price="{price}">€{price}</p></div>{payment}'
        '<form method="post" action="/buy?{order}"><button class="buy">Buy for €{price}</button>'
        "</form></section>",
        bag=_bag(product),
        name=product.name,
        price=f"{price:.2f}",
        payment=_invoice(company, terms.value) if company else _card_payment(product),
        order=urlencode(order),
    )
    return _page("Checkout", body, assignments)


def thanks_page() -> str:
    """Return the page after a purchase."""
    return _message(
        "Thank you",
        "Your coffee is on its way. (Nothing was charged: this shop is an example.)",
        "Back to the coffees",
    )


def not_found_page() -> str:
    """Return the page for an address that is none."""
    return _message("Not here", "There is no coffee at this address.", "See all coffees")


def about_page() -> str:
    """Return a page that asks for no experiment, and so may be cached for everybody."""
    body = Html(
        '<section class="narrow prose"><h1>About this shop</h1>'
        "<p>Kiln &amp; Cup is the example shop of abmiddleware. It runs four experiments: the "
        "price of a bag, the model that orders the coffees, the layout of the front page, and the "
        "payment terms, which are drawn by company.</p>"
        "<p>This page asks for none of them. Its response sets no cookie, says nothing of "
        "<code>Vary</code>, and may be kept by any cache.</p></section>"
    )
    return _page("About", body, {})


def _page(title: str, body: Html, assignments: Assignments) -> str:
    return fill(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} · Kiln &amp; Cup'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"><style>{style}</style></head><body><header>'
        '<div class="bar"><a class="brand" href="/">Kiln &amp; Cup</a><nav><a href="/">Coffees</a>'
        '<a href="/about">About</a></nav></div></header><main>{body}</main>'
        '<footer><div class="note">{note}</div></footer></body></html>',
        title=title,
        style=STYLE,
        body=body,
        note=_note(assignments),
    )


def _note(assignments: Assignments) -> Html:
    """Return what shaped the page; a real shop would not tell."""
    if not assignments:
        return Html("No experiment shaped this page.")
    told = [
        fill("<code>{key}: {variation}</code>", key=key, variation=result.key)
        for key, result in assignments.items()
        if result.in_experiment
    ]
    return Html("Shaped by " + " · ".join(told))


def _message(title: str, text: str, link: str) -> str:
    body = fill(
        '<section class="panel narrow"><h1>{title}</h1><p class="soft">{text}</p>'
        '<a class="buy" href="/">{link}</a></section>',
        title=title,
        text=text,
        link=link,
    )
    return _page(title, body, {})


def _card(product: Product) -> Html:
    return fill(
        '<li data-product="{slug}"><a href="/product/{slug}">{bag}<div class="words">'
        '<h2>{name}</h2><p>{notes}</p><p class="rating">★ {rating}</p></div></a></li>',
        slug=product.slug,
        bag=_bag(product),
        name=product.name,
        notes=product.notes,
        rating=product.rating,
    )


def _invoice(company: str, days: int) -> Html:
    return fill(
        '<p class="terms" data-terms="{days}"><strong>Invoice to <span>{company}</span></strong>'
        "To be paid within {days} days of delivery.</p>",
        days=days,
        company=company,
    )


def _card_payment(product: Product) -> Html:
    return fill(
        '<p class="terms"><strong>Payment by card</strong>Charged when the bag is sent.</p>'
        '<form class="company" action="/checkout"><label for="company">Ordering for a company? '
        'It gets an invoice.</label><input type="hidden" name="product" value="{slug}">'
        '<input id="company" name="company" placeholder="Company name" maxlength="64" required>'
        "<button>Use</button></form>",
        slug=product.slug,
    )


def _bag(product: Product) -> Html:
    """Return a drawing of the bag, in the coffee's colour."""
    return fill(
        '<svg class="bag" viewBox="0 0 80 110" aria-hidden="true">'
        '<path d="M14 14h52l6 14v72a6 6 0 0 1-6 6H14a6 6 0 0 1-6-6V28z" '
        'fill="hsl({hue} 42% 46%)"/><path d="M14 4h52v10H14z" fill="hsl({hue} 40% 36%)"/>'
        '<path d="M14 14h52l6 14H8z" fill="hsl({hue} 42% 54%)"/>'
        '<rect x="18" y="44" width="44" height="42" rx="4" fill="hsl({hue} 45% 93%)"/>'
        '<g transform="rotate(28 40 65)"><ellipse cx="40" cy="65" rx="9" ry="13" '
        'fill="hsl({hue} 38% 34%)"/><path d="M40 53c-5 8 5 15 0 24" fill="none" '
        'stroke="hsl({hue} 45% 93%)" stroke-width="2"/></g></svg>',
        hue=product.hue,
    )


def _days_ago(days: int) -> str:
    return "yesterday" if days == 1 else f"{days} days ago"
