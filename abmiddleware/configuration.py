"""The current configuration: what all sources hold, as one snapshot that is replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Final

from abmiddleware.evaluation.document import Document
from abmiddleware.evaluation.scope import EvaluationOptions
from abmiddleware.notices import notices
from abmiddleware.snapshot import Snapshot
from abmiddleware.sources import Source, SourceStatus

#: Seconds between two looks whether a configuration has come.
_POLL: Final = 0.01


class Configuration:
    """Keeps the snapshot up to date with the sources.

    Args:
        code: the experiments and features given to the engine; they come before every source.
        sources: of several that know a key the first serves it.
        options: what applies beside the definitions.
    """

    def __init__(
        self, code: Document, sources: Sequence[Source], options: EvaluationOptions
    ) -> None:
        self._code = code
        self.sources = tuple(sources)
        self._options = options
        #: The current snapshot; requests that began keep the one they have.
        self.snapshot = Snapshot.of([code], options)
        #: The snapshot where there is no source, so that it needs no look when it is pinned.
        self.fixed: Snapshot | None = None
        #: The same without what tests force.
        self._base = self.snapshot
        self._forced: Mapping[str, object] = {}
        self.replace(self.snapshot)
        for number, source in enumerate(self.sources):
            try:
                source.open(self._changed)
            except Exception:
                _close(self.sources[:number], 0.0)
                raise
        if self.sources:
            self._changed()

    def pin(self) -> Snapshot:
        """Return the snapshot for a request that asks its first question."""
        for source in self.sources:
            source.look()
        return self.snapshot

    def replace(self, snapshot: Snapshot) -> None:
        """Put another snapshot in the place of the current one, until a source changes."""
        self._base = snapshot
        forced: Mapping[str, object] | None = None
        while forced is not self._forced:  # tests may begin or end in another thread meanwhile
            forced = self._forced
            self.snapshot = snapshot.overridden(forced) if forced else snapshot
        self.fixed = None if self.sources else self.snapshot

    def force(self, forced: Mapping[str, object]) -> None:
        """Serve variations and values that tests force, by key; none for the usual ones."""
        self._forced = forced
        self.replace(self._base)

    def _changed(self) -> None:
        """Put the documents of all sources together; called by a source in any thread.

        It takes no lock, which a process that is forked meanwhile would inherit held. A thread
        that was overtaken finds other documents than it used, and does it again.
        """
        documents: list[Document | None] | None = None
        while documents != (current := [source.document for source in self.sources]):
            documents = current
            present = [document for document in documents if document is not None]
            self.replace(Snapshot.of([self._code, *present], self._options))

    @property
    def is_ready(self) -> bool:
        """Whether every source has a document."""
        return not self.missing()

    def missing(self) -> list[str]:
        """Return the names of the sources that have no document yet."""
        return [source.name for source in self.sources if source.document is None]

    def wait_until_ready(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until every source has a document."""
        end = monotonic() + timeout
        while not self.is_ready and monotonic() < end:
            self.pin()
            sleep(_POLL)
        return self.is_ready

    def statuses(self) -> list[SourceStatus]:
        """Look at every source as a request does, and return their states.

        A process that is asked for its health alone, until it is ready, would else never be.
        """
        for source in self.sources:
            source.look()
        return [source.status() for source in self.sources]

    def close(self, timeout: float) -> None:
        """Stop every source; together they take at most `timeout` seconds."""
        _close(self.sources, timeout)


def _close(sources: Sequence[Source], timeout: float) -> None:
    end = monotonic() + timeout
    for source in sources:
        try:
            source.close(max(0.0, end - monotonic()))
        except Exception as error:  # noqa: BLE001  # the others must be closed, too
            notices.warn(f"close {source.name}", "source %s: %r", source.name, error)
