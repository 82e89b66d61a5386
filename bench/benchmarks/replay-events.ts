/**
 * `replay.events`: events a second that an opening reads, checks and applies, from the page cache, as
 * its report says. The limit is limits/recovery-limit.ts.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Benchmark, type Contender, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import { FRESH_REPEATS, interleaved } from '../interleaved.js'
import { prepareRecovery, type RecoveryResult } from '../recovery-engine.js'
import { makeRecoveryJournal, type RecoveryJournal } from '../recovery-journal.js'

const SIZES = {
  smoke: { events: 20_000, accounts: 1_000 },
  quick: { events: 2_000_000, accounts: 100_000 },
  full: { events: 20_000_000, accounts: 1_048_576 },
} as const

export const replayEvents: Benchmark = {
  name: 'replay.events',
  async run({ size, directory, seed }) {
    const options = { ...SIZES[size], seed, directory: join(directory, 'journal') }
    const journal = await makeRecoveryJournal(options)
    const [runs = [], limitRuns = []] = await interleaved<RecoveryResult, RecoveryJournal>(
      [
        { module: import.meta.url, options: journal },
        { module: limitModule('recovery-limit'), options: journal },
      ],
      FRESH_REPEATS[size],
    )
    rmSync(journal.directory, { recursive: true })
    const rateOf = ({ replaySeconds }: RecoveryResult): number => journal.events / replaySeconds
    const row = rowOf({
      name: this.name,
      unit: 'events/s',
      better: 'more',
      runs: runs.map(rateOf),
      limitRuns: limitRuns.map(rateOf),
      config: { ...SIZES[size], seed, cache: 'page cache', checksums: 'verified' },
    })
    return [row]
  },
}

export function prepare(journal: RecoveryJournal): Promise<Contender<RecoveryResult>> {
  return prepareRecovery(journal)
}
