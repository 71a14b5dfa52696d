"""How the page of a report looks: in light and in dark, on a wide screen and on a phone."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b2430; --soft: #5c6875; --line: #dfe4ea; --paper: #fff;
  --back: #f4f6f8; --good: #17733b; --bad: #b3261e; --open: #8a5a00; --blue: #1f5fbf;
  --range: #a9b6c4; --good-range: #6fbf8b; --bad-range: #e58f88;
  --c0: #4b5a6b; --c1: #1f6fd6; --c2: #b4560a; --c3: #6c3fb4; --c4: #0b7d78; --c5: #a8295f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf0; --soft: #9aa7b4; --line: #333d48;
  --paper: #1b2129; --back: #12171d; --good: #6fd08f; --bad: #ff9a92; --open: #e8b45a;
  --blue: #8ab4f8; --range: #56626f; --good-range: #2f7d4c; --bad-range: #a0453e;
  --c0: #a9b6c4; --c1: #79b0ff; --c2: #f0a35e; --c3: #bb9af0; --c4: #5ecfc9; --c5: #f08bb4; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1040px; margin: 0 auto; }
h1 { font-size: 20px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 15px; margin: 0 0 10px; }
p { margin: 0 0 8px; overflow-wrap: anywhere; } li { overflow-wrap: anywhere; }
.soft, .tick, td small { color: var(--soft); }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin: 14px 0; }
.sentence { font-size: 19px; line-height: 1.45; margin: 10px 0 12px; }
.badge { display: inline-block; padding: 2px 10px; border-radius: 999px; border: 1px solid;
  font-size: 13px; font-weight: 600; margin: 0 6px 6px 0; }
.good { color: var(--good); } .bad { color: var(--bad); } .open { color: var(--open); }
.blue { color: var(--blue); } .plain { color: var(--soft); }
progress { display: block; width: 100%; height: 8px; accent-color: var(--blue);
  margin: -4px 0 10px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; font-size: 13px; color: var(--soft); }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td small { display: block; font-size: 12px; }
@media (min-width: 961px) { table.metrics { table-layout: fixed; }
  .metrics th:nth-child(1) { width: 17%; } .metrics th:nth-child(4) { width: 9%; }
  .metrics th:nth-child(5) { width: 27%; } .metrics th:nth-child(6) { width: 9%; }
  .metrics th:nth-child(7) { width: 14%; } .metrics td { overflow-wrap: anywhere; } }
td.picture, th.picture { text-align: center; }
.chart { width: 100%; max-width: 680px; height: auto; display: block; }
.chart text { font-size: 11px; fill: var(--soft); font-family: inherit; }
.name { display: inline-block; font-weight: 600; margin-right: 16px; }
.name::before { content: ""; display: inline-block; width: 18px; height: 3px; margin: 0 7px 4px 0;
  background: currentColor; }
.mark { stroke: var(--soft); stroke-dasharray: 2 4; }
.grid { stroke: var(--line); } .line { fill: none; stroke-width: 2.2; }
.bar { width: 100%; height: 28px; display: block; }
.bar * { vector-effect: non-scaling-stroke; }
.zero { stroke: var(--soft); } .point { stroke: var(--ink); stroke-width: 2; }
.margin { stroke: var(--bad); stroke-dasharray: 3 3; }
.range { fill: var(--range); }
.w-better, .w-holds { fill: var(--good-range); } .w-worse, .w-harmed { fill: var(--bad-range); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 20px; }
@media (max-width: 720px) {
  body { padding: 10px; } section { padding: 14px; } .sentence { font-size: 17px; }
  table.metrics thead { display: none; }
  table.metrics tr { display: grid; grid-template-columns: 1fr 1fr; gap: 2px 12px;
    padding: 8px 0; border-bottom: 1px solid var(--line); }
  table.metrics td { border: 0; padding: 2px 0; text-align: left; white-space: normal; }
  table.metrics td.picture { grid-column: 1 / -1; width: auto; }
  td.number::before { content: attr(data-label) " "; color: var(--soft); font-size: 12px; }
}
"""


def colour_style(count: int) -> str:
    """Return the colours of lines and of the names at their ends."""
    return "".join(
        f".c{place} {{ stroke: var(--c{place}); }} .t{place} {{ color: var(--c{place}); }}\n"
        for place in range(count)
    )
