/** The plots about tidewheel alone: latency, offered load, accounts, recovery. */
import type { Row } from '../../bench/benchmark.js'
import { formatMicroseconds, formatNumber, formatSeconds, formatShort } from '../format.js'
import {
  answeredByRate,
  groupBy,
  type LatencySeries,
  latencySeries,
  PERCENTILE_LABELS,
  PERCENTILES,
  rowsBySize,
} from '../measurements.js'
import { lineChart, type Point, type Series } from './line-chart.js'
import type { Markup } from './markup.js'
import { linearScale, logScale, type Scale } from './scale.js'

/** Percentiles as HdrHistogram plots them: every further nine takes as much room as the one before. */
const PERCENTILE_SCALE: Scale = {
  at: (index) => index / (PERCENTILES.length - 1),
  ticks: PERCENTILES.map((_, index) => index),
}
const COLOURS = 6

/** One plot for each subject that has latencies. */
export function latencyCharts(rows: readonly Row[]): { subject: string; chart: Markup }[] {
  const bySubject = groupBy(latencySeries(rows), ({ subject }) => subject)
  return [...bySubject].map(([subject, series]) => ({ subject, chart: latencyChart(series) }))
}

function latencyChart(rates: readonly LatencySeries[]): Markup {
  const series = rates.flatMap(({ ratePerSecond, rows }, i): Series[] => {
    const colour = (i % COLOURS) + 1
    const name = `${formatShort(ratePerSecond)}/s`
    const measured = latencyPoints(rows, ({ value }) => value, `at ${name}`)
    const limits = latencyPoints(rows, ({ limit }) => limit, `raw writes at ${name}`)
    const limit: Series = { name: `raw writes, ${name}`, colour, isLimit: true, points: limits }
    return [{ name, colour, points: measured }, ...(limits.length > 0 ? [limit] : [])]
  })
  return lineChart({
    description: 'Latency by percentile, one line for each offered rate',
    x: {
      title: 'percentile of commands',
      scale: PERCENTILE_SCALE,
      format: (index) => PERCENTILE_LABELS[PERCENTILES[index] ?? 'max'],
    },
    y: {
      title: 'latency (logarithmic)',
      scale: logScale(series.flatMap(({ points }) => points.map(({ y }) => y))),
      format: formatMicroseconds,
    },
    series,
  })
}

function latencyPoints(
  rows: LatencySeries['rows'],
  figure: (row: Row) => number | undefined,
  what: string,
): Point[] {
  return PERCENTILES.flatMap((percentile, x) => {
    const row = rows.get(percentile)
    const y = row === undefined ? undefined : figure(row)
    // Less than a microsecond has no place on a logarithmic axis.
    if (y === undefined || !Number.isFinite(y)) return []
    const title = `${PERCENTILE_LABELS[percentile]} ${what}: ${formatMicroseconds(y)}`
    return [{ x, y: Math.max(y, 1), title }]
  })
}

/** How much was answered of what was offered. */
export function offeredChart(rows: readonly Row[]): Markup | undefined {
  const points = offeredPoints(rows)
  if (points.length === 0) return undefined
  const scale = linearScale(points.flatMap(({ x, y }) => [x, y]))
  const end = Math.max(...points.map(({ x }) => x))
  const all: Series = {
    name: 'all answered',
    colour: 6,
    isLimit: true,
    points: [0, end].map((value) => ({ x: value, y: value, title: 'all answered' })),
  }
  return lineChart({
    description: 'Commands answered a second over commands offered a second',
    x: { title: 'offered commands a second', scale, format: formatShort },
    y: { title: 'answered commands a second', scale, format: formatShort },
    series: [all, { name: 'tidewheel', colour: 1, points }],
  })
}

function offeredPoints(rows: readonly Row[]): Point[] {
  return [...answeredByRate(rows)]
    .sort(([a], [b]) => a - b)
    .map(([x, y]) => ({
      x,
      y,
      title: `offered ${formatNumber(x)}/s, answered ${formatNumber(y)}/s`,
    }))
}

export function accountsChart(rows: readonly Row[]): Markup | undefined {
  const sized = rowsBySize(rows, 'transfer.accounts')
  const series = withLimit(sized, 'tidewheel', (size, value) => {
    return `${formatNumber(size)} accounts: ${formatNumber(value)}/s`
  })
  if (series.length === 0) return undefined
  return lineChart({
    description: 'Durable commands a second over the number of accounts',
    x: {
      title: 'accounts (logarithmic)',
      scale: logScale(sized.map(({ size }) => size)),
      format: formatShort,
    },
    y: {
      title: 'durable commands a second',
      scale: linearScale(series.flatMap(({ points }) => points.map(({ y }) => y))),
      format: formatShort,
    },
    series,
  })
}

export function recoveryChart(rows: readonly Row[]): Markup | undefined {
  const sized = rowsBySize(rows, 'open.recover')
  const series = withLimit(sized, 'tidewheel', (size, value) => {
    return `${formatNumber(size)} events: ${formatSeconds(value)}`
  })
  if (series.length === 0) return undefined
  return lineChart({
    description: 'Seconds from opening to the first command over events in the journal',
    x: {
      title: 'events in the journal (logarithmic)',
      scale: logScale(sized.map(({ size }) => size)),
      format: formatShort,
    },
    y: {
      title: 'time to open (logarithmic)',
      scale: logScale(series.flatMap(({ points }) => points.map(({ y }) => y))),
      format: formatSeconds,
    },
    series,
  })
}

function withLimit(
  sized: readonly { size: number; row: Row }[],
  name: string,
  title: (size: number, value: number) => string,
): Series[] {
  const points = sized.map(({ size, row }) => ({
    x: size,
    y: row.value,
    title: title(size, row.value),
  }))
  const limits = sized.flatMap(({ size, row }) =>
    row.limit === undefined || row.limit <= 0
      ? []
      : [{ x: size, y: row.limit, title: `hand-written loop, ${title(size, row.limit)}` }],
  )
  const limit: Series = { name: 'hand-written loop', colour: 6, isLimit: true, points: limits }
  if (points.length === 0) return []
  return [{ name, colour: 1, points }, ...(limits.length > 0 ? [limit] : [])]
}
