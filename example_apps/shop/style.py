"""The style sheet of every page: inline, for phones and desks, by day and in the dark."""

from __future__ import annotations

from typing import Final

from example_apps.shop.markup import Html

STYLE: Final = Html("""
:root { color-scheme: light dark; --paper: #faf7f2; --card: #fff; --ink: #2a211b; --soft: #74685e;
  --line: #e8e0d6; --accent: #9a4a1c; --on-accent: #fff; --tint: #f3ebe0; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #191512; --card: #231e1a; --ink: #f2ebe3; --soft: #b0a396; --line: #3a322b;
    --accent: #e79a63; --on-accent: #231308; --tint: #2d2620; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: inherit; }
a:focus-visible, button:focus-visible, input:focus-visible { outline: 3px solid var(--accent);
  outline-offset: 2px; }
.bar, main, .note { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { border-bottom: 1px solid var(--line); }
.bar { display: flex; align-items: center; justify-content: space-between; gap: 1rem;
  min-height: 4rem; }
.bar a { text-decoration: none; }
.brand { font: 700 1.25rem/1 Georgia, "Times New Roman", serif; white-space: nowrap; }
nav { display: flex; gap: 1.25rem; color: var(--soft); }
nav a:hover { color: var(--accent); }
main { padding-top: 2rem; padding-bottom: 3rem; min-height: calc(100vh - 8.5rem); }
h1 { font: 700 clamp(1.7rem, 5vw, 2.4rem)/1.15 Georgia, "Times New Roman", serif; margin: 0 0 .5rem;
  text-wrap: balance; }
h2 { font-size: 1.05rem; line-height: 1.3; margin: 0; }
p { margin: 0; }
.soft { color: var(--soft); }
.lead { color: var(--soft); max-width: 38rem; margin-bottom: 2rem; }
.products { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(var(--columns), minmax(0, 1fr)); }
.products a { display: flex; height: 100%; padding: 1.1rem; gap: 1rem; text-decoration: none;
  background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.products a:hover { border-color: var(--accent); }
.products .words { min-width: 0; flex: 1; }
.products p { font-size: .9rem; color: var(--soft); }
.products .rating { color: var(--accent); margin-top: .35rem; white-space: nowrap; }
.grid a { flex-direction: column; }
.grid .bag { width: 5.5rem; margin: .25rem auto; }
.list .bag { width: 3rem; }
.list a { align-items: center; }
.list .words { display: grid; grid-template-columns: 1fr auto; align-items: center; gap: 0 1rem; }
.list .words .rating { grid-area: 1 / 2 / 3; margin: 0; }
.bag { display: block; flex: none; height: auto; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 16px;
  padding: clamp(1.25rem, 4vw, 2.25rem); }
.product { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 2.5rem;
  align-items: center; }
.product .stage { background: var(--tint); border-radius: 14px; padding: 2rem; }
.product .bag { width: min(11rem, 100%); margin: auto; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .35rem 1.25rem; margin: 1.25rem 0; }
dt { color: var(--soft); }
dd { margin: 0; }
.price { font: 700 1.9rem/1 Georgia, "Times New Roman", serif; font-variant-numeric: tabular-nums; }
.price small { font: 400 .9rem system-ui, sans-serif; color: var(--soft); }
.buy { display: inline-block; margin-top: 1.25rem; padding: .8rem 1.6rem; border: 0; font: inherit;
  font-weight: 600; border-radius: 999px; background: var(--accent); color: var(--on-accent);
  text-decoration: none; cursor: pointer; }
.buy:hover { filter: brightness(1.08); }
.narrow { max-width: 36rem; margin-inline: auto; }
.line { display: flex; align-items: center; gap: 1rem; padding: 1.1rem 0;
  border-bottom: 1px solid var(--line); }
.line .bag { width: 2.6rem; }
.line .words { flex: 1; min-width: 0; }
.line .amount { font-weight: 600; font-variant-numeric: tabular-nums; }
.terms { background: var(--tint); border-radius: 12px; padding: 1rem 1.15rem; margin-top: 1.25rem; }
.terms strong { display: block; }
.terms span { text-transform: capitalize; }
.company { margin-top: 1.25rem; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.company label { flex-basis: 100%; font-size: .9rem; color: var(--soft); }
.company input { flex: 1; min-width: 0; padding: .6rem .8rem; font: inherit; color: inherit;
  background: var(--paper); border: 1px solid var(--line); border-radius: 10px; }
.company button { padding: .6rem 1.1rem; font: inherit; color: inherit; background: none;
  border: 1px solid var(--line); border-radius: 10px; cursor: pointer; }
form .buy { width: 100%; }
.prose p { margin-bottom: 1rem; }
footer { border-top: 1px solid var(--line); }
.note { padding-top: 1.25rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .85rem; }
.note code { white-space: nowrap; color: var(--ink); }
@media (max-width: 40rem) {
  .grid { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .75rem; }
  .grid a { padding: .85rem; }
  .product { grid-template-columns: 1fr; gap: 1.5rem; }
  .product .stage { padding: 1.25rem; }
  .product .bag { width: 7rem; }
}
""")
