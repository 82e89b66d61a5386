/**
 * Hashes. Two kinds that must not be mixed up:
 *
 * - {@link SeededHash} places keys in the indexes of this process. Its multipliers are secret and
 *   random, so that a stranger who chooses ids cannot choose ids that collide (with the public
 *   constants of MurmurHash that is possible for every seed, see Aumasson and Bernstein in the
 *   SipHash paper). A u64 takes 6 ns. No result may depend on it.
 * - {@link contentHashLow} and {@link contentHashHigh} are written to disk and never change:
 *   MurmurHash3 x86_32 with two fixed seeds. They recognise accidents, not forgery.
 *
 * Source: MurmurHash3 by Austin Appleby, https://github.com/aappleby/smhasher. Hashes are Int32.
 */
import { randomFillSync } from 'node:crypto'

const SEED_WORDS = 4
const CONTENT_SEED_LOW = 0x74696465
const CONTENT_SEED_HIGH = 0x77686565
const MULTIPLIER_1 = 0xcc9e2d51
const MULTIPLIER_2 = 0x1b873593

export class SeededHash {
  private readonly key1: number
  private readonly key2: number
  private readonly multiplier1: number
  private readonly multiplier2: number

  /** Random unless a test wants to repeat itself. */
  constructor(seed?: number) {
    const words = new Int32Array(SEED_WORDS)
    if (seed === undefined) randomFillSync(words)
    else for (let i = 0; i < SEED_WORDS; i++) words[i] = finish(seed + Math.imul(i, 0x9e3779b9))
    this.key1 = words[0] as number
    this.key2 = words[1] as number
    // Odd, so that multiplying loses nothing.
    this.multiplier1 = (words[2] as number) | 1
    this.multiplier2 = (words[3] as number) | 1
  }

  /** Of 4 bytes: a bijection, so that equal hashes mean equal values. */
  word(value: number): number {
    return finish(Math.imul(value ^ this.key1, this.multiplier1))
  }

  /** Of 8 bytes. */
  pair(low: number, high: number): number {
    const mixed = Math.imul(low ^ this.key1, this.multiplier1)
    return finish(Math.imul((mixed ^ (mixed >>> 15)) + (high ^ this.key2), this.multiplier2))
  }

  /** Of any number of bytes. */
  bytes(view: DataView, offset: number, lengthBytes: number): number {
    return murmur3(view, offset, lengthBytes, this.key1, this.multiplier1, this.multiplier2)
  }
}

/** The lower half of the hash of a command's content, as it stands in the journal. */
export function contentHashLow(view: DataView, offset: number, lengthBytes: number): number {
  return murmur3(view, offset, lengthBytes, CONTENT_SEED_LOW, MULTIPLIER_1, MULTIPLIER_2) >>> 0
}

/** The upper half. */
export function contentHashHigh(view: DataView, offset: number, lengthBytes: number): number {
  return murmur3(view, offset, lengthBytes, CONTENT_SEED_HIGH, MULTIPLIER_1, MULTIPLIER_2) >>> 0
}

/** MurmurHash3 x86_32 when it is given that algorithm's multipliers. */
export function murmur3(
  view: DataView,
  offset: number,
  lengthBytes: number,
  seed: number,
  multiplier1: number,
  multiplier2: number,
): number {
  let hash = seed | 0
  let i = 0
  for (const end = lengthBytes - 3; i < end; i += 4) {
    hash ^= scramble(view.getInt32(offset + i, true), multiplier1, multiplier2)
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  if (i < lengthBytes) {
    let word = 0
    for (let j = lengthBytes - 1; j >= i; j--) word = (word << 8) | view.getUint8(offset + j)
    hash ^= scramble(word, multiplier1, multiplier2)
  }
  return finish(hash ^ lengthBytes)
}

function scramble(word: number, multiplier1: number, multiplier2: number): number {
  const product = Math.imul(word, multiplier1)
  return Math.imul((product << 15) | (product >>> 17), multiplier2)
}

/** Every bit of the result depends on every bit of the hash; a bijection. */
function finish(value: number): number {
  let hash = value
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  hash ^= hash >>> 13
  hash = Math.imul(hash, 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
