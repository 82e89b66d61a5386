/** What a benchmark gives: rows that a stranger can repeat, with the limit of the machine beside. */

export interface Row {
  readonly name: string
  readonly unit: string
  /** Median of the runs. */
  readonly value: number
  /** The same work without an engine, in the same interleaved runs; median. */
  readonly limit?: number
  /** `value / limit`, or for times `limit / value`: 1 is the limit of the machine. */
  readonly ratio?: number
  readonly runs: readonly number[]
  readonly limitRuns?: readonly number[]
  readonly config: Readonly<Record<string, unknown>>
}

export interface BenchmarkOptions {
  /** `smoke` proves that it works, `quick` takes seconds, `full` is what is published. */
  readonly size: 'smoke' | 'quick' | 'full'
  /** Where journals are written: the file system that is measured. */
  readonly directory: string
  readonly seed: number
}

export interface Benchmark {
  readonly name: string
  run(options: BenchmarkOptions): Promise<Row[]>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}

/** Runs both in turn, since the machine's speed drifts: only what ran side by side compares. */
export async function interleaved(
  repeats: number,
  first: () => Promise<number>,
  second: () => Promise<number>,
): Promise<{ first: number[]; second: number[] }> {
  const results = { first: [] as number[], second: [] as number[] }
  for (let i = 0; i < repeats; i++) {
    results.first.push(await first())
    results.second.push(await second())
  }
  return results
}
