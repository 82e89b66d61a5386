/** What the two threads of ring-limit.ts share. Records are counted, fewer than 2³¹ of them. */
import { RECORD_BYTES, RING_BYTES } from '../ring-traffic.js'

// Elements of the control array, each with cache lines of its own.
export const PUBLISHED = 0
export const CONSUMED = 32
export const CONTROL_BYTES = 256

export const RING_RECORDS = RING_BYTES / RECORD_BYTES

export interface RingLimitData {
  readonly data: SharedArrayBuffer
  readonly control: SharedArrayBuffer
}
