"""The visitors: real HTTP requests, each visitor with cookies of their own."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import httpx2

from example_apps.demo import sight
from example_apps.demo.truth import companies_of, purchase_chance
from example_apps.shop.experiments import TERMS

#: Visitors in the shop at once.
_CONCURRENCY: Final = 12

_LIMITS: Final = httpx2.Limits(
    max_connections=_CONCURRENCY,
    max_keepalive_connections=_CONCURRENCY,
    keepalive_expiry=1,  # sooner than any server closes
)


@dataclass(slots=True)
class Visit:
    """What one visitor was shown and did."""

    company: str | None
    visitor_id: str = ""
    #: The first variation shown, by experiment key.
    shown: dict[str, str] = field(default_factory=dict)
    #: How many delivered responses showed each experiment.
    exposures: Counter[str] = field(default_factory=Counter)
    purchases: int = 0
    responses: int = 0
    #: What changed from one request to the next, though it must not.
    changes: list[str] = field(default_factory=list)

    def see(self, shown: sight.Shown) -> None:
        """Take in what a response shows."""
        for key, variation in shown.items():
            self.exposures[key] += 1
            if self.shown.setdefault(key, variation) != variation:
                self.changes.append(f"{key} was {self.shown[key]}, then {variation}")

    def unit(self, key: str) -> str:
        """Return the unit that an experiment randomises this visitor by."""
        return (self.company or "") if key == TERMS.key else self.visitor_id


async def send_visitors(address: str, visitors: int, on_visit: Callable[[], None]) -> list[Visit]:
    """Send visitors to a shop, some at once, and return what they saw.

    Raises:
        httpx2.HTTPError: a response is missing or is an error.
        ValueError: a page does not show what it should.
    """
    waiting = iter(companies_of(visitors))
    async with httpx2.AsyncHTTPTransport(limits=_LIMITS, trust_env=False) as transport:
        groups = [
            _visit_in_turn(address, transport, waiting, on_visit) for _ in range(_CONCURRENCY)
        ]
        return [visit for group in await asyncio.gather(*groups) for visit in group]


async def _visit_in_turn(
    address: str,
    transport: httpx2.AsyncHTTPTransport,
    waiting: Iterator[str | None],
    on_visit: Callable[[], None],
) -> list[Visit]:
    visits = []
    for company in waiting:  # shared by all groups: each takes the next who waits
        # Not closed: that would close the transport, which all visitors share.
        browser = httpx2.AsyncClient(
            base_url=address,
            transport=transport,
            headers={"X-Company": company} if company else {},
            follow_redirects=True,
            trust_env=False,
        )
        visits.append(await _visit(browser, Visit(company)))
        on_visit()
    return visits


async def _visit(browser: httpx2.AsyncClient, visit: Visit) -> Visit:
    """Look around, buy or not, and come back."""
    listing = await _open(browser, visit, "/")
    visit.visitor_id = _visitor_id(browser)
    visit.see(sight.shown_by_listing(listing.text))
    product = sight.products_on(listing.text)[0]
    visit.see(sight.shown_by_product((await _open(browser, visit, f"/product/{product}")).text))
    checkout = await _open(browser, visit, f"/checkout?product={product}")
    visit.see(sight.shown_by_checkout(checkout.text))
    if random.random() < purchase_chance(visit.shown):  # noqa: S311  # a visitor, not a secret
        await _open(browser, visit, f"/buy?product={product}", method="POST")
        visit.purchases += 1
    advice = await _open(browser, visit, "/api/recommendations")
    visit.see(sight.shown_by_order(advice.json()["products"]))
    visit.see(sight.shown_by_listing((await _open(browser, visit, "/")).text))
    if _visitor_id(browser) != visit.visitor_id:
        visit.changes.append("the visitor id was set anew")
    return visit


async def _open(
    browser: httpx2.AsyncClient, visit: Visit, path: str, method: str = "GET"
) -> httpx2.Response:
    response = (await browser.request(method, path)).raise_for_status()
    visit.responses += 1 + len(response.history)
    return response


def _visitor_id(browser: httpx2.AsyncClient) -> str:
    """Return the id in the visitor's cookie; behind its point stands the day of issue."""
    return (browser.cookies.get("ab_id") or "").partition(".")[0]
