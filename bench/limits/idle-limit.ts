/** The limit of idling: a process of Node that has opened nothing, with a timer. */
import type { Contender } from '../benchmark.js'
import type { IdleOptions } from '../benchmarks/idle-cpu.js'
import { idleShare } from '../idle-share.js'

export async function prepare({ seconds }: IdleOptions): Promise<Contender<number>> {
  return {
    round: () => idleShare(seconds),
    async end() {
      // There is nothing to check.
    },
  }
}
