/**
 * `transfer.gc.young`: collections of the young generation on the processor's thread, for 10 million
 * transfers. `transfer.gc.pause`: the longest pause of any collection at a million transfers a
 * second, after a warm-up at that rate: the first collection of a process copies what its start has left,
 * for 1 to 3.5 ms. The limit is limits/gc-limit.ts.
 */
import { join } from 'node:path'
import { type Benchmark, type Contender, rowOf } from '../benchmark.js'
import { collectionsDuring } from '../collections.js'
import { limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { interleaved, REPEATS } from '../interleaved.js'
import { commandCount, offerLoad, type Schedule } from '../open-loop.js'
import { LedgerEngine } from '../transfer-engine.js'
import { type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { submitter } from './transfer-latency.js'

const SIZES = {
  smoke: { accounts: 1024, transfers: 20_000, warmUp: 1_000, seconds: 0.1, warmUpSeconds: 0.1 },
  quick: { accounts: 32_768, transfers: 1_000_000, warmUp: 500_000, seconds: 1, warmUpSeconds: 1 },
  full: {
    accounts: 1_048_576,
    transfers: 10_000_000,
    warmUp: 1_000_000,
    seconds: 60,
    warmUpSeconds: 5,
  },
} as const

const COUNTED_TRANSFERS = 10_000_000
const RATE = { smoke: 20_000, quick: 1_000_000, full: 1_000_000 } as const

export type GcOptions = TransferOptions & Schedule

export interface GcResult {
  /** Collections in one round's transfers. */
  readonly young: number
  readonly pauseMs: number
}

export const transferGc: Benchmark = {
  name: 'transfer.gc',
  async run({ size, directory, seed }) {
    const options = { ...SIZES[size], rate: RATE[size], seed }
    const [runs = [], limitRuns = []] = await interleaved<GcResult, GcOptions>(
      [
        { module: import.meta.url, options: { ...options, directory: join(directory, 'engine') } },
        {
          module: limitModule('gc-limit'),
          options: { ...options, directory: join(directory, 'limit') },
        },
      ],
      size === 'full' ? { ...REPEATS.full, processes: 5 } : REPEATS.smoke,
    )
    const counted = ({ young }: GcResult): number => (young * COUNTED_TRANSFERS) / options.transfers
    const pause = ({ pauseMs }: GcResult): number => pauseMs
    const config = { ...options, durability: 'disk', mode: 'inline', producers: 1 }
    return [
      rowOf({
        name: `${this.name}.young`,
        unit: 'collections in 10 M commands',
        better: 'less',
        runs: runs.map(counted),
        limitRuns: limitRuns.map(counted),
        config,
      }),
      rowOf({
        name: `${this.name}.pause`,
        unit: 'ms',
        better: 'less',
        runs: runs.map(pause),
        limitRuns: limitRuns.map(pause),
        config,
      }),
    ]
  },
}

export async function prepare(options: GcOptions): Promise<Contender<GcResult>> {
  const { accounts, transfers, warmUp, warmUpSeconds, seconds, rate, seed } = options
  const ledger = await LedgerEngine.open(ledgerUser, options)
  const workload = new TransferWorkload(seed, accounts)
  let expected = 0

  async function transfer(count: number): Promise<void> {
    await ledger.transfer(workload, count)
    expected += count
  }

  async function offer(duration: number): Promise<void> {
    const schedule = { rate, seconds: duration, warmUpSeconds: 0 }
    const load = await offerLoad(ledger.engine, schedule, submitter(workload, ledger))
    ledger.accepted += commandCount(schedule) - load.rejected
    expected += commandCount(schedule)
  }

  await transfer(warmUp)
  await offer(warmUpSeconds)
  return {
    async round() {
      ledger.countReceipts()
      const { young } = await collectionsDuring(() => transfer(transfers))
      const { longestPauseMs } = await collectionsDuring(() => offer(seconds))
      return { young, pauseMs: longestPauseMs }
    },
    end: () => ledger.verify(expected),
  }
}
