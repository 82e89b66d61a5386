/** Opens the journal of recovery-journal.ts with the engine, once a process, as a restart does. */
import { Engine } from '../engine/index.js'
import type { Contender } from './benchmark.js'
import { ledgerUser } from './domains/ledger-user.js'
import type { RecoveryJournal } from './recovery-journal.js'

export interface RecoveryResult {
  /** Until the engine takes commands. */
  readonly openSeconds: number
  /** Of that, reading, checking and applying the journal. */
  readonly replaySeconds: number
}

export async function prepareRecovery(
  journal: RecoveryJournal,
): Promise<Contender<RecoveryResult>> {
  return {
    async round() {
      const startedMs = performance.now()
      const engine = await Engine.open(journal.directory, ledgerUser.domain)
      const openSeconds = (performance.now() - startedMs) / 1000
      try {
        const { events, seconds } = engine.report
        if (events !== journal.events) throw new Error(`${events} events of ${journal.events}`)
        if (journal.digest !== (await engine.digest())) throw new Error('another digest')
        return { openSeconds, replaySeconds: seconds }
      } finally {
        await engine.close()
      }
    },
    async end() {
      // Each opening has checked itself.
    },
  }
}
