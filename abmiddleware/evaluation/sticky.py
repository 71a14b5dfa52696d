"""Sticky bucketing: units keep the variation that they had before (specification, section 13).

The evaluation reads documents that were loaded before; it loads and saves none itself. Where it
needs one that is not there it raises `DocumentsNeededError`, and is asked again when it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from abmiddleware.evaluation.arms import Arm
from abmiddleware.evaluation.definition import Definition
from abmiddleware.evaluation.values import is_number, is_truthy, text

#: Variation keys by assignment key, `<experiment key>__<bucket version>`.
Assignments = Mapping[str, str]


class DocumentsNeededError(Exception):
    """The evaluation cannot go on without documents that are not loaded."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__(keys)
        #: The keys of the documents.
        self.keys = keys


def document_key(attribute: str, value: object) -> str | None:
    """Return the key of the document of a unit; None where the value identifies nobody (13.2)."""
    if not is_truthy(value):
        return None
    if isinstance(value, (list, dict)):
        try:
            return f"{attribute}||{msgspec.json.encode(value).decode()}"
        except (TypeError, ValueError, RecursionError):
            return None
    return f"{attribute}||{text(value)}"


class StickyBuckets:
    """What one evaluation sees of the documents, and what it adds to them.

    Args:
        documents: what was loaded, by document key; a unit without assignments has an empty one.
    """

    __slots__ = ("_documents", "changes")

    def __init__(self, documents: Mapping[str, Assignments]) -> None:
        self._documents = documents
        #: Assignments to save, by document key.
        self.changes: dict[str, dict[str, str]] = {}

    def assignments(self, *keys: str | None) -> dict[str, str]:
        """Return the assignments of documents, those of a later key laid over an earlier one's.

        Raises:
            DocumentsNeededError: some are not loaded.
        """
        wanted = [key for key in keys if key is not None]
        missing = tuple(key for key in wanted if key not in self._documents)
        if missing:
            raise DocumentsNeededError(missing)
        found: dict[str, str] = {}
        for key in wanted:
            found.update(self._documents[key])
            found.update(self.changes.get(key, {}))
        return found

    def keep(self, key: str | None, assignment: str, variation: str) -> None:
        """Note a variation in a unit's document, where that changes it (13.4)."""
        if key is not None and self.assignments(key).get(assignment) != variation:
            self.changes.setdefault(key, {})[assignment] = variation


def assignment_key(definition: Definition[Any]) -> str:
    """Return the key of the assignment of the present bucket version."""
    return f"{definition.key}__{text(definition.bucket_version or 0)}"


def is_blocked(definition: Definition[Any], assignments: Assignments) -> bool:
    """Tell whether the unit was bucketed under a version that is kept out (13.3)."""
    least = definition.min_bucket_version
    if not is_number(least) or not least > 0:
        return False
    prefix = f"{definition.key}__"
    versions = (key[len(prefix) :] for key in assignments if key.startswith(prefix))
    return any(
        version.isascii() and version.isdigit() and len(version) < 16 and int(version) < least
        for version in versions
    )


def kept_arm(
    definition: Definition[Any], arms: tuple[Arm, ...], assignments: Assignments
) -> Arm | None:
    """Return the variation that the unit had under the present version, if `meta` names it."""
    kept = assignments.get(assignment_key(definition))
    if not kept:
        return None
    return next((arm for arm in arms if arm.is_named and arm.key == kept), None)
