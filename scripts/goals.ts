/**
 * What was asked of the rows before any of them was measured, and where it is written down why one
 * falls short. The page of figures compares them with the published rows; nothing here is a figure.
 */
import type { Row } from '../bench/benchmark.js'
import { rowsToPlot } from './measurements.js'

export interface Goal {
  readonly name: string
  /** Of the limit, at least. */
  readonly ratio?: number
  /** In the unit of the row. */
  readonly atLeast?: number
  readonly atMost?: number
}

export interface GoalResult {
  readonly goal: Goal
  /** Undefined: not measured in any size. */
  readonly row: Row | undefined
  readonly isRatioMet: boolean | undefined
  readonly isValueMet: boolean | undefined
}

/** 30 % more than a raw synced write. */
const SINGLE_RATIO = 1 / 1.3
/** Twice the raw writes. */
const LATENCY_RATIO = 1 / 2

export const GOALS: readonly Goal[] = [
  { name: 'transfer.throughput', ratio: 0.7, atLeast: 6e6 },
  { name: 'transfer.scattered', ratio: 0.7, atLeast: 4e6 },
  { name: 'transfer.latency@500000.p50', atMost: 500 },
  ...[1_000_000, 3_000_000].flatMap((rate) => [
    { name: `transfer.latency@${rate}.p50`, ratio: LATENCY_RATIO },
    { name: `transfer.latency@${rate}.p99`, ratio: LATENCY_RATIO, atMost: 1000 },
    { name: `transfer.latency@${rate}.p999`, atMost: 5000 },
  ]),
  { name: 'transfer.single.p50', ratio: SINGLE_RATIO },
  { name: 'transfer.concurrent', atLeast: 1.2e6 },
  { name: 'transfer.text', atLeast: 1e6 },
  { name: 'transfer.thread', ratio: 0.6, atLeast: 4e6 },
  { name: 'transfer.mixed', ratio: 0.6, atLeast: 2.5e6 },
  { name: 'payload.any', atLeast: 500_000 },
  { name: 'exchange.orders@1', ratio: 0.5, atLeast: 2e6 },
  { name: 'exchange.orders@64', ratio: 0.5, atLeast: 2e6 },
  { name: 'exchange.latency@1000000.p99', atMost: 1000 },
  { name: 'ring.batch', atLeast: 300e6 },
  { name: 'ring.single', atLeast: 60e6 },
  { name: 'replay.events', ratio: 0.7, atLeast: 25e6 },
  { name: 'open.recover@100000000', atMost: 10 },
  { name: 'snapshot.open@10000000', atMost: 2 },
  { name: 'journal.bytes', atMost: 64 },
  { name: 'transfer.gc.young', atMost: 10 },
  { name: 'transfer.gc.pause', atMost: 2 },
  { name: 'index.growth.u32', atMost: 2 },
  { name: 'index.growth.u64', atMost: 2 },
  { name: 'index.growth.text', atMost: 2 },
  { name: 'idle.cpu@inline', atMost: 1 },
  { name: 'idle.cpu@thread', atMost: 1 },
]

/** In the order of the goals, with the rows that are plotted. */
export function goalResults(rows: readonly Row[]): GoalResult[] {
  const byName = new Map(rowsToPlot(rows).map((row) => [row.name, row]))
  return GOALS.map((goal) => {
    const row = byName.get(goal.name)
    return { goal, row, isRatioMet: meetsRatio(goal, row), isValueMet: meetsValue(goal, row) }
  })
}

function meetsRatio(goal: Goal, row: Row | undefined): boolean | undefined {
  if (goal.ratio === undefined || row?.ratio === undefined) return undefined
  return row.ratio >= goal.ratio
}

function meetsValue({ atLeast, atMost }: Goal, row: Row | undefined): boolean | undefined {
  if (row === undefined || (atLeast ?? atMost) === undefined) return undefined
  return atLeast === undefined ? row.value <= (atMost as number) : row.value >= atLeast
}
