"""Finds what was learnt: experiments of the ledger and their records, by words."""

from __future__ import annotations

import msgspec

from abmiddleware.design.designs import Designs
from abmiddleware.design.ledger import Ledger, Outcome, Step
from abmiddleware.design.lifecycle import Status
from abmiddleware.design.record import ExperimentRecord


class Card(msgspec.Struct, frozen=True):
    """What a team knows of an experiment."""

    key: str
    status: Status
    hypothesis: str
    owner: str
    surface: tuple[str, ...]
    tags: tuple[str, ...]
    #: The days of the first start and of the stop; "" for none.
    began: str
    stopped: str
    decision: str
    variation: str
    learnings: str
    outcome: Outcome | None

    @property
    def text(self) -> str:
        """All that can be searched, in small letters."""
        words = (
            *(self.key, self.status, self.hypothesis, self.owner, *self.surface, *self.tags),
            *(self.began, self.stopped, self.decision, self.learnings),
            self.outcome.metric if self.outcome else "",
        )
        return " ".join(words).casefold()


def cards(designs: Designs, ledger: Ledger) -> list[Card]:
    """Return the cards of all experiments that have a step, or a record; the latest last."""
    keys = dict.fromkeys([*designs.experiments, *ledger.keys()])
    made = [_card(key, designs, ledger) for key in keys]
    return sorted(made, key=lambda card: (card.stopped or card.began, card.key))


def search(found: list[Card], query: str) -> list[Card]:
    """Return the cards that have each word of a query, whatever its case; all for none."""
    words = query.casefold().split()
    return [card for card in found if all(word in card.text for word in words)]


def _card(key: str, designs: Designs, ledger: Ledger) -> Card:
    record = designs.experiments.get(key, ExperimentRecord())
    steps = ledger.steps(key)
    decided = _last(steps, "decided") or Step(at="", key=key, to="idea", by="")
    began, stopped = next((one for one in steps if one.digest), None), _last(steps, "stopped")
    return Card(
        key,
        ledger.status(key),
        record.hypothesis,
        record.owner,
        record.surface,
        record.tags,
        began.at[:10] if began else "",
        stopped.at[:10] if stopped else "",
        decided.decision or "",
        decided.variation,
        decided.learnings,
        decided.outcome,
    )


def _last(steps: list[Step], to: str) -> Step | None:
    return next((step for step in reversed(steps) if step.to == to), None)
