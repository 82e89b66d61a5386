/**
 * `open.recover@…`: seconds from `Engine.open` until commands are taken, on journals of so many
 * events, without a snapshot, from the page cache. The limit is limits/recovery-limit.ts.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Benchmark, type Contender, type Row, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import { FRESH_REPEATS, interleaved } from '../interleaved.js'
import { prepareRecovery, type RecoveryResult } from '../recovery-engine.js'
import { makeRecoveryJournal, type RecoveryJournal } from '../recovery-journal.js'

const SIZES = {
  smoke: [{ events: 20_000, accounts: 1_000 }],
  quick: [
    { events: 100_000, accounts: 10_000 },
    { events: 1_000_000, accounts: 100_000 },
  ],
  full: [
    { events: 1_000_000, accounts: 100_000 },
    { events: 10_000_000, accounts: 1_000_000 },
    { events: 100_000_000, accounts: 1_000_000 },
  ],
} as const

export const openRecover: Benchmark = {
  name: 'open.recover',
  async run({ size, directory, seed }) {
    const rows: Row[] = []
    for (const sizes of SIZES[size]) {
      const options = { ...sizes, seed, directory: join(directory, 'journal') }
      const journal = await makeRecoveryJournal(options)
      const [runs = [], limitRuns = []] = await interleaved<RecoveryResult, RecoveryJournal>(
        [
          { module: import.meta.url, options: journal },
          { module: limitModule('recovery-limit'), options: journal },
        ],
        FRESH_REPEATS[size],
      )
      rmSync(journal.directory, { recursive: true })
      const row = rowOf({
        name: `${this.name}@${sizes.events}`,
        unit: 's',
        better: 'less',
        runs: runs.map(({ openSeconds }) => openSeconds),
        limitRuns: limitRuns.map(({ openSeconds }) => openSeconds),
        config: { ...sizes, seed, durability: 'disk', mode: 'inline', cache: 'page cache' },
      })
      rows.push(row)
    }
    return rows
  },
}

export function prepare(journal: RecoveryJournal): Promise<Contender<RecoveryResult>> {
  return prepareRecovery(journal)
}
