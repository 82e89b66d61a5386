/** The page's style: two sets of colours, by what the reader's system prefers. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f8fa; --text: #1b2127; --quiet: #56616c; --rule: #d5dbe1;
  --own: #0b62b8; --peer: #8a97a5; --lost: #a4450b; --lost-back: #fdeee2;
  --colour-1: #0b62b8; --colour-2: #b4530a; --colour-3: #0f7b54;
  --colour-4: #9b2f86; --colour-5: #8a6a00; --colour-6: #5d6873;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --panel: #1a2027; --text: #e6ebf0; --quiet: #a3afba; --rule: #333d47;
    --own: #58a6f0; --peer: #6d7a87; --lost: #f3a365; --lost-back: #38261a;
    --colour-1: #58a6f0; --colour-2: #f0924a; --colour-3: #4cc38a;
    --colour-4: #e38ad0; --colour-5: #d9b949; --colour-6: #98a5b1;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.4rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.1rem; margin: 2rem 0 .25rem; }
p, ul { max-width: 44rem; }
a { color: var(--own); }
code { font: .92em ui-monospace, "SFMono-Regular", Menlo, Consolas, monospace; }
.note { color: var(--quiet); margin-top: .25rem; }
.missing { background: var(--panel); padding: .75rem 1rem; border-radius: 6px; color: var(--quiet); }
.lost {
  display: inline-block; padding: .05rem .5rem; border-radius: 4px;
  background: var(--lost-back); color: var(--lost); font-size: .875rem; font-weight: 600;
}
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .75rem; margin: 1.5rem 0; padding: 0; }
.headline div { background: var(--panel); border-radius: 8px; padding: .75rem 1rem; }
.headline dt { color: var(--quiet); font-size: .875rem; }
.headline dd { margin: 0; font-size: 1.5rem; font-weight: 650; font-variant-numeric: tabular-nums; }
.headline dd small { display: block; font-size: .875rem; line-height: 1.35; font-weight: 400; color: var(--quiet); }
.wide { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 40rem; height: auto; margin: .75rem 0; }
svg text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--text); }
svg .tick { font-size: 13px; fill: var(--quiet); font-variant-numeric: tabular-nums; }
svg .axis { font-size: 13px; fill: var(--quiet); }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .series polyline { fill: none; stroke-width: 2.25; stroke-linejoin: round; }
svg .series circle { stroke: var(--page); stroke-width: 1.5; }
svg .limit polyline { stroke-dasharray: 6 5; stroke-width: 1.75; }
svg .leader { stroke-width: 1; opacity: .55; }
svg .bar text, svg .name text { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
svg .bar rect { fill: var(--peer); }
svg .own rect { fill: var(--own); }
svg .own text { font-weight: 650; }
${[1, 2, 3, 4, 5, 6]
  .map(
    (i) =>
      `svg .colour-${i} polyline, svg .colour-${i} .leader { stroke: var(--colour-${i}); } svg .colour-${i} circle, svg .name.colour-${i} text { fill: var(--colour-${i}); }`,
  )
  .join('\n')}
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; }
td.quiet, td small { color: var(--quiet); font-size: .875rem; }
td small { display: block; max-width: 36rem; }
td.number + td.quiet { white-space: nowrap; }
tbody th { background: var(--panel); }
`
