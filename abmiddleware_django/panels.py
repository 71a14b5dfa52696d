"""The panel for django-debug-toolbar: what a page asked, and why it was answered so.

DEBUG_TOOLBAR_PANELS = [..., "abmiddleware_django.panels.ExperimentsPanel"]
"""

from __future__ import annotations

from typing import Any

from debug_toolbar.panels import Panel
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString

from abmiddleware.client import ExperimentClient
from abmiddleware.console.panel import panel, title


class ExperimentsPanel(Panel):  # type: ignore[misc]  # it has no types
    """Shows each experiment and feature of a request, and whether it was exposed."""

    title = "Experiments"
    is_async = True

    @property
    def nav_subtitle(self) -> str:
        """How much was asked."""
        return str(self.get_stats().get("asked", ""))

    @property
    def content(self) -> SafeString:
        """The table, in which everything is escaped."""
        return SafeString(self.get_stats().get("table", ""))

    def generate_stats(self, request: HttpRequest, response: HttpResponseBase) -> None:
        """Take down what the request asked."""
        client: Any = getattr(request, "experiments", None)
        if not isinstance(client, ExperimentClient):
            self.record_stats({"asked": "", "table": "<p>The middleware did not see it.</p>"})
            return
        seen = client.inspect()
        self.record_stats({"asked": title(seen), "table": panel(seen)})
