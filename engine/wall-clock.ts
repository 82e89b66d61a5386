/**
 * Journal time: integer microseconds since 1970 that never go backwards, also across restarts.
 * `Date.now` follows the system's clock but counts milliseconds; the monotonic clock fills in the
 * microseconds between, and is anchored anew whenever the two drift apart. While a clock is behind,
 * throws, or gives what is no time, the journal's time stands still, and that is reported once.
 */
import { causeOf } from '../journal/errors.js'
import { describeValue } from '../journal/schema/value-check.js'

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
  private readonly onStandstill: (why: string) => void

  /** @param onStandstill once each time that the journal's time stands still, until it goes on */
  constructor(read: Clock, latestUs: number, onStandstill: (why: string) => void) {
    this.read = read
    this.latestUs = latestUs
    this.onStandstill = onStandstill
  }

  /** One reading for a batch. */
  tick(): number {
    let given: unknown
    try {
      given = this.read()
    } catch (error) {
      // A clock of the user's own may do anything. No command is to blame, and none need fail.
      this.standStill(`the clock threw: ${causeOf(error)}`)
      return this.latestUs
    }
    const us = typeof given === 'number' ? Math.floor(given) : Number.NaN
    if (us >= this.latestUs && us <= Number.MAX_SAFE_INTEGER) {
      this.latestUs = us
      this.reported = false
    } else if (this.latestUs - us > CLOCK_BEHIND_US_MAX) {
      this.standStill(`the clock is ${this.latestUs - us} µs behind the journal`)
    } else if (!(us <= Number.MAX_SAFE_INTEGER)) {
      this.standStill(
        `the clock gave ${describeValue(given)}, which is no time in microseconds since 1970`,
      )
    }
    return this.latestUs
  }

  private standStill(why: string): void {
    if (this.reported) return
    this.reported = true
    this.onStandstill(why)
  }
}
