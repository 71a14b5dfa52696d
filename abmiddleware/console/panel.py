"""The table that debug toolbars show of a request, as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from abmiddleware.console.inspection import Answered, Inspection

_HEADINGS = ("Key", "Kind", "Variation", "Value", "Why", "Unit", "Bucket", "Exposed")


def title(inspection: Inspection) -> str:
    """Return how many were asked, and how many exposures recorded, in words."""
    asked = _counted(len(inspection.answers), "question")
    return f"{asked}, {_counted(inspection.exposures, 'exposure')}"


def panel(inspection: Inspection) -> str:
    """Return the table, and who it is about; all texts are escaped."""
    told = "".join(_parts(inspection))
    return told.encode("utf-8", "replace").decode()  # half of a character would break the page


def _parts(inspection: Inspection) -> Iterator[str]:
    if inspection.suppressed:
        yield f"<p><strong>Nothing is recorded: {escape(inspection.suppressed)}.</strong></p>"
    if inspection.override:
        asked = ", ".join(f"{key}: {value}" for key, value in inspection.override.items())
        yield f"<p>Override: <code>{escape(asked)}</code></p>"
    if inspection.visitor:
        yield f"<p>Visitor: <code>{escape(inspection.visitor)}</code></p>"
    if not inspection.answers:
        yield "<p>This request asked for no experiment and no feature.</p>"
        return
    yield "<table><thead><tr>"
    yield from (f"<th>{heading}</th>" for heading in _HEADINGS)
    yield "</tr></thead><tbody>"
    for answer in inspection.answers:
        yield _row(answer)
    yield "</tbody></table>"


def _row(answer: Answered) -> str:
    exposed = "yes" if answer.is_exposed else f"no: {answer.why_not}" if answer.why_not else "–"
    cells = (
        f"<code>{escape(answer.key)}</code>",
        answer.kind,
        f"<code>{escape(answer.variation)}</code>" if answer.variation else "",
        f"<code>{escape(answer.value)}</code>",
        escape(answer.reason),
        f"<code>{escape(answer.unit)}</code>" if answer.unit else "",
        "" if answer.bucket is None else f"{answer.bucket:.4f}",
        escape(exposed),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
