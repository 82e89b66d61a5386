/**
 * Loads what the next sweep needs, so that the cache misses of many places overlap. How many do is
 * limited by the instructions between two loads: four loads a turn take 10.7 ns each out of 16 MiB,
 * one a turn takes 20.5 ns (docs/decisions/0023).
 */

/** Loads `words[places[i] * stride]` for each `i < count`; returns something derived from them. */
export function touchWords(
  words: Int32Array,
  places: Int32Array,
  count: number,
  stride: number,
): number {
  let touched = 0
  let i = 0
  for (; i + 4 <= count; i += 4) {
    touched |=
      words[places[i]! * stride]! |
      words[places[i + 1]! * stride]! |
      words[places[i + 2]! * stride]! |
      words[places[i + 3]! * stride]!
  }
  for (; i < count; i++) touched |= words[places[i]! * stride]!
  return touched
}
