"""The shop's views in Django: the middleware gives every request `experiments`."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from abmiddleware_django.middleware import ExperimentsHttpRequest
from example_apps.shop import pages
from example_apps.shop.catalogue import BY_SLUG, CATALOGUE, Product
from example_apps.shop.experiments import LAYOUT, PRICE, RANKING, TERMS


def product_or_404(slug: str) -> Product:
    """Return a product."""
    if slug not in BY_SLUG:
        raise Http404
    return BY_SLUG[slug]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that is none."""
    return HttpResponse(pages.not_found_page(), status=404)


def listing(request: ExperimentsHttpRequest) -> HttpResponse:
    """List the coffees: layout and ranking show here."""
    rank = request.experiments.run(RANKING).value
    layout = request.experiments.run(LAYOUT).value
    products = rank(CATALOGUE, "")
    return HttpResponse(pages.listing_page(products, layout, request.experiments.assignments))


def product(request: ExperimentsHttpRequest, slug: str) -> HttpResponse:
    """Show one coffee: the price shows here."""
    chosen = product_or_404(slug)
    price = request.experiments.run(PRICE).value
    return HttpResponse(pages.product_page(chosen, price, request.experiments.assignments))


def checkout(request: ExperimentsHttpRequest) -> HttpResponse:
    """Offer to buy: price and, for a company, payment terms show here."""
    chosen = product_or_404(request.GET.get("product", CATALOGUE[0].slug))
    price = request.experiments.run(PRICE).value
    terms = request.experiments.run(TERMS)
    assignments = request.experiments.assignments
    return HttpResponse(pages.checkout_page(chosen, price, terms, assignments))


@csrf_exempt  # Nobody signs in and nothing is charged; a real shop keeps the protection.
@require_POST
def buy(request: ExperimentsHttpRequest) -> HttpResponse:
    """Record the purchase; `peek` because the checkout showed the price already."""
    chosen = product_or_404(request.GET.get("product", CATALOGUE[0].slug))
    price = request.experiments.peek(PRICE).value
    request.experiments.track("purchase", price, product=chosen.slug)
    return HttpResponse(status=303, headers={"Location": "/thanks"})


def thanks(request: HttpRequest) -> HttpResponse:
    """Say thanks."""
    return HttpResponse(pages.thanks_page())


def about(request: HttpRequest) -> HttpResponse:
    """Tell about the shop; it asks for no experiment, so any cache may keep it."""
    return HttpResponse(pages.about_page())


def recommendations(request: ExperimentsHttpRequest) -> HttpResponse:
    """Recommend three coffees, by the visitor's ranking model."""
    ranking = request.experiments.run(RANKING)
    best = ranking.value(CATALOGUE, request.GET.get("taste", ""))[:3]
    return JsonResponse({"model": ranking.key, "products": [product.slug for product in best]})


def price(request: ExperimentsHttpRequest) -> HttpResponse:
    """Return the price of a bag."""
    return JsonResponse({"price": request.experiments.run(PRICE).value, "currency": "EUR"})
