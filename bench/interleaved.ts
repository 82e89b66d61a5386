/**
 * Lets contenders take turns, since the machine's speed drifts by half within an hour: only what ran
 * side by side compares.
 *
 *   processes 1, rounds 3:   A B · A B · A B        the same two processes
 *   processes 3, rounds 1:   A B │ A B │ A B        new ones each time
 *
 * New processes show what differs from start to start (memory layout, what V8 decides to compile);
 * the same ones save the time that a large state takes to build. While one runs, the others wait.
 */
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
}

export const REPEATS: Readonly<Record<Size, Repeats>> = {
  smoke: { processes: 1, rounds: 1 },
  quick: { processes: 1, rounds: 3 },
  full: { processes: 7, rounds: 1 },
}

/** For what happens once in the life of a process, such as opening a journal. */
export const FRESH_REPEATS: Readonly<Record<Size, Repeats>> = {
  smoke: { processes: 1, rounds: 1 },
  quick: { processes: 3, rounds: 1 },
  full: { processes: 7, rounds: 1 },
}

/** The results of each entrant, in the order of the entrants. */
export async function interleaved<Result, Options = unknown>(
  entrants: readonly Entrant<Options>[],
  { processes, rounds }: Repeats,
): Promise<Result[][]> {
  const results: Result[][] = entrants.map(() => [])
  for (let process = 0; process < processes; process++) {
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
