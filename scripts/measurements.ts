/**
 * The raw rows of docs/measurements: every published figure, table and plot is made from them, and
 * none is typed by hand. The files come from `npm run bench -- … --json FILE` and `npm run
 * bench:peers -- … --json FILE`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from '../bench/benchmark.js'

// Compiled, this lies in dist/scripts.
export const projectRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Of all files, in the order of their names, so that the same files give the same page. */
export function readRows(folder = join(projectRoot, 'docs', 'measurements')): Row[] {
  const rows = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Row[])
  return withoutSmaller(rows)
}

/** Where a row was measured in the full size, with the same version of Node, a quick one says less. */
export function withoutSmaller(rows: readonly Row[]): Row[] {
  const keyOf = (row: Row): string => `${row.name} ${nodeMajor(row)}`
  const isFull = (row: Row): boolean => row.config['size'] === 'full'
  const full = new Set(rows.filter(isFull).map(keyOf))
  return rows.filter((row) => isFull(row) || !full.has(keyOf(row)))
}

/** Rows that were not measured say why. */
export function skipReason(row: Row): string | undefined {
  const { skipped } = row.config
  return skipped === undefined ? undefined : String(skipped)
}

export function measuredRows(rows: readonly Row[]): Row[] {
  return rows.filter((row) => skipReason(row) === undefined)
}

/**
 * One row a name: where the same was measured with several versions of Node, that of the oldest,
 * which is the one that the package supports from on. The tables show all.
 */
export function rowsToPlot(rows: readonly Row[]): Row[] {
  const chosen = new Map<string, Row>()
  for (const row of measuredRows(rows)) {
    const known = chosen.get(row.name)
    if (known === undefined || nodeMajor(row) < nodeMajor(known)) chosen.set(row.name, row)
  }
  return [...chosen.values()]
}

/** By name, those that were measured with the newest version of Node too; none if there is one only. */
export function rowsOfNewestNode(rows: readonly Row[]): Map<string, Row> {
  const oldest = Math.min(...rowsToPlot(rows).map(nodeMajor))
  const majors = measuredRows(rows).map(nodeMajor).filter(Number.isFinite)
  const newest = Math.max(oldest, ...majors)
  if (newest === oldest) return new Map()
  const own = measuredRows(rows).filter((row) => nodeMajor(row) === newest)
  return new Map(own.map((row) => [row.name, row]))
}

export function nodeMajor({ config }: Row): number {
  return Number(/^v(\d+)/.exec(String(config['node'] ?? ''))?.[1] ?? Number.POSITIVE_INFINITY)
}

/** In the order of their first members; Node has `Map.groupBy` from 21 on. */
export function groupBy<Key, Value>(
  values: readonly Value[],
  keyOf: (value: Value) => Key,
): Map<Key, Value[]> {
  const groups = new Map<Key, Value[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

const LOWER_IS_BETTER = /^((ns|µs|us|ms|s|seconds|bytes)\b|%)/

/** Times and sizes are better when they are small, figures a second when they are large. */
export function isLowerBetter({ unit }: Row): boolean {
  return LOWER_IS_BETTER.test(unit) && !unit.endsWith('/s')
}

export const PERCENTILES = ['p50', 'p90', 'p99', 'p999', 'p9999', 'max'] as const
export type Percentile = (typeof PERCENTILES)[number]

export const PERCENTILE_LABELS: Readonly<Record<Percentile, string>> = {
  p50: '50 %',
  p90: '90 %',
  p99: '99 %',
  p999: '99.9 %',
  p9999: '99.99 %',
  max: 'max',
}

export interface LatencySeries {
  /** What was measured, `transfer` or `exchange`. */
  readonly subject: string
  readonly ratePerSecond: number
  readonly rows: ReadonlyMap<Percentile, Row>
}

/** Rows named `SUBJECT.latency@RATE.PERCENTILE`, by rate. */
export function latencySeries(rows: readonly Row[]): LatencySeries[] {
  const found = new Map<string, LatencySeries & { rows: Map<Percentile, Row> }>()
  for (const row of rowsToPlot(rows)) {
    const match = /^([\w.-]+)\.latency@(\d+)\.(\w+)$/.exec(row.name)
    if (match === null) continue
    const [, subject = '', rate = '', name = ''] = match
    const percentile = PERCENTILES.find((each) => each === name)
    if (percentile === undefined) continue
    const key = `${subject}@${rate}`
    const series = found.get(key) ?? { subject, ratePerSecond: Number(rate), rows: new Map() }
    series.rows.set(percentile, row)
    found.set(key, series)
  }
  return [...found.values()].sort(
    (a, b) =>
      Number(b.subject === 'transfer') - Number(a.subject === 'transfer') ||
      a.subject.localeCompare(b.subject) ||
      a.ratePerSecond - b.ratePerSecond,
  )
}

/** Transfers answered a second at each offered rate: rows `transfer.latency@RATE.answered`. */
export function answeredByRate(rows: readonly Row[]): Map<number, number> {
  const answered = rowsToPlot(rows).flatMap(({ name, value }): [number, number][] => {
    const rate = /^transfer\.latency@(\d+)\.answered$/.exec(name)?.[1]
    return rate === undefined ? [] : [[Number(rate), value]]
  })
  return new Map(answered.sort(([a], [b]) => a - b))
}

/** Rows named `PREFIX@NUMBER`, by number. */
export function rowsBySize(rows: readonly Row[], prefix: string): { size: number; row: Row }[] {
  return rowsToPlot(rows)
    .filter(({ name }) => name.startsWith(`${prefix}@`))
    .map((row) => ({ size: Number(row.name.slice(prefix.length + 1)), row }))
    .filter(({ size, row }) => size > 0 && row.value > 0)
    .sort((a, b) => a.size - b.size)
}
