/** The common case of a benchmark: the engine and its limit take turns, each gives one number. */
import { join } from 'node:path'
import { type BenchmarkOptions, type Row, rowOf } from './benchmark.js'
import { interleaved, REPEATS, type Repeats } from './interleaved.js'
import type { ProcessTuning } from './isolated.js'

export interface Comparison<Options> {
  readonly name: string
  readonly unit: string
  readonly better: 'more' | 'less'
  /** URLs of the modules that export `prepare(options)`. */
  readonly engine: string
  readonly limit: string
  /** For both; each gets its own `directory` and the run's `seed` beside. */
  readonly options: Options
  /** What the row's config says beyond the options. */
  readonly config: Readonly<Record<string, unknown>>
  readonly repeats?: Repeats
  /** For both. */
  readonly tuning?: ProcessTuning
}

export async function compare<Options extends object>(
  { size, directory, seed }: BenchmarkOptions,
  comparison: Comparison<Options>,
): Promise<Row> {
  const { name, unit, better, engine, limit, options, config, tuning } = comparison
  const [runs = [], limitRuns = []] = await interleaved<number>(
    [
      {
        module: engine,
        options: { ...options, seed, directory: join(directory, 'engine') },
        tuning,
      },
      { module: limit, options: { ...options, seed, directory: join(directory, 'limit') }, tuning },
    ],
    comparison.repeats ?? REPEATS[size],
  )
  return rowOf({
    name,
    unit,
    better,
    runs,
    limitRuns,
    config: { ...options, ...config, durability: 'disk', seed },
  })
}

/** URL of a module in limits/. */
export function limitModule(name: string): string {
  return new URL(`./limits/${name}.js`, import.meta.url).href
}
