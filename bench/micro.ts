/**
 * `micro.*`: the parts on their own, by tinybench: nanoseconds an operation. Closed loops, so times
 * and not latencies, with everything in the cache. They tell where a change has come from; what
 * counts are the other benchmarks.
 */
import { Bench } from 'tinybench'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.js'
import { addBlockWrites } from './micro/block-writes.js'
import { addCodecs } from './micro/codecs.js'
import { addHashes } from './micro/hashes.js'
import { addIndexes } from './micro/indexes.js'
import { type MicroGroup, MicroTasks } from './micro/micro-group.js'
import { addPlainData } from './micro/plain-data.js'
import { addRing } from './micro/ring.js'
import { addSlab } from './micro/slab.js'

const GROUPS: readonly MicroGroup[] = [
  addRing,
  addCodecs,
  addIndexes,
  addSlab,
  addHashes,
  addPlainData,
  addBlockWrites,
]

const TIME_MS = { smoke: 2, quick: 60, full: 2_000 } as const

export const microBenchmark: Benchmark = {
  name: 'micro',
  async run({ size, directory }: BenchmarkOptions): Promise<Row[]> {
    const time = TIME_MS[size]
    const bench = new Bench({ time, warmupTime: time / 3, iterations: 3, warmupIterations: 1 })
    const tasks = new MicroTasks(bench, directory)
    const checks = GROUPS.map((add) => add(tasks))
    await bench.run()
    for (const check of checks) check()
    return bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`)
      const operations = tasks.operations.get(name)!
      const nanoseconds = (result.latency.mean * 1e6) / operations
      const config = { operations, samples: result.latency.samplesCount }
      return { name: `micro.${name}`, unit: 'ns', value: nanoseconds, runs: [nanoseconds], config }
    })
  },
}
