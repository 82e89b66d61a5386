/** A hand-written loop as a contender that counts commands a second. */
import type { Contender } from '../benchmark.js'
import type { LimitJournal } from './limit-journal.js'

export interface LimitLoop {
  /** Returns when all of them are on disk. */
  run(commands: number): void | Promise<void>
  /** Checks all that was run; throws when something is wrong. */
  verify(): void
}

export async function limitContender(
  journal: LimitJournal,
  loop: LimitLoop,
  { transfers, warmUp }: { readonly transfers: number; readonly warmUp: number },
): Promise<Contender<number>> {
  await loop.run(warmUp)
  return {
    async round() {
      const startedMs = performance.now()
      await loop.run(transfers)
      return (transfers * 1000) / (performance.now() - startedMs)
    },
    async end() {
      await journal.end()
      loop.verify()
    },
  }
}
