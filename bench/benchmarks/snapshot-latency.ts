/**
 * `snapshot.latency@RATE.…`: percentiles of transfers in an open loop while snapshots are made, one
 * after the other, each from the first event on: more than any policy asks for. The limit is the
 * same engine on the same schedule, in turn with it, of which none is made.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Benchmark,
  type BenchmarkOptions,
  type Contender,
  numbersOf,
  type Row,
  rowOf,
} from '../benchmark.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { interleaved, REPEATS } from '../interleaved.js'
import { commandCount, type OpenLoopResult, offer, type Schedule } from '../open-loop.js'
import { PERCENTILES } from '../percentiles.js'
import { LedgerEngine } from '../transfer-engine.js'
import { type TransferOptions, TransferWorkload } from '../transfer-workload.js'
import { submitter } from './transfer-latency.js'

const SMALL_SEGMENT_BYTES = 1024 * 1024 + 8192
const SEGMENT_BYTES = 64 * 1024 * 1024

const SIZES = {
  smoke: { accounts: 1024, seconds: 0.2, warmUpSeconds: 0.1, segmentBytes: SMALL_SEGMENT_BYTES },
  quick: { accounts: 262_144, seconds: 0.5, warmUpSeconds: 0.2, segmentBytes: SEGMENT_BYTES },
  full: { accounts: 1_048_576, seconds: 20, warmUpSeconds: 5, segmentBytes: SEGMENT_BYTES },
} as const

const RATES = { smoke: [20_000], quick: [200_000], full: [10_000, 200_000, 1_000_000] } as const

interface SnapshotLatencyOptions extends TransferOptions, Schedule {
  readonly segmentBytes: number
  /** Whether snapshots are made meanwhile. */
  readonly makesSnapshots: boolean
}

export const snapshotLatency: Benchmark = {
  name: 'snapshot.latency',
  at: 'commands a second',
  async run(options) {
    const rows: Row[] = []
    for (const rate of numbersOf(options, RATES)) rows.push(...(await rowsAt(rate, options)))
    return rows
  },
}

async function rowsAt(rate: number, { size, directory, seed }: BenchmarkOptions): Promise<Row[]> {
  const config = { ...SIZES[size], rate, transfers: 0, warmUp: 0, seed }
  const entrants = ['with', 'without'].map((name) => {
    const options = { ...config, directory: join(directory, name), makesSnapshots: name === 'with' }
    return { module: import.meta.url, options }
  })
  const [runs = [], limitRuns = []] = await interleaved<OpenLoopResult>(entrants, REPEATS[size])
  return PERCENTILES.map((percentile) =>
    rowOf({
      name: `snapshot.latency@${rate}.${percentile}`,
      unit: 'µs',
      better: 'less',
      runs: runs.map((run) => run[percentile]),
      limitRuns: limitRuns.map((run) => run[percentile]),
      config: { ...config, durability: 'disk', mode: 'inline', loop: 'open' },
    }),
  )
}

export async function prepare(options: SnapshotLatencyOptions): Promise<Contender<OpenLoopResult>> {
  const { directory, accounts, segmentBytes, seed, makesSnapshots } = options
  const ledger = await LedgerEngine.open(ledgerUser, options, {
    segmentBytes,
    snapshot: { everyBytes: Number.POSITIVE_INFINITY, keep: 1 },
  })
  const { engine } = ledger
  const workload = new TransferWorkload(seed, accounts)
  let offered = 0
  // There must be a segment that is full.
  for (; engine.journalPosition().segmentNumber < 2; offered += TRANSFERS_A_STEP) {
    await ledger.transfer(workload, TRANSFERS_A_STEP)
  }

  /** Returns when `isOver`, and the one that is then being made is there. */
  async function makeSnapshots(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const file = await engine.snapshot()
      if (file === undefined) throw new Error('no snapshot was made')
      // The next one is made from the first event again.
      rmSync(join(directory, file))
    }
  }

  return {
    async round() {
      let isOver = false
      const making = makesSnapshots ? makeSnapshots(() => isOver) : undefined
      const result = await offer(engine, options, submitter(workload, ledger))
      isOver = true
      await making
      ledger.countReceipts()
      ledger.accepted += result.accepted
      offered += commandCount(options)
      return result
    },
    end: () => ledger.verify(offered),
  }
}

const TRANSFERS_A_STEP = 5000
