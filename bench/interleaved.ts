/**
 * Lets contenders take turns, since the machine's speed drifts by half within an hour: only what ran
 * side by side compares.
 *
 *   processes 1, rounds 3:   A B · A B · A B        the same two processes
 *   processes 3, rounds 1:   A B │ A B │ A B        new ones each time
 *
 * New processes show what differs from start to start (memory layout, what V8 decides to compile);
 * the same ones save the time that a large state takes to build. While one runs, the others wait.
 * Where every pair is new, the machine rests before it: see {@link Repeats.restSeconds}.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Size } from './benchmark.js'
import { IsolatedContender, type ProcessTuning } from './isolated.js'

export interface Entrant<Options> {
  /** URL of a module that exports `prepare(options)`. */
  readonly module: string
  readonly options: Options
  readonly tuning?: ProcessTuning | undefined
}

export interface Repeats {
  readonly processes: number
  readonly rounds: number
  /**
   * Before each group of processes. A virtual machine that has been busy for a while may be stopped
   * by its host for tens of milliseconds again and again (docs/decisions/0030): what one group did
   * must not count against the next. Default: 0.
   */
  readonly restSeconds?: number
}

const REST_SECONDS = 20

export const REPEATS: Readonly<Record<Size, Repeats>> = {
  smoke: { processes: 1, rounds: 1 },
  quick: { processes: 1, rounds: 3 },
  full: { processes: 7, rounds: 1, restSeconds: REST_SECONDS },
}

/** For what happens once in the life of a process, such as opening a journal. */
export const FRESH_REPEATS: Readonly<Record<Size, Repeats>> = {
  smoke: { processes: 1, rounds: 1 },
  quick: { processes: 3, rounds: 1 },
  full: { processes: 7, rounds: 1, restSeconds: REST_SECONDS },
}

/** The results of each entrant, in the order of the entrants. */
export async function interleaved<Result, Options = unknown>(
  entrants: readonly Entrant<Options>[],
  { processes, rounds, restSeconds = 0 }: Repeats,
): Promise<Result[][]> {
  const results: Result[][] = entrants.map(() => [])
  for (let process = 0; process < processes; process++) {
    await sleep(restSeconds * 1000)
    const contenders: IsolatedContender<Result>[] = []
    try {
      for (const { module, options, tuning } of entrants) {
        contenders.push(await IsolatedContender.start(module, options, tuning))
      }
      for (let round = 0; round < rounds; round++) {
        for (const [index, contender] of contenders.entries()) {
          results[index]!.push(await contender.round())
        }
      }
      for (const contender of contenders) await contender.end()
    } finally {
      for (const contender of contenders) contender.abandon()
    }
  }
  return results
}
