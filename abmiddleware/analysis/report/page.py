"""A report as one page of HTML: whole in itself, without scripts, for a mail or an archive."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from abmiddleware.analysis.analysis import Analysis
from abmiddleware.analysis.inference.ratio_mismatch import Mismatch
from abmiddleware.analysis.report.pictures import COLOURS, bar, exposures, reach
from abmiddleware.analysis.report.rows import ROLES, Row, p_text, rows_of
from abmiddleware.analysis.report.style import STYLE, colour_style
from abmiddleware.analysis.sentences import left_out_of

_KINDS: Final = {
    "ship": "good",
    "roll back": "bad",
    "unhealthy": "bad",
    "no data": "open",
    "waiting": "blue",
    "running": "blue",
    "better": "good",
    "holds": "good",
    "worse": "bad",
    "harmed": "bad",
    "open": "open",
}


def as_page(analysis: Analysis) -> str:
    """Return the page; every text of it is escaped."""
    title = escape(analysis.key)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}{colour_style(COLOURS)}</style></head><body><main>"
        f"{''.join(_sections(analysis))}</main></body></html>\n"
    )


def _sections(analysis: Analysis) -> Iterator[str]:
    yield _head(analysis)
    picture = exposures(analysis)
    if picture:
        yield f"<section><h2>Units up to each day</h2>{picture}{_split(analysis)}</section>"
    if analysis.withheld or analysis.status == "no data":
        yield _withheld(analysis)
    else:
        rows = rows_of(analysis)
        for role, heading in ROLES.items():
            of = [row for row in rows if row.role == role]
            if of:
                yield _metrics(heading, of)
    yield _notes(analysis)
    yield _plan(analysis)


def _withheld(analysis: Analysis) -> str:
    """Return what will be told, and why not yet."""
    lines = ""
    for role, heading in ROLES.items():
        names = ", ".join(result.name for result in analysis.metrics if result.role == role)
        lines += f"<dt>{heading}</dt><dd>{escape(names)}</dd>" if names else ""
    if not lines:
        return ""
    why = escape(analysis.withheld or "nobody has met it yet")
    return f'<section><h2>Metrics</h2><p class="soft">{why}</p><dl>{lines}</dl></section>'


def _head(analysis: Analysis) -> str:
    kind = _KINDS.get(analysis.status, "plain")
    health = analysis.health
    badges = [_badge(analysis.status, kind)]
    for name in ("assigned", "exposed", "activated"):
        split = getattr(health, name)
        if split is not None:
            badges.append(_split_badge(name, split))
    hypothesis = f'<p class="soft">{escape(analysis.hypothesis)}</p>' if analysis.hypothesis else ""
    return (
        f"<section><h1>{escape(analysis.key)}</h1>{hypothesis}"
        f'<p class="sentence">{escape(analysis.sentence)}</p>'
        f"<p>{''.join(badges)}</p>{_progress(analysis)}</section>"
    )


def _progress(analysis: Analysis) -> str:
    """Return how far the days and the units are."""
    units = sum(arm.units for arm in analysis.arms)
    days = min(analysis.days, analysis.planned_days)
    parts = [("Day", days, analysis.planned_days), ("Units", units, analysis.planned_units)]
    return "".join(
        f'<p class="soft">{name} {done:,} of {planned:,}</p><progress max="{planned}" '
        f'value="{min(done, planned)}" aria-label="{name}"></progress>'
        for name, done, planned in parts
        if planned
    )


def _badge(text: str, kind: str) -> str:
    return f'<span class="badge {kind}">{escape(text)}</span>'


def _split_badge(name: str, split: Mismatch) -> str:
    if split.is_alarming:
        return _badge(f"split of {name} units is wrong (p = {p_text(split.p_value)})", "bad")
    return _badge(f"split of {name} units is right (p = {p_text(split.p_value)})", "good")


def _split(analysis: Analysis) -> str:
    split = analysis.health.exposed
    if split is None:
        return ""
    lines = "".join(
        f'<tr><td>{escape(arm.name)}</td><td class="number">{count:,}</td>'
        f'<td class="number">{expected:,.0f}</td></tr>'
        for arm, count, expected in zip(analysis.arms, split.counts, split.expected, strict=True)
    )
    return (
        '<table><thead><tr><th>Variation</th><th class="number">Units</th>'
        f'<th class="number">Expected</th></tr></thead><tbody>{lines}</tbody></table>'
    )


def _metrics(heading: str, rows: Sequence[Row]) -> str:
    scale = reach(rows)
    lines = "".join(_line(row, scale) for row in rows)
    margin = " The dashed line is the margin." if any(row.margin for row in rows) else ""
    axis = f"Bars from -{scale:.0%} to +{scale:.0%}.{margin}" if scale else ""
    return (
        f'<section><h2>{heading}</h2><table class="metrics"><thead><tr><th>Metric</th>'
        '<th class="number">Control</th><th class="number">Variation</th>'
        '<th class="number">Lift</th><th class="picture">Interval</th><th class="number">p</th>'
        "<th></th></tr>"
        f'</thead><tbody>{lines}</tbody></table><p class="soft">{axis}</p></section>'
    )


def _line(row: Row, scale: float) -> str:
    name = escape(row.metric) + (f"<small>{escape(row.variation)}</small>" if row.variation else "")
    if not row.p_value:
        return f'<tr><td>{name}</td><td colspan="6" class="soft">{escape(row.note)}</td></tr>'
    shown, interval = (row.lift, row.interval) if row.lift else (row.effect, row.effect_interval)
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    return (
        f"<tr><td>{name}</td>"
        f'<td class="number" data-label="control">{escape(row.control)}<small>{row.control_count}'
        f'</small></td><td class="number" data-label="variation">{escape(row.treatment)}'
        f'<small>{row.treatment_count}</small></td><td class="number" data-label="lift">'
        f'{escape(shown)}</td><td class="picture">{bar(row, scale)}'
        f'<small>{escape(interval)}</small></td><td class="number" data-label="p">{row.p_value}'
        f"</td><td>{_badge(row.word, _KINDS.get(row.word, 'plain'))}{note}</td></tr>"
    )


def _notes(analysis: Analysis) -> str:
    health = analysis.health
    lines = [f'<li class="bad">{escape(text)}</li>' for text in health.problems]
    lines += [f"<li>{escape(text)}</li>" for text in health.warnings]
    left_out = left_out_of(analysis)
    lines += [f"<li>{escape(left_out[:1].upper() + left_out[1:])}.</li>"] if left_out else []
    return f"<section><h2>Notes</h2><ul>{''.join(lines)}</ul></section>" if lines else ""


def _plan(analysis: Analysis) -> str:
    level = f"{100 * (1 - analysis.alpha):g} %"
    looks = "that hold at every look" if analysis.sequential else "for one look, at the planned end"
    when = dt.datetime.fromtimestamp(analysis.as_of_us / 1e6, dt.UTC)
    facts = {
        "Owner": analysis.owner,
        "Randomised by": analysis.unit_type,
        "Phase": str(analysis.phase),
        "Planned end": analysis.end,
        "Intervals": f"{level}, {looks}; goals corrected by Holm, secondary metrics by "
        "Benjamini and Hochberg",
        "As of": f"{when:%Y-%m-%d %H:%M} UTC",
    }
    lines = "".join(f"<dt>{name}</dt><dd>{escape(of)}</dd>" for name, of in facts.items() if of)
    return f"<section><h2>Plan</h2><dl>{lines}</dl></section>"
