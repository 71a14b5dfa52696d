"""The bars that figures are held against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.figures import Figure


@dataclass(frozen=True, slots=True)
class Bar:
    """A limit for a figure; its median must meet it."""

    #: What is counted, such as "ms".
    unit: str
    limit: float
    at_most: bool = True

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g} {self.unit}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A figure beside its bar."""

    bar: Bar
    figure: Figure

    @property
    def is_met(self) -> bool:
        """Whether the median meets the bar."""
        at = self.figure.median
        return at <= self.bar.limit if self.bar.at_most else at >= self.bar.limit

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"bar": str(self.bar), "figure": asdict(self.figure), "met": self.is_met}


EPPO: Final = Bar("× eppo", 0.8)
CLIENT: Final = Bar("× faster", 15, at_most=False)
README: Final = Bar("× faster", 30, at_most=False)
SCALE: Final = Bar("×", 1.3)
LOAD: Final = Bar("ms", 100)
MEMORY: Final = Bar("MiB", 60)
UNCHANGED: Final = Bar("ms", 1)
EXPOSURE: Final = Bar("µs", 60)
CROWD: Final = Bar("µs", 200)
AGENT: Final = Bar("records/s", 20_000, at_most=False)
#: Of ten million exposures.
ANALYSIS: Final = Bar("s", 15)
ANALYSIS_MEMORY: Final = Bar("MiB", 2048)
