/**
 * What a decoder of untrusted bytes is to the fuzz harness: data. An input is a function of a seed:
 *
 *   makeValid(random) ─▶ mutate ─▶ mend, mostly ─▶ decode: a value, or a typed error
 *
 * `mend` recomputes checksums and counts, so that what lies behind them is reached too.
 */
import { TidewheelError } from '../../../journal/errors.js'
import { type SeededRandom, seededRandom } from '../seeded-random.js'
import { mutateBytes } from './mutation.js'

/** Inputs that each decoder of untrusted bytes gets in CI; what is made of several, or opens files, gets fewer. */
export const EVERY_DECODER = 1_000_000

export interface FuzzTarget {
  readonly name: string
  /** In CI. */
  readonly inputs: number
  /** Bytes that nobody else has, of which the decoder makes a value. */
  makeValid(random: SeededRandom): Uint8Array
  /** Default: {@link mutateBytes}. */
  mutate?(bytes: Uint8Array, random: SeededRandom): Uint8Array
  mend?(bytes: Uint8Array, random: SeededRandom): void
  /** Throws an assertion where the value is wrong: that is a finding too. */
  decode(bytes: Uint8Array): void | Promise<void>
  /** Typed errors besides TidewheelError. */
  isExpected?(error: unknown): boolean
  /** Default: TIME_MS_MAX. */
  readonly timeMsMax?: number
  /** Default: GROWTH_BYTES_MAX. */
  readonly growthBytesMax?: number
}

/** One input in so many is left intact, and one in so many is not mended. */
const INTACT_ONE_IN = 50
const UNMENDED_ONE_IN = 4

export function inputOf(target: FuzzTarget, seed: number): Uint8Array {
  const random = seededRandom(seed)
  const valid = target.makeValid(random)
  if (random.below(INTACT_ONE_IN) === 0) return valid
  const { mutate = mutateBytes } = target
  const bytes = mutate(valid, random)
  if (random.below(UNMENDED_ONE_IN) !== 0) target.mend?.(bytes, random)
  return bytes
}

/** Seeds of neighbouring inputs have nothing in common. */
export function seedOf(runSeed: number, targetIndex: number, ordinal: number): number {
  let mixed = Math.imul(runSeed ^ Math.imul(targetIndex + 1, 0x9e3779b1), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15) ^ ordinal, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

export function isTyped(target: FuzzTarget, error: unknown): boolean {
  return error instanceof TidewheelError || target.isExpected?.(error) === true
}
