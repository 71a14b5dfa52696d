"""The panel for Flask-DebugToolbar: what a page asked, and why it was answered so.

app.config["DEBUG_TB_PANELS"] = [..., "abmiddleware_flask.panels.ExperimentsPanel"]
"""

from __future__ import annotations

from flask import Request, Response, request
from flask_debugtoolbar.panels import DebugPanel

from abmiddleware.console.panel import panel, title
from abmiddleware_flask.extension import current_experiments


class ExperimentsPanel(DebugPanel):
    """Shows each experiment and feature of a request, and whether it was exposed."""

    name = "Experiments"
    has_content = True
    _asked = ""
    _table = ""

    def nav_title(self) -> str:
        """What the panel is called."""
        return self.name

    def nav_subtitle(self) -> str:
        """How much was asked."""
        return self._asked

    def title(self) -> str:
        """What the panel is called."""
        return self.name

    def url(self) -> str:
        """None: the panel has no page of its own."""
        return ""

    def process_response(self, _request: Request, _response: Response) -> None:  # type: ignore[override]
        """Take down what the request asked."""
        if not hasattr(request, "experiments"):
            self._table = "<p>The extension is not set up.</p>"
            return
        seen = current_experiments().inspect()
        self._asked, self._table = title(seen), panel(seen)

    def content(self) -> str:
        """Return the table, in which everything is escaped."""
        return self._table
