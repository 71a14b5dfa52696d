"""What a unit was assigned before, in the form that GrowthBook's SDKs exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

#: The longest key of a document that is stored, in characters: the name of the attribute, two
#: bars and its value. Together with the next one it fits an index of PostgreSQL.
MAX_KEY: Final = 400
#: The longest key of an assignment, and the longest variation key, in characters.
MAX_TEXT: Final = 255


class StickyDocument(msgspec.Struct, frozen=True, rename="camel"):
    """The assignments of one unit, such as of the visitor `V1StGXR8_Z5jdHi6B-myTQ`."""

    #: The attribute that identifies the unit, such as `id`.
    attribute_name: str
    #: Its value, as text.
    attribute_value: str
    #: The key of the variation by `<experiment key>__<bucket version>`.
    assignments: Mapping[str, str]

    @property
    def key(self) -> str:
        """The key under which it is stored, such as `id||V1StGXR8_Z5jdHi6B-myTQ`."""
        return f"{self.attribute_name}||{self.attribute_value}"

    @classmethod
    def of(cls, key: str, assignments: Mapping[str, str]) -> StickyDocument:
        """Return the document of a key.

        A name of an attribute that has two bars itself ends at them, and the value has the rest:
        the key stays the same.
        """
        name, _, value = key.partition("||")
        return cls(name, value, assignments)

    def merged(self, other: StickyDocument | None) -> StickyDocument:
        """Return it with the assignments of another one laid over its own."""
        if other is None:
            return self
        return StickyDocument(
            self.attribute_name, self.attribute_value, {**self.assignments, **other.assignments}
        )

    def to_growthbook(self) -> dict[str, Any]:
        """Return it as GrowthBook's SDKs have it."""
        return {
            "attributeName": self.attribute_name,
            "attributeValue": self.attribute_value,
            "assignments": dict(self.assignments),
        }

    @classmethod
    def from_growthbook(cls, value: object) -> StickyDocument | None:
        """Return the document of a decoded JSON value; None for anything else. It never raises."""
        try:
            return msgspec.convert(value, cls)
        except (msgspec.MsgspecError, RecursionError):
            return None

    def to_json(self) -> bytes:
        """Return it as JSON in GrowthBook's form."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, text: bytes) -> StickyDocument | None:
        """Return the document of a JSON text; None for anything else. It never raises."""
        try:
            return _decoder.decode(text)
        except (ValueError, RecursionError):  # also for what is no UTF-8
            return None


_decoder = msgspec.json.Decoder(StickyDocument)


def storable_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys, once each, under which every store can keep a document."""
    return [key for key in dict.fromkeys(keys) if _is_storable(key, MAX_KEY)]


def storable(document: StickyDocument) -> StickyDocument | None:
    """Return what of a document every store can keep; None where that is nothing.

    An id of more than 400 characters is no id that anybody gave out, so its unit is not kept;
    neither is a text with a NUL, which PostgreSQL refuses, or with half of a surrogate pair, which
    nothing can write.
    """
    if not _is_storable(document.key, MAX_KEY):
        return None
    kept = {
        assignment: variation
        for assignment, variation in document.assignments.items()
        if _is_storable(assignment, MAX_TEXT) and _is_storable(variation, MAX_TEXT)
    }
    if not kept:
        return None
    return StickyDocument(document.attribute_name, document.attribute_value, kept)


def _is_storable(text: str, longest: int) -> bool:
    if len(text) > longest or "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
