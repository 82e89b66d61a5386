/**
 * Journal time: integer microseconds since 1970 that never go backwards, also across restarts.
 * `Date.now` follows the system's clock but counts milliseconds; the monotonic clock fills in the
 * microseconds between, and is anchored anew whenever the two drift apart.
 */

const DRIFT_US_MAX = 2_000
/** A system clock that is further behind the journal than this is reported. */
export const CLOCK_BEHIND_US_MAX = 1_000_000

export type Clock = () => number

/** The system's clock, in µs; may step backwards. */
export function systemClock(): Clock {
  let anchorWallUs = Date.now() * 1000
  let anchorMonotonicMs = performance.now()
  return () => {
    const wallUs = Date.now() * 1000
    const us = anchorWallUs + Math.floor((performance.now() - anchorMonotonicMs) * 1000)
    if (Math.abs(us - wallUs) <= DRIFT_US_MAX) return us
    anchorWallUs = wallUs
    anchorMonotonicMs = performance.now()
    return wallUs
  }
}

export class JournalClock {
  /** The last time given out or found in the journal. */
  latestUs: number
  private reported = false
  private readonly read: Clock
  private readonly onBehind: (behindUs: number) => void

  constructor(read: Clock, latestUs: number, onBehind: (behindUs: number) => void) {
    this.read = read
    this.latestUs = latestUs
    this.onBehind = onBehind
  }

  /** One reading for a batch. */
  tick(): number {
    // A clock of the user's own may give anything.
    const us = Math.floor(this.read())
    if (us >= this.latestUs && us <= Number.MAX_SAFE_INTEGER) {
      this.latestUs = us
      this.reported = false
    } else if (!this.reported && this.latestUs - us > CLOCK_BEHIND_US_MAX) {
      this.reported = true
      this.onBehind(this.latestUs - us)
    }
    return this.latestUs
  }
}
