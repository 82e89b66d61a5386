/** A hand-written loop as a contender that counts commands a second. */
import type { Contender } from '../benchmark.js'
import type { LimitJournal } from './limit-journal.js'

export interface LimitLoop {
  /** Makes up the next so many commands before the clock starts, where that is not free. */
  plan?(commands: number): void
  /** Returns when all of them are on disk. */
  run(commands: number): void | Promise<void>
  /** Checks all that was run; throws when something is wrong. */
  verify(): void
}

export async function limitContender(
  journal: LimitJournal,
  loop: LimitLoop,
  commands: number,
  warmUp: number,
): Promise<Contender<number>> {
  loop.plan?.(warmUp)
  await loop.run(warmUp)
  return {
    async round() {
      loop.plan?.(commands)
      const startedMs = performance.now()
      await loop.run(commands)
      return (commands * 1000) / (performance.now() - startedMs)
    },
    async end() {
      await journal.end()
      loop.verify()
    },
  }
}
