/**
 * The idempotency window: how many keys are remembered, and for how long. It is a part of the
 * journal's catalogue, so that which keys are known is a function of the journal alone, whatever the
 * options of the process that opens it.
 */

export interface KeyWindow {
  /** Keys at most: an integer from 1 to KEY_COUNT_MAX. */
  readonly countMax: number
  /** Age at most, in microseconds of journal time: a safe integer, not negative. */
  readonly ageMaxUs: number
}

export const KEY_COUNT_MAX = 100_000_000

/** Of a new journal. */
export const KEY_WINDOW_DEFAULT: KeyWindow = {
  countMax: 1_000_000,
  ageMaxUs: 24 * 60 * 60 * 1_000_000,
}

export function sameWindow(a: KeyWindow, b: KeyWindow): boolean {
  return a.countMax === b.countMax && a.ageMaxUs === b.ageMaxUs
}

/** The window, from JSON of unknown origin; undefined when it is none. */
export function keyWindowFrom(json: unknown): KeyWindow | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const { countMax, ageMaxUs } = json as Record<string, unknown>
  if (typeof countMax !== 'number' || typeof ageMaxUs !== 'number') return undefined
  const isWindow =
    Number.isInteger(countMax) &&
    countMax >= 1 &&
    countMax <= KEY_COUNT_MAX &&
    Number.isSafeInteger(ageMaxUs) &&
    ageMaxUs >= 0
  return isWindow ? { countMax, ageMaxUs } : undefined
}
