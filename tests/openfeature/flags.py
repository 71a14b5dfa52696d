"""OpenFeature's test flags, as features and experiments of an engine."""

from __future__ import annotations

from typing import Any, Final

from abmiddleware import Experiment, Feature, Rule

PICTURES: Final = {"showImages": True, "title": "Check out these pics!", "imagesPerPage": 100}

#: The names of values, by flag: what a feature of ours has none of.
VARIANTS: Final[dict[str, dict[str, object]]] = {
    "string-flag": {"greeting": "hi", "parting": "bye"},
    "integer-flag": {"one": 1, "ten": 10},
    "float-flag": {"tenth": 0.1, "half": 0.5},
    "object-flag": {"empty": {}, "template": PICTURES},
}
METADATA: Final[dict[str, dict[str, bool | int | float | str]]] = {
    "metadata-flag": {"string": "1.0.2", "integer": 2, "float": 0.1, "boolean": True}
}
_ZEROS: Final[dict[str, object]] = {
    "boolean": False,
    "string": "",
    "integer": 0,
    "float": 0.0,
    "object": {},
}


def flags() -> list[Experiment[Any] | Feature[Any]]:
    """Return all of them."""
    plain = {
        "boolean-flag": True,
        "string-flag": "hi",
        "integer-flag": 10,
        "float-flag": 0.5,
        "object-flag": PICTURES,
        "metadata-flag": True,
        "wrong-flag": "uno",
        **{f"{kind}-zero-flag": zero for kind, zero in _ZEROS.items()},
    }
    targeted = [
        Feature(
            f"{kind}-targeted-zero-flag",
            zero,
            rules=[Rule(force=zero, condition={"email": "ballmer@macrosoft.com"})],
        )
        for kind, zero in _ZEROS.items()
    ]
    internal = Rule(force="INTERNAL", condition={"customer": False})
    return [
        *(Feature(key, value) for key, value in plain.items()),
        *targeted,
        Feature("context-aware", "EXTERNAL", rules=[internal]),
        Experiment("boolean-disabled-flag", [False, True], active=False),
        Experiment("string-disabled-flag", ["hi", "bye"], active=False),
    ]
