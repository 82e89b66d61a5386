/** What the thread that decodes inputs and the one that watches it say to each other. */
import type { TargetResult } from './fuzz-run.js'

export interface FuzzTask {
  readonly runSeed: number
  /** Of a million. */
  readonly share: number
  readonly folder: string
  /** Int32: {@link INPUTS}, {@link TARGET}, {@link INPUT_SEED}. */
  readonly progress: SharedArrayBuffer
}

export const INPUTS = 0
export const TARGET = 1
export const INPUT_SEED = 2
export const PROGRESS_WORDS = 3

export type FuzzMessage =
  | { readonly kind: 'result'; readonly result: TargetResult }
  | {
      readonly kind: 'finding'
      readonly targetIndex: number
      readonly inputSeed: number
      readonly what: string
      readonly cause: string
    }
  | { readonly kind: 'done' }
