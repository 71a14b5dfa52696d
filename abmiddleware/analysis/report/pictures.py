"""Pictures of a report, as SVG within the page: they need no script and no other file."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.report.rows import Row

_EPOCH: Final = dt.date(1970, 1, 1)
#: Microseconds of a day.
_DAY: Final = 86_400_000_000
_WIDTH, _HEIGHT = 480, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 26
#: Classes of the lines, whose colours the style gives.
COLOURS: Final = 6


def exposures(analysis: Analysis) -> str:
    """Return the units of each variation up to each day."""
    totals = {key: _summed(of) for key, of in analysis.daily.items()}
    most = max((of[-1] for of in totals.values() if of), default=0)
    days = max((len(of) for of in totals.values()), default=0)
    if not most:
        return ""
    top = _round_up(most)
    parts = [*_grid(top), *_dates(analysis.first_day, days), *_marks(analysis, days)]
    names = []
    for place, arm in enumerate(analysis.arms):
        of = totals.get(arm.key, [])
        if not of:
            continue
        points = [(_x(day, days), _y(units, top)) for day, units in enumerate([0, *of])]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline class="line c{place % COLOURS}" points="{path}"/>')
        names.append(f'<span class="name t{place % COLOURS}">{escape(arm.name)}</span>')
    told = ", ".join(f"{arm.name} {arm.units:,}" for arm in analysis.arms)
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Units up to each day: {escape(told)}">{"".join(parts)}</svg>'
        f"<p>{' '.join(names)}</p>"
    )


def _summed(counts: Sequence[int]) -> list[int]:
    total, sums = 0, []
    for count in counts:
        total += count
        sums.append(total)
    return sums


def _round_up(value: float) -> float:
    """Return a round number that is no smaller."""
    step: float = 10.0 ** math.floor(math.log10(value))
    return next(step * factor for factor in (1, 2, 2.5, 5, 10) if step * factor >= value)


def _x(day: float, days: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * day / max(1, days)


def _y(units: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * units / top


def _grid(top: float) -> Iterator[str]:
    for step in range(5):
        y = _y(top * step / 4, top)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        label = f"{top * step / 4:,.0f}"
        yield f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'


def _dates(first_day: int, days: int) -> Iterator[str]:
    step = max(1, math.ceil(days / 6))
    for day in range(0, days, step):
        date = _EPOCH + dt.timedelta(days=first_day + day)
        x = _x(day + 0.5, days)
        yield (
            f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - 8}" text-anchor="middle">'
            f"{date.day} {date:%b}</text>"
        )


def _marks(analysis: Analysis, days: int) -> Iterator[str]:
    """Yield where more units came in, or none any more."""
    for place, mark in enumerate(analysis.marks):
        x = _x(min(max(mark.at_us / _DAY - analysis.first_day, 0), days), days)
        yield f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        anchor, shift = ("start", 4) if x < 0.8 * _WIDTH else ("end", -4)
        y = _TOP + 9 + 12 * (place % 3)  # those of neighbours stand in lines of their own
        yield (
            f'<text class="tick" x="{x + shift:.1f}" y="{y}" text-anchor="{anchor}">'
            f"{escape(mark.what)}</text>"
        )


def reach(rows: Sequence[Row]) -> float:
    """Return how far the bars of rows go from zero, so that one scale shows all."""
    ends = [abs(one) for row in rows if row.bar for one in (*row.bar[1:], row.margin)]
    return max([one for one in ends if math.isfinite(one)], default=0.0) * 1.06


def bar(row: Row, reach: float) -> str:
    """Return the interval of a lift on a scale from -reach to reach, with a guardrail's margin."""
    if row.bar is None or not reach:
        return ""
    estimate, low, high = (_at(one, reach) for one in row.bar)
    margin = ""
    if row.margin:
        at = _at(row.margin, reach)
        margin = f'<line class="margin" x1="{at:.1f}" x2="{at:.1f}" y1="1" y2="27"/>'
    return (
        '<svg class="bar" viewBox="0 0 300 28" preserveAspectRatio="none" aria-hidden="true">'
        f'<line class="zero" x1="150" x2="150" y1="0" y2="28"/>{margin}'
        f'<rect class="range w-{row.word or "flat"}" x="{low:.1f}" y="9" '
        f'width="{max(1.0, high - low):.1f}" height="10" rx="2"/>'
        f'<line class="point" x1="{estimate:.1f}" x2="{estimate:.1f}" y1="5" y2="23"/></svg>'
    )


def _at(value: float, reach: float) -> float:
    return 150 + 150 * max(-1.0, min(1.0, value / reach))
