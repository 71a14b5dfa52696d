"""HTML with the standard library alone: whatever is put into a template is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class Html(str):
    """Text that is HTML already, and so is put into templates as it is."""

    __slots__ = ()


def fill(template: str, **values: object) -> Html:
    """Fill the `{names}` of a template; every value that is not `Html` is escaped."""
    return Html(
        template.format_map(
            {
                name: value if isinstance(value, Html) else escape(str(value))
                for name, value in values.items()
            }
        )
    )


def joined(parts: Iterable[Html]) -> Html:
    """Return pieces of HTML in a row."""
    return Html("".join(parts))
