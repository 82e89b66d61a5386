/**
 * What a benchmark is, and what it gives: rows that a stranger can repeat, with the limit of the
 * machine beside.
 *
 *   Benchmark.run ─▶ contenders, each in a process of its own, take turns ─▶ rows
 *
 * All files in benchmarks/ have one shape: sizes, a `Benchmark` that says who competes and makes the
 * rows, and `prepare`, which is the engine's contender. The limit's contender is a file in limits/.
 */

export interface Row {
  readonly name: string
  readonly unit: string
  /** Median of the runs. */
  readonly value: number
  /** The same work without an engine, in the same interleaved runs; median. */
  readonly limit?: number
  /** `value / limit`, or where less is better `limit / value`: 1 is the limit of the machine. */
  readonly ratio?: number
  readonly runs: readonly number[]
  readonly limitRuns?: readonly number[]
  readonly config: Readonly<Record<string, unknown>>
}

/** `smoke` proves that it works, `quick` takes seconds, `full` is what is published. */
export type Size = 'smoke' | 'quick' | 'full'

export interface BenchmarkOptions {
  readonly size: Size
  /** Where journals are written: the file system that is measured. */
  readonly directory: string
  readonly seed: number
  /** In place of the numbers that belong to the size; see {@link Benchmark.at}. */
  readonly at?: number
}

export interface Benchmark {
  /** What its rows begin with. */
  readonly name: string
  /** What the number behind the @ of its rows is, where it can be asked for: `transfer.latency@250000`. */
  readonly at?: string
  run(options: BenchmarkOptions): Promise<Row[]>
}

/** The number that was asked for, or those of the size. */
export function numbersOf(
  { size, at }: BenchmarkOptions,
  numbers: Readonly<Record<Size, readonly number[]>>,
): readonly number[] {
  return at === undefined ? numbers[size] : [at]
}

/** One of those that take turns: warm when `prepare` has returned it. */
export interface Contender<Result> {
  /** Measures once. */
  round(): Promise<Result>
  /** Checks all that the rounds have done, and cleans up; throws when something is wrong. */
  end(): Promise<void>
}

export interface Results {
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  readonly runs: readonly number[]
  readonly limitRuns?: readonly number[]
  readonly config: Readonly<Record<string, unknown>>
}

export function rowOf({ name, unit, better, runs, limitRuns, config }: Results): Row {
  const value = median(runs)
  if (limitRuns === undefined) return { name, unit, value, runs, config }
  const limit = median(limitRuns)
  const ratio = better === 'more' ? ratioOf(value, limit) : ratioOf(limit, value)
  return { name, unit, value, limit, ratio, runs, limitRuns, config }
}

/** Where less is better, nothing is better than zero: of collections that never happen, for example. */
function ratioOf(dividend: number, divisor: number): number {
  return divisor === 0 ? 1 : dividend / divisor
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
