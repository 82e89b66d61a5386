/**
 * `snapshot.open@EVENTS`: seconds from `Engine.open` until commands are taken, where a snapshot has
 * the accounts and so many events lie behind it, from the page cache. The limit is
 * limits/snapshot-limit.ts.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Engine } from '../../engine/index.js'
import { type Benchmark, type Contender, rowOf } from '../benchmark.js'
import { limitModule } from '../compare.js'
import { ledgerUser } from '../domains/ledger-user.js'
import { FRESH_REPEATS, interleaved } from '../interleaved.js'
import { makeSnapshotJournal, type SnapshotJournal } from '../snapshot-journal.js'

const SMALL_SEGMENT_BYTES = 1024 * 1024 + 8192
const SEGMENT_BYTES = 64 * 1024 * 1024

const SIZES = {
  smoke: { accounts: 1024, tailEvents: 20_000, segmentBytes: SMALL_SEGMENT_BYTES },
  quick: { accounts: 1_048_576, tailEvents: 2_000_000, segmentBytes: SEGMENT_BYTES },
  full: { accounts: 1_048_576, tailEvents: 10_000_000, segmentBytes: SEGMENT_BYTES },
} as const

export const snapshotOpen: Benchmark = {
  name: 'snapshot.open',
  async run({ size, directory, seed }) {
    const options = { ...SIZES[size], seed, directory: join(directory, 'journal') }
    const journal = await makeSnapshotJournal(options)
    const [runs = [], limitRuns = []] = await interleaved<number, SnapshotJournal>(
      [
        { module: import.meta.url, options: journal },
        { module: limitModule('snapshot-limit'), options: journal },
      ],
      FRESH_REPEATS[size],
    )
    rmSync(journal.directory, { recursive: true })
    const row = rowOf({
      name: `${this.name}@${options.tailEvents}`,
      unit: 's',
      better: 'less',
      runs,
      limitRuns,
      config: { ...SIZES[size], seed, durability: 'disk', mode: 'inline', cache: 'page cache' },
    })
    return [row]
  },
}

export async function prepare(journal: SnapshotJournal): Promise<Contender<number>> {
  return {
    async round() {
      const startedMs = performance.now()
      const engine = await Engine.open(journal.directory, ledgerUser.domain)
      const openSeconds = (performance.now() - startedMs) / 1000
      try {
        const { events, snapshot } = engine.report
        if (snapshot?.file !== journal.file) throw new Error(`it began with ${snapshot?.file}`)
        if (events !== journal.eventsBehind) throw new Error(`${events} events of the tail`)
        if (journal.digest !== (await engine.digest())) throw new Error('another digest')
        return openSeconds
      } finally {
        await engine.close()
      }
    },
    async end() {
      // Each opening has checked itself.
    },
  }
}
