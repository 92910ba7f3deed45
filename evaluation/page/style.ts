/** The page's style: one accent for training, one for validation, light and dark. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fbfbf9; --panel: #ffffff; --ink: #1b1d21; --soft: #5f646d; --line: #e4e4de; --grid: #ecece7;
  --train: #2f5fd0; --held: #d9622b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #131519; --panel: #1a1d22; --ink: #e8e9eb; --soft: #9aa0aa; --line: #2c3038; --grid: #262a31;
    --train: #7fa4ff; --held: #f2935f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', 'DejaVu Sans', sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1080px; margin: 0 auto; padding: 56px 28px 72px; }
h1, .lede, td, th, li { overflow-wrap: anywhere; }
th.short, th.words, td.words { overflow-wrap: break-word; }
td.short { white-space: nowrap; }
.scroll td, .scroll th { overflow-wrap: normal; }
h1 { font-size: 40px; line-height: 1.15; letter-spacing: -0.02em; margin: 0 0 10px; font-weight: 680; }
h2 { font-size: 21px; letter-spacing: -0.01em; margin: 56px 0 4px; font-weight: 640; }
p { margin: 0; max-width: 68ch; }
.eyebrow { color: var(--soft); font-size: 13px; letter-spacing: 0.08em; text-transform: uppercase; margin-bottom: 10px; }
.lede { color: var(--soft); font-size: 18px; }
.note { color: var(--soft); font-size: 15px; margin-bottom: 18px; }
.figures { display: flex; flex-wrap: wrap; gap: 12px 44px; margin: 30px 0 0; padding: 0; }
.figures div { display: flex; flex-direction: column-reverse; }
.figures dd { margin: 0; font-size: 27px; font-weight: 620; letter-spacing: -0.015em; line-height: 1.25; }
.figures dt { color: var(--soft); font-size: 14px; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 20px; }
img { display: block; width: 100%; height: auto; image-rendering: pixelated; border-radius: 4px; background: #000; }
.samples { display: grid; grid-template-columns: repeat(12, 1fr); gap: 8px; }
.pairs { display: grid; grid-template-columns: repeat(10, 1fr); gap: 18px 10px; }
.pair { display: grid; gap: 4px; margin: 0; }
.pairs figcaption, .rows { color: var(--soft); font-size: 13px; text-align: center; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 18px; }
.charts.small { grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); }
.charts > *, .columns > * { min-width: 0; }
h3 { font-size: 15px; font-weight: 620; margin: 18px 0 8px; }
.strips { display: grid; grid-template-columns: max-content 1fr; gap: 8px 12px; align-items: center; }
.strips span { color: var(--soft); font-size: 14px; }
.strip { display: grid; grid-template-columns: repeat(9, 1fr); gap: 6px; }
.charts figure { margin: 0; padding: 16px 18px 10px; }
.charts figcaption { display: flex; justify-content: space-between; gap: 12px; font-weight: 600; margin-bottom: 6px; }
.charts figcaption span { color: var(--soft); font-weight: 400; font-size: 14px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
.curve { stroke-width: 6; stroke-linecap: round; }
.grid { stroke: var(--grid); stroke-width: 1; }
.tick { fill: var(--soft); font-size: 12px; }
.small .tick { font-size: 18px; }
.raw { fill: none; stroke: var(--train); stroke-width: 1; opacity: 0.28; }
.smooth { fill: none; stroke: var(--train); stroke-width: 2; stroke-linejoin: round; }
.held.solid { stroke-dasharray: none; stroke-width: 2; }
.legend .fill { height: 10px; border: 0; background: var(--train); opacity: 0.55; }
.legend .line { border-color: var(--held); }
.held { fill: none; stroke: var(--held); stroke-width: 1.5; stroke-dasharray: 3 4; }
.dot { fill: var(--held); stroke: var(--panel); stroke-width: 1.5; }
.most { fill: var(--train); opacity: 0.28; }
.half { fill: var(--train); opacity: 0.55; }
.median { stroke: var(--train); stroke-width: 2.5; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 22px; color: var(--soft); font-size: 14px; margin: 0 0 14px; }
.legend i { display: inline-block; width: 22px; height: 0; border-top: 3px solid var(--train); vertical-align: middle; margin-right: 8px; border-radius: 2px; }
.legend .scale { height: 8px; width: 120px; border: 0; margin: 0 8px; }
.legend .faint { border-color: var(--train); opacity: 0.35; border-top-width: 2px; }
.legend .validation { border-color: var(--held); border-top-style: dotted; }
pre { margin: 0; overflow-x: auto; font: 15px/1.7 ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
.formulas { overflow-x: auto; }
math { font-size: 17px; font-family: 'Latin Modern Math', 'STIX Two Math', 'Cambria Math', 'Noto Sans Math', math, sans-serif; }
math[display='block'] { margin: 0; text-align: left; width: max-content; }
mtd { text-align: left; padding: 5px 12px 5px 0; }
mtd:first-child { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
td, th { text-align: left; padding: 7px 18px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-weight: 400; }
tr:last-child > * { border-bottom: 0; }
th { color: var(--soft); }
td.number { text-align: right; padding-right: 0; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 18px; align-items: start; }
.columns h3, .charts h3 { font-size: 15px; margin: 0 0 8px; font-weight: 620; }
.columns h3 span { color: var(--soft); font-weight: 400; }
ol { margin: 0; padding: 0; list-style: none; font-size: 15px; }
ol li { padding: 3px 0; }
ol .shape { color: var(--soft); }
thead th { color: var(--ink); font-weight: 600; }
.scroll { overflow-x: auto; }
.scroll td, .scroll th { white-space: nowrap; }
.scroll tr > * + * { padding-left: 18px; }
th.number { text-align: right; padding-right: 0; }
.gallery { display: grid; grid-template-columns: max-content repeat(3, 1fr); gap: 14px 16px; align-items: center; }
.gallery span { color: var(--soft); font-size: 14px; }
section > p + p, .panel + p, section > .panel + .panel { margin-top: 12px; }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 14px; }
footer p { max-width: none; }
@media (max-width: 760px) {
  main { padding: 32px 16px 48px; }
  h1 { font-size: 31px; }
  .samples { grid-template-columns: repeat(8, 1fr); gap: 6px; }
  .pairs { grid-template-columns: repeat(5, 1fr); }
  .charts { grid-template-columns: 1fr; }
  .charts.small { grid-template-columns: repeat(auto-fill, minmax(min(220px, 100%), 1fr)); }
  .strip { gap: 3px; }
  .panel { padding: 14px; }
  .tick { font-size: 18px; }
}
`;
