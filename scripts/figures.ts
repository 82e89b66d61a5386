/**
 * `npm run figures`: writes the README's tables and docs/figures.md from the raw rows in
 * docs/measurements, so that no published figure is typed by hand.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from '../bench/benchmark.js'
import { configText, machineText } from './config-text.js'
import { formatMicroseconds, formatNumber, formatSeconds } from './format.js'
import { type Goal, goalResults } from './goals.js'
import {
  groupBy,
  isLowerBetter,
  latencySeries,
  measuredRows,
  nodeMajor,
  projectRoot,
  readRows,
  rowsBySize,
  rowsOfNewestNode,
  rowsToPlot,
  skipReason,
} from './measurements.js'

const BEGIN = '<!-- figures: npm run figures -->'
const END = '<!-- /figures -->'

/** What a newcomer wants to know first, in this order; the rest is in docs/figures.md. */
const README_ROWS: readonly RegExp[] = [
  /^transfer\.(throughput|tuned|scattered|single\.p50|concurrent|text|thread|mixed)$/,
  /^payload\.any$/,
  /^exchange\.orders@\d+$/,
  /^replay\.events$/,
]
const README_PERCENTILES = ['p50', 'p99', 'p999', 'max'] as const
const PEER_COLUMNS = [
  ['one at a time', /\.single$/],
  ['many at once', /\.(concurrent|submit|batch\d+)$/],
  ['read', /\.read$/],
  ['open', /\.open$/],
] as const

/** The README with its tables made from these rows. */
export function withFigures(readme: string, rows: readonly Row[]): string {
  const begin = readme.indexOf(BEGIN)
  const end = readme.indexOf(END)
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`)
  return `${readme.slice(0, begin)}${BEGIN}\n${readmeFigures(rows)}${readme.slice(end)}`
}

function readmeFigures(rows: readonly Row[]): string {
  const tables = [mainTable(rows), latencyTable(rows), peersTable(rows)]
  const text =
    'Medians. [All figures and plots](docs/report.html) (one HTML file, to be opened in a browser), [as Markdown](docs/figures.md), [raw rows](docs/measurements). Repeat them: `npm run bench -- --full`, `npm run bench:peers -- --full`.'
  return `${[...tables, environmentText(rows), text].filter((part) => part !== '').join('\n\n')}\n`
}

function mainTable(rows: readonly Row[]): string {
  const plotted = rowsToPlot(rows)
  const chosen = README_ROWS.flatMap((pattern) => plotted.filter(({ name }) => pattern.test(name)))
  const recover = rowsBySize(rows, 'open.recover').at(-1)
  const newest = rowsOfNewestNode(rows)
  const newestCells = (name: string, format: (value: number) => string): string[] => {
    const row = newest.get(name)
    if (newest.size === 0) return []
    return row === undefined ? ['', ''] : [format(row.value), ratioText(row)]
  }
  const lines = chosen.map((row) => [
    code(row.name),
    `${formatNumber(row.value)} ${row.unit}`,
    row.limit === undefined ? '' : formatNumber(row.limit),
    ratioText(row),
    ...newestCells(row.name, formatNumber),
  ])
  if (recover !== undefined) {
    const { size, row } = recover
    const limit = row.limit === undefined ? '' : formatSeconds(row.limit)
    const name = `open a journal of ${formatNumber(size)} events`
    const cells = newestCells(row.name, formatSeconds)
    lines.push([name, formatSeconds(row.value), limit, ratioText(row), ...cells])
  }
  const [any] = newest.values()
  const heads = any === undefined ? [] : [`Node ${nodeMajor(any)}`, 'ratio']
  return table(['', 'median', 'hand-written loop, same run', 'ratio', ...heads], lines)
}

function latencyTable(rows: readonly Row[]): string {
  const series = latencySeries(rows).filter(({ subject }) => subject === 'transfer')
  const lines = series.map(({ ratePerSecond, rows: latencies }) => [
    `${formatNumber(ratePerSecond)}/s`,
    ...README_PERCENTILES.map((percentile) => {
      const row = latencies.get(percentile)
      return row === undefined ? '' : formatMicroseconds(row.value)
    }),
  ])
  const heads = ['latency at an offered load of', 'p50', 'p99', 'p99.9', 'max']
  return table(heads, lines)
}

/** A line for each store, with its best mode. */
function peersTable(rows: readonly Row[]): string {
  const peers = rowsToPlot(rows).filter(
    ({ name, config }) => name.startsWith('peers.') && config['durability'] === 'disk',
  )
  const lines = [...groupBy(peers, ({ config }) => String(config['peer']))].map(([peer, own]) => [
    peer,
    ...PEER_COLUMNS.map(([, pattern]) => {
      const best = own
        .filter(({ name }) => pattern.test(name))
        .sort((a, b) => (isLowerBetter(a) ? a.value - b.value : b.value - a.value))[0]
      return best === undefined ? '' : `${formatNumber(best.value)} ${best.unit}`
    }),
  ])
  return table(['durable, same run', ...PEER_COLUMNS.map(([head]) => head)], lines)
}

function environmentText(rows: readonly Row[]): string {
  const plotted = rowsToPlot(rows)
  const main = plotted.find(({ name }) => name === 'transfer.throughput') ?? plotted[0]
  const config = main?.config ?? {}
  const accounts = Number(config['accounts'] ?? 0)
  const peers = Number(
    plotted.find(({ name }) => name.startsWith('peers.'))?.config['accounts'] ?? 0,
  )
  const beside = peers > 0 ? ` (beside other stores ${formatNumber(peers)})` : ''
  const workload =
    accounts > 0
      ? `Transfers of two events between ${formatNumber(accounts)} accounts${beside}, level`
      : 'Level'
  const sizes = [...new Set(plotted.map((row) => `\`${row.config['size']}\``))].sort()
  const ofEach =
    sizes.length > 1
      ? `; size ${sizes.join(' or ')}, which [all figures](docs/figures.md) say of each row`
      : `, size ${sizes[0]}`
  return `${workload} \`${config['durability']}\`, ${machineText(config)}, Node ${config['node']}, ${config['fileSystem']}, ${String(config['date']).slice(0, 10)}${ofEach}. Latency is open loop, from the time a transfer was due.`
}

/** docs/figures.md: every row, with all of its runs. */
export function figuresPage(rows: readonly Row[]): string {
  const parts = [
    '# All figures',
    'Generated by `npm run figures` from [the raw rows](measurements). Medians; beside them the limit, which is the same work as a hand-written loop without an engine, in the same run. Ratio: figure to limit, for times limit to figure, so that 1 is what the machine can do. With plots: [report.html](report.html).',
    '## Goals',
    'What was asked for before anything was measured. Where a row falls short, [decision 0029](decisions/0029-what-falls-short.md) says where the time goes.',
    goalTable(rows),
    ...[...groupBy(measuredRows(rows), ({ name }) => name.split('.')[0] ?? name)].flatMap(
      ([subject, own]) => [`## ${subject}`, subjectTable(own)],
    ),
    skippedText(rows),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function goalTable(rows: readonly Row[]): string {
  const met = (isMet: boolean | undefined) => (isMet === undefined ? '' : isMet ? 'yes' : '**no**')
  const lines = goalResults(rows).map(({ goal, row, isRatioMet, isValueMet }) => [
    code(goal.name),
    row === undefined ? 'not measured' : `${formatNumber(row.value)} ${row.unit}`,
    valueAsked(goal),
    met(isValueMet),
    row === undefined ? '' : ratioText(row),
    goal.ratio === undefined ? '' : `≥ ${goal.ratio.toFixed(2)}`,
    met(isRatioMet),
  ])
  return table(['row', 'median', 'asked', 'met', 'ratio', 'asked', 'met'], lines)
}

function valueAsked({ atLeast, atMost }: Goal): string {
  if (atLeast !== undefined) return `≥ ${formatNumber(atLeast)}`
  return atMost === undefined ? '' : `≤ ${formatNumber(atMost)}`
}

function subjectTable(rows: readonly Row[]): string {
  const lines = rows.map((row, i) => {
    const text = describe(row)
    const above = rows[i - 1]
    return [
      code(row.name),
      `${formatNumber(row.value)} ${row.unit}`,
      row.runs.length > 1 ? row.runs.map(formatNumber).join(', ') : '',
      row.limit === undefined ? '' : formatNumber(row.limit),
      ratioText(row),
      above !== undefined && describe(above) === text ? '″' : text,
    ]
  })
  return table(['row', 'median', 'runs', 'limit', 'ratio', 'of'], lines)
}

function describe(row: Row): string {
  const { fileSystem, size, date } = row.config
  const day = String(date ?? '').slice(0, 10)
  return `${configText(row)} · ${machineText(row.config)}, ${fileSystem}, size ${size}, ${day}`
}

function skippedText(rows: readonly Row[]): string {
  const skipped = rows.filter((row) => skipReason(row) !== undefined)
  if (skipped.length === 0) return ''
  const lines = [...groupBy(skipped, skipReason)].map(
    ([reason, own]) => `- ${own.map(({ name }) => code(name)).join(', ')}: ${reason}`,
  )
  return ['## Not measured, and why', lines.join('\n')].join('\n\n')
}

/** Nothing where there are no lines. */
function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  if (lines.length === 0) return ''
  // A row must stay one line, and a cell one cell.
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...lines.map(line)].join('\n')
}

function code(name: string): string {
  return `\`${name.replaceAll('`', '')}\``
}

function ratioText({ ratio }: Row): string {
  return ratio === undefined ? '' : ratio.toFixed(2)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const rows = readRows()
  const readme = join(projectRoot, 'README.md')
  writeFileSync(readme, withFigures(readFileSync(readme, 'utf8'), rows))
  writeFileSync(join(projectRoot, 'docs', 'figures.md'), figuresPage(rows))
}
