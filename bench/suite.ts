/** All benchmarks, in the order in which they run. */
import type { Benchmark } from './benchmark.js'
import { exchangeLatency } from './benchmarks/exchange-latency.js'
import { exchangeOrders } from './benchmarks/exchange-orders.js'
import { idleCpu } from './benchmarks/idle-cpu.js'
import { indexGrowth } from './benchmarks/index-growth.js'
import { journalAmplification } from './benchmarks/journal-amplification.js'
import { journalBytes } from './benchmarks/journal-bytes.js'
import { openRecover } from './benchmarks/open-recover.js'
import { payloadAny } from './benchmarks/payload-any.js'
import { replayEvents } from './benchmarks/replay-events.js'
import { ring } from './benchmarks/ring.js'
import { snapshotLatency } from './benchmarks/snapshot-latency.js'
import { snapshotOpen } from './benchmarks/snapshot-open.js'
import { transferAccounts } from './benchmarks/transfer-accounts.js'
import { transferConcurrent } from './benchmarks/transfer-concurrent.js'
import { transferGc } from './benchmarks/transfer-gc.js'
import { transferLatency } from './benchmarks/transfer-latency.js'
import { transferMixed } from './benchmarks/transfer-mixed.js'
import { transferScattered } from './benchmarks/transfer-scattered.js'
import { transferSingle } from './benchmarks/transfer-single.js'
import { transferText } from './benchmarks/transfer-text.js'
import { transferThread } from './benchmarks/transfer-thread.js'
import { transferThroughput } from './benchmarks/transfer-throughput.js'
import { transferTuned } from './benchmarks/transfer-tuned.js'
import { microBenchmark } from './micro.js'

export const BENCHMARKS: readonly Benchmark[] = [
  transferThroughput,
  transferTuned,
  transferScattered,
  transferAccounts,
  transferConcurrent,
  transferSingle,
  transferText,
  transferThread,
  transferLatency,
  transferGc,
  transferMixed,
  payloadAny,
  exchangeOrders,
  exchangeLatency,
  replayEvents,
  openRecover,
  snapshotOpen,
  snapshotLatency,
  journalBytes,
  journalAmplification,
  indexGrowth,
  idleCpu,
  ring,
  microBenchmark,
]

export interface ChosenBenchmark {
  readonly benchmark: Benchmark
  readonly at: number | undefined
}

/**
 * `name` is that of a benchmark, or what several begin with: `transfer`; or one that takes a number
 * and the number: `transfer.latency@250000`. Empty: all.
 */
export function benchmarksOf(name: string): readonly ChosenBenchmark[] {
  const [, sized, number] = /^(.+)@([1-9]\d{0,8})$/.exec(name) ?? []
  if (number !== undefined) {
    const found = BENCHMARKS.filter((each) => each.name === sized && each.at !== undefined)
    return found.map((benchmark) => ({ benchmark, at: Number(number) }))
  }
  const found = BENCHMARKS.filter((each) => name === '' || `${each.name}.`.startsWith(`${name}.`))
  return found.map((benchmark) => ({ benchmark, at: undefined }))
}
