/** The report of a drill as one HTML page: no script, nothing loaded from elsewhere. */
import {
  type DrillReport,
  FAULT_HEAD,
  FAULTS,
  FOOTNOTE,
  KILL_HEAD,
  REJECTED,
  verdictOf,
} from './drill-command.js'

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; margin: 1rem 0; }
  th, td { text-align: left; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid #ccc; }
  .pass { color: #0a6b2d; } .fail { color: #b00020; }
  @media (prefers-color-scheme: dark) {
    body { background: #16181c; color: #e8e8e8; } th, td { border-color: #444; }
    .pass { color: #63d68b; } .fail { color: #ff8a80; }
  }`

export function drillPage(report: DrillReport): string {
  const { title, rows, killRows, faultRows, rejectionRows } = report
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${STYLE}
</style>
<h1>${escaped(title)}</h1>
<p class="${report.isRight ? 'pass' : 'fail'}"><strong>${escaped(verdictOf(report))}</strong></p>
${table([], rows)}
<p>${escaped(FOOTNOTE)}</p>
<h2>Kills</h2>
${table(KILL_HEAD, killRows)}
${faultRows.length === 0 ? '' : `<h2>${FAULTS}</h2>\n${table(FAULT_HEAD, faultRows)}`}
<h2>${escaped(REJECTED)}</h2>
${rejectionRows.length === 0 ? '<p>none</p>' : table(['code', 'commands'], rejectionRows)}
</html>
`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const heading = head.length === 0 ? [] : [row('th', head)]
  return `<table>\n${[...heading, ...rows.map((cells) => row('td', cells))].join('\n')}\n</table>`
}

function row(tag: 'th' | 'td', cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] as string)
}
