"""A page that asks what a page may ask, for the panels that show it."""

from __future__ import annotations

from typing import Any, Final

from abmiddleware import Experiment, Feature, Rule
from abmiddleware.client import ExperimentClient

DEFINITIONS: Final[list[Experiment[Any] | Feature[Any]]] = [
    Experiment("button", ["<b>old</b>", "<i>new</i>"], hash_version=2),
    Experiment("nobody", ["off", "on"], coverage=0.0, hash_version=2),
    Experiment("later", [1, 2], hash_version=2),
    Feature("menu", "old", rules=[Rule(key="menu-test", variations=["old", "new"])]),
]
HTML: Final = "<html><body><h1>Shop</h1></body></html>"


def ask(client: ExperimentClient) -> None:
    """Ask of each kind."""
    client.run("button")
    client.run("nobody")
    client.peek("later")
    client.feature("menu")
