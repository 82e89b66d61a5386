/** The rows of an open loop at one rate, beside synced writes on the same schedule. */
import { join } from 'node:path'
import { type BenchmarkOptions, type Row, rowOf } from './benchmark.js'
import { limitModule } from './compare.js'
import { interleaved, REPEATS } from './interleaved.js'
import type { OpenLoopResult, Schedule } from './open-loop.js'
import { PERCENTILES } from './percentiles.js'

export interface LatencyComparison extends Schedule {
  /** The rows are `name@rate.p50` and so on. */
  readonly name: string
  /** URL of the module whose `prepare` is the engine's contender. */
  readonly engine: string
  /** For the engine's contender, beside the schedule. */
  readonly options: object
  /** Of a command's transaction in the journal, on average. */
  readonly commandBytes: number
}

export async function latencyRows(
  { size, directory, seed }: BenchmarkOptions,
  comparison: LatencyComparison,
): Promise<Row[]> {
  const { name, engine, commandBytes, rate, warmUpSeconds, seconds } = comparison
  const schedule = { rate, warmUpSeconds, seconds }
  const options = { ...comparison.options, ...schedule, seed }
  const [runs = [], limitRuns = []] = await interleaved<OpenLoopResult, object>(
    [
      { module: engine, options: { ...options, directory: join(directory, 'engine') } },
      {
        module: limitModule('write-schedule-limit'),
        options: { ...schedule, commandBytes, directory: join(directory, 'limit') },
      },
    ],
    REPEATS[size],
  )
  const config = { ...options, commandBytes, durability: 'disk', mode: 'inline', loop: 'open' }
  const answered = rowOf({
    name: `${name}@${rate}.answered`,
    unit: 'durable commands/s',
    better: 'more',
    runs: runs.map((run) => run.answeredPerSecond),
    limitRuns: limitRuns.map((run) => run.answeredPerSecond),
    config,
  })
  const stolen = rowOf({
    name: `${name}@${rate}.stolen`,
    unit: 'ms that the host took',
    better: 'less',
    runs: runs.map((run) => run.stolenMs),
    limitRuns: limitRuns.map((run) => run.stolenMs),
    config,
  })
  const percentiles = PERCENTILES.map((percentile) =>
    rowOf({
      name: `${name}@${rate}.${percentile}`,
      unit: 'µs',
      better: 'less',
      runs: runs.map((run) => run[percentile]),
      limitRuns: limitRuns.map((run) => run[percentile]),
      config,
    }),
  )
  return [...percentiles, answered, stolen]
}
