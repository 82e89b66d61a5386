/** `transfer.*`: 1,048,576 accounts, uniformly random transfers, two events each, durability `disk`. */
import { join } from 'node:path'
import {
  type Benchmark,
  type BenchmarkOptions,
  interleaved,
  median,
  type Row,
} from './benchmark.js'
import { measureIsolated } from './isolated.js'
import type { Latencies, LatencyOptions } from './transfer-latency.js'
import type { TransferOptions } from './transfer-workload.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 20_000, repeats: 1, seconds: 0.3, warmUpSeconds: 0.2 },
  quick: { accounts: 1_048_576, transfers: 3_000_000, repeats: 3, seconds: 3, warmUpSeconds: 2 },
  full: { accounts: 1_048_576, transfers: 10_000_000, repeats: 7, seconds: 30, warmUpSeconds: 5 },
} as const

const RATES = { smoke: [20_000], quick: [500_000], full: [100_000, 500_000, 1_000_000] } as const

const engineModule = new URL('./transfer-engine.js', import.meta.url)
const limitModule = new URL('./transfer-limit.js', import.meta.url)
const latencyModule = new URL('./transfer-latency.js', import.meta.url)

export const transferBenchmark: Benchmark = {
  name: 'transfer',
  async run(options: BenchmarkOptions): Promise<Row[]> {
    const rows = [await throughput(options)]
    for (const rate of RATES[options.size]) rows.push(...(await latency(options, rate)))
    return rows
  },
}

async function throughput({ size, directory, seed }: BenchmarkOptions): Promise<Row> {
  const { accounts, transfers, repeats } = SIZES[size]
  const options: TransferOptions = {
    directory: join(directory, 'transfer'),
    accounts,
    transfers,
    seed,
  }
  const { first, second } = await interleaved(
    repeats,
    () => measureIsolated<TransferOptions, number>(engineModule, options),
    () => measureIsolated<TransferOptions, number>(limitModule, options),
  )
  const value = median(first)
  const limit = median(second)
  return {
    name: 'transfer.throughput',
    unit: 'durable commands/s',
    value,
    limit,
    ratio: value / limit,
    runs: first,
    limitRuns: second,
    config: { accounts, transfers, durability: 'disk', producers: 1, processor: 'inline', seed },
  }
}

async function latency({ size, directory, seed }: BenchmarkOptions, rate: number): Promise<Row[]> {
  const { accounts, seconds, warmUpSeconds, repeats } = SIZES[size]
  const options: LatencyOptions = {
    directory: join(directory, 'transfer'),
    accounts,
    transfers: 0,
    seed,
    rate,
    seconds,
    warmUpSeconds,
  }
  const runs: Latencies[] = []
  for (let i = 0; i < Math.min(repeats, 3); i++) {
    runs.push(await measureIsolated<LatencyOptions, Latencies>(latencyModule, options))
  }
  const config = { accounts, rate, seconds, warmUpSeconds, durability: 'disk', loop: 'open', seed }
  return (['p50', 'p90', 'p99', 'p999', 'p9999', 'max'] as const).map((percentile) => {
    const values = runs.map((run) => run[percentile])
    const name = `transfer.latency@${rate}.${percentile}`
    return { name, unit: 'µs', value: median(values), runs: values, config }
  })
}
