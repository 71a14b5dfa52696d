"""Sections of payloads, opened and laid over those that are held (specification, 18.1 and 18.4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.payload import SECTIONS, read_payload
from abmiddleware.evaluation.values import shown
from abmiddleware.exceptions import DocumentError
from abmiddleware.sources.encryption import DecryptionError, decrypt
from abmiddleware.sources.json_text import decode_json

#: The encrypted twin of each section.
SEALED: Final = {name: f"encrypted{name[0].upper()}{name[1:]}" for name in SECTIONS}

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Held(msgspec.Struct, frozen=True, eq=False):
    """Sections that belong together, and the document that they make."""

    document: Document | None = None
    #: The sections in plain form.
    opened: Mapping[str, Any] = _NOTHING
    #: The same sections as they came: encrypted ones still are, and may be written to disk.
    received: Mapping[str, Any] = _NOTHING
    #: When the payload says it was made; "" where it does not.
    updated: str = ""

    def merged(self, raw: bytes, key: str | None) -> Held:
        """Return what is held once a payload has come; the document is judged as a whole.

        A payload with a section that cannot be opened changes nothing: that section would stay as
        it was, and those beside it would be of another configuration, or only hold its place.

        Args:
            raw: the payload's JSON text.
            key: opens encrypted sections.

        Raises:
            DocumentError: nothing of the payload may be used.
        """
        payload = decode_json(raw)
        if not isinstance(payload, dict):
            raise DocumentError("payload", f"is {shown(payload)}, must be an object with features")
        opened, received = dict(self.opened), dict(self.received)
        count = 0
        for name, sealed_name in SEALED.items():
            sealed = payload.get(sealed_name)
            if sealed is None or sealed == "":
                if payload.get(name) is None:
                    continue
                opened[name] = received[name] = payload[name]
                received.pop(sealed_name, None)
            else:
                opened[name] = _opened(name, sealed_name, sealed, key)
                received[sealed_name] = sealed
                received.pop(name, None)
            count += 1
        if not count:
            raise _useless(payload)
        updated = payload.get("dateUpdated")
        return Held(
            read_payload(opened),
            opened,
            received,
            updated if isinstance(updated, str) else "",
        )


def _opened(name: str, sealed_name: str, sealed: object, key: str | None) -> object:
    """Return an encrypted section.

    Raises:
        DocumentError: it cannot be decrypted, or what it holds is no such section.
    """
    if key is None:
        raise DocumentError(sealed_name, "is encrypted, give the source its decryption_key")
    try:
        plain = decrypt(str(sealed), key)
    except DecryptionError as error:
        raise DocumentError(sealed_name, str(error)) from None
    section = decode_json(plain.encode(), sealed_name)
    if not isinstance(section, SECTIONS[name]):
        must = "a list" if SECTIONS[name] is list else "an object"
        raise DocumentError(sealed_name, f"is {shown(section)}, must be {must}")
    return section


def _useless(payload: Mapping[str, object]) -> DocumentError:
    if isinstance(told := payload.get("error"), str):
        return DocumentError("payload", f"holds an error of the server: {shown(told)}")
    names = ", ".join(SECTIONS)
    return DocumentError("payload", f"has no section that is known, must have one of {names}")
