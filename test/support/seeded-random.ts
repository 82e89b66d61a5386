/** Repeatable randomness for tests: the same seed gives the same numbers everywhere. */

export interface SeededRandom {
  /** An integer from 0 to `bound − 1`. */
  below(bound: number): number
}

/** mulberry32, by Tommy Ettinger (public domain): 32 bits of state, all its integers are exact. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  return {
    below(bound) {
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * bound)
    },
  }
}
