/**
 * `peers.*`: the same transfers through tidewheel and through what one would use instead. Rounds go
 * through all peers and modes in turn, since only what ran side by side compares.
 */
import { join } from 'node:path'
import { type BenchmarkOptions, median, type Row } from '../benchmark.js'
import { IsolatedContender } from '../isolated.js'
import type { Measured, MeasureOptions, StoreFigures, TransferFigures } from './measure.js'
import type { Mode, Peer } from './peer.js'

const SIZES = {
  smoke: { accounts: 256, rounds: 1, warmUpSeconds: 0.02, seconds: 0.05, transfers: 2000 },
  quick: { accounts: 10_000, rounds: 1, warmUpSeconds: 0.3, seconds: 0.7, transfers: 20_000 },
  full: { accounts: 100_000, rounds: 5, warmUpSeconds: 2, seconds: 5, transfers: 200_000 },
} as const

const measureModule = new URL('./measure.js', import.meta.url)

export interface PeersResult {
  readonly rows: Row[]
  /** Of stores that had not what they must have, or processes that died. */
  readonly failures: string[]
}

interface Series {
  readonly peer: Peer
  readonly mode: Mode
  readonly kind: MeasureOptions['kind']
  readonly measured: Measured[]
}

/**
 * Measures what is installed; what does not run becomes a row that says why.
 * @param notInstalled why the packages could not be installed
 */
export async function runPeers(
  peers: readonly Peer[],
  options: BenchmarkOptions,
  notInstalled?: string,
): Promise<PeersResult> {
  const { rounds } = SIZES[options.size]
  const series = peers.flatMap(seriesOf)
  for (const { peer, measured } of series) {
    if (notInstalled === undefined || peer.packages.length === 0) continue
    measured.push({ skipped: notInstalled, isFailure: false })
  }
  const failures: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (const each of series) {
      // What did not run in the first round is not asked again.
      if (each.measured.some((measured) => 'skipped' in measured)) continue
      const measured = await measureOne(each, options)
      if ('skipped' in measured && measured.isFailure) {
        failures.push(`${each.peer.name}.${each.mode.name}: ${measured.skipped}`)
      }
      each.measured.push(measured)
    }
  }
  return { rows: series.flatMap((each) => rowsOf(each, options)), failures }
}

function seriesOf(peer: Peer): Series[] {
  const transfers = peer.modes.map(
    (mode): Series => ({ peer, mode, kind: 'transfers', measured: [] }),
  )
  const mode = peer.modes.find(({ name }) => name === peer.fillMode)
  if (mode === undefined) throw new Error(`${peer.name} has no mode ${peer.fillMode}`)
  // A store that keeps nothing has nothing to open.
  if (mode.durability === 'none') return transfers
  return [...transfers, { peer, mode, kind: 'store', measured: [] }]
}

async function measureAlone(options: MeasureOptions): Promise<Measured> {
  const contender = await IsolatedContender.start<MeasureOptions, Measured>(
    measureModule.href,
    options,
  )
  try {
    const measured = await contender.round()
    await contender.end()
    return measured
  } finally {
    contender.abandon()
  }
}

function measureOne(series: Series, options: BenchmarkOptions): Promise<Measured> {
  const { peer, mode, kind } = series
  const { accounts, warmUpSeconds, seconds, transfers } = SIZES[options.size]
  const measuring = measureAlone({
    peer: peer.name,
    mode: mode.name,
    kind,
    directory: join(options.directory, 'peer'),
    accounts,
    seed: options.seed,
    warmUpSeconds,
    seconds,
    transfers,
  })
  // A process that died, of a binary that does not fit for instance.
  return measuring.catch((error: unknown) => {
    console.error(error)
    return { skipped: 'failed: its process died', isFailure: true }
  })
}

function rowsOf(series: Series, options: BenchmarkOptions): Row[] {
  const { peer, mode, kind, measured } = series
  const { accounts, seconds, transfers } = SIZES[options.size]
  const config = {
    peer: peer.name,
    version: measured[0]?.version ?? '',
    durability: mode.durability,
    mode: mode.name,
    accounts,
    seed: options.seed,
  }
  const missing = measured.find((each) => 'skipped' in each)
  if (missing !== undefined) {
    const name = `peers.${peer.name}.${kind === 'transfers' ? mode.name : 'store'}`
    const { skipped } = missing
    return [{ name, unit: '', value: 0, runs: [], config: { ...config, skipped } }]
  }
  const row = (name: string, unit: string, runs: number[], more: object): Row[] =>
    runs.length === 0
      ? []
      : [
          {
            name: `peers.${peer.name}.${name}`,
            unit,
            value: median(runs),
            runs,
            config: { ...config, ...more },
          },
        ]
  if (kind === 'transfers') {
    const runs = (measured as TransferFigures[]).map((each) => each.transfersPerSecond)
    const more = { workload: 'transfers', seconds, how: mode.how }
    return row(mode.name, 'transfers/s', runs, more)
  }
  const store = measured as StoreFigures[]
  const runsOf = (figure: keyof StoreFigures) =>
    store.map((each) => each[figure]).filter((value) => value !== undefined)
  return STORE_ROWS.flatMap(({ name, unit, figure, how }) =>
    row(name, unit, runsOf(figure), { workload: name, transfers, how }),
  )
}

const STORE_ROWS = [
  {
    name: 'open',
    unit: 'ms',
    figure: 'openMs',
    how: 'from a cleanly closed store to the first balance',
  },
  {
    name: 'read',
    unit: 'reads/s',
    figure: 'readsPerSecond',
    how: 'the balance of a random account, one after the other',
  },
  {
    name: 'query',
    unit: 'ms',
    figure: 'queryMs',
    how: 'a question nobody prepared for: the ten accounts with the most events',
  },
  {
    name: 'disk',
    unit: 'bytes/transfer',
    figure: 'bytesPerTransfer',
    how: 'of all files after closing, accounts and prepared space included',
  },
] as const
