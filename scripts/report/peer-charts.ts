/** Bars of tidewheel and its peers, and who wins each. */
import type { Row } from '../../bench/benchmark.js'
import { formatNumber, formatShort } from '../format.js'
import { isLowerBetter, rowsToPlot } from '../measurements.js'
import { type Bar, barChart } from './bar-chart.js'
import type { Markup } from './markup.js'

export interface PeerGroup {
  readonly title: string
  readonly note: string
  /** The best first. */
  readonly rows: readonly Row[]
}

const GROUPS: readonly (Omit<PeerGroup, 'rows'> & { has(workload: Workload): boolean })[] = [
  {
    title: 'Durable transfers, one at a time',
    note: 'The next transfer begins when the last one is synced: this is the disk, and how many times a store waits for it.',
    has: ({ workload, mode, durability }) =>
      workload === 'transfers' && mode === 'single' && durability === 'disk',
  },
  {
    title: 'Durable transfers, many at once',
    note: 'Batches are one transaction of the application: when one transfer fails, the others of its batch fail with it. Concurrent callers and tidewheel’s submit get an answer each.',
    has: ({ workload, mode, durability }) =>
      workload === 'transfers' && mode !== 'single' && durability === 'disk',
  },
  {
    title: 'Transfers without durability',
    note: 'Nothing is kept, so nothing waits for the disk.',
    has: ({ workload, durability }) => workload === 'transfers' && durability === 'none',
  },
  {
    title: 'Opening a closed store',
    note: 'Until the first balance can be read. A store that replays pays for its length; one that reads pages on demand does not.',
    has: ({ workload }) => workload === 'open',
  },
  {
    title: 'Reading one balance',
    note: 'A random account, one after the other, where the store itself has balances.',
    has: ({ workload }) => workload === 'read',
  },
  {
    title: 'A question nobody prepared for',
    note: 'The ten accounts with the most events: SQL where there is SQL, otherwise a scan.',
    has: ({ workload }) => workload === 'query',
  },
  {
    title: 'Space on disk',
    note: 'Of all files after closing, accounts and prepared space included.',
    has: ({ workload }) => workload === 'disk',
  },
]

interface Workload {
  readonly workload: unknown
  readonly mode: unknown
  readonly durability: unknown
}

/** Groups that have rows; a row of an unknown workload is in the table of all rows only. */
export function peerGroups(rows: readonly Row[]): PeerGroup[] {
  const peers = rowsToPlot(rows).filter(({ name, value }) => name.startsWith('peers.') && value > 0)
  return GROUPS.map(({ title, note, has }) => ({
    title,
    note,
    rows: peers
      .filter(({ config }) => has(config as unknown as Workload))
      .sort((a, b) => (isLowerBetter(a) ? a.value - b.value : b.value - a.value)),
  })).filter((group) => group.rows.length > 0)
}

/** Is there a peer that did better? */
export function isLost({ rows }: PeerGroup): boolean {
  const [best] = rows
  return best !== undefined && !isOwn(best) && rows.some(isOwn)
}

export function isOwn({ config }: Row): boolean {
  return config['peer'] === 'tidewheel'
}

export function peerChart({ title, rows }: PeerGroup): Markup {
  const unit = rows[0]?.unit ?? ''
  const first = rows.find(isOwn)
  const direction = rows[0] !== undefined && isLowerBetter(rows[0]) ? 'less' : 'more'
  return barChart({
    description: `${title}, ${unit}: ${rows.map((row) => `${nameOf(row)} ${formatNumber(row.value)}`).join(', ')}`,
    axis: `${unit} (logarithmic, ${direction} is better)`,
    format: formatShort,
    bars: rows.map((row): Bar => {
      const beside = first === undefined || isOwn(row) ? '' : besideOwn(row, first)
      return {
        name: nameOf(row),
        value: row.value,
        label: `${formatNumber(row.value)}${beside}`,
        title: `${row.name}: ${formatNumber(row.value)} ${unit}. ${row.config['how'] ?? ''}`,
        isOwn: isOwn(row),
      }
    }),
  })
}

/** A peer's figure beside tidewheel's best, in words that need no direction. */
function besideOwn(row: Row, own: Row): string {
  const times = row.value / own.value
  if (times >= 10) return ` · ${formatNumber(Math.round(times))} × tidewheel`
  if (times >= 0.1) return ` · ${times.toPrecision(2)} × tidewheel`
  return ` · 1/${formatNumber(Math.round(1 / times))} of tidewheel`
}

function nameOf({ config, name }: Row): string {
  const { peer, mode, workload } = config
  const own = String(peer ?? name)
  return workload === 'transfers' ? `${own} · ${mode}` : own
}
