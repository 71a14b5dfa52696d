"""Variations that a calling service shows already, so that this one shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from abmiddleware.facts import Predicate, RequestFacts, holds
from abmiddleware.telemetry.baggage import HEADER, may_tell, read
from abmiddleware.value_checks import check_function, check_names, refuse


@dataclass(frozen=True, slots=True)
class Baggage:
    """Takes over variations from the `baggage` header of the team's own services.

        Engine(baggage=Baggage(["checkout-button"], trusted=is_internal))

    The caller sent them by `experiments.headers([...])`, and has recorded the exposures, so that
    none is recorded here.

    Raises:
        ConfigurationError: `accept` is no list of keys, or `trusted` is no function.
    """

    #: The keys of the experiments.
    accept: Sequence[str]
    #: Tells of a request whether its header is to be believed: anybody may send one.
    trusted: Predicate

    def __post_init__(self) -> None:
        check_names("baggage.accept", self.accept)
        check_function("baggage.trusted", self.trusted)
        if self.trusted is None:
            raise refuse("baggage.trusted", None, "a function of the request")

    def variations(self, facts: RequestFacts) -> dict[str, str]:
        """Return the names of the variations that a request's caller shows, by experiment key."""
        header = facts.header(HEADER)
        # First whom to trust: of what it cannot read OpenTelemetry logs all.
        if not may_tell(header) or not holds("baggage.trusted", self.trusted, facts):
            return {}
        told = read(header)
        return {key: told[key] for key in self.accept if key in told}
