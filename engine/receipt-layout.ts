/**
 * Answers in a producer's receipt ring (byte-ring.ts), in ticket order. Little-endian, starts at a
 * multiple of 8. A rejection answers one command; an acceptance answers a run of commands that were
 * accepted one after the other with as many events each, as they are in a feed.
 *
 *    0                   4         5         6         8                  16                 24
 *   ┌───────────────────┬─────────┬─────────┬─────────┬──────────────────┬──────────────────┐
 *   │ length u32        │ outcome │ flags u8│ events  │ sequence f64     │ time f64, µs     │
 *   │ (the ring's)      │ u8      │         │ u16     │                  │                  │
 *   ├───────────────────┼─────────┴─────────┴─────────┴──────────────────┴──────────────────┘
 *   │24 count u32       │ accepted: ends here
 *   ├───────────────────┼───────────────────┬───────────────────────────────────────────────┐
 *   │24 code bytes u32  │28 detail bytes u32│32 code (UTF-8), detail (msgpack) …            │
 *   └───────────────────┴───────────────────┴───────────────────────────────────────────────┘
 *
 * `outcome` has the values of a KEYED_OUTCOME record. `events` is how many events each command made.
 * `sequence` is that of the first command's last event, and every further command's is `events` more;
 * without events, the last sequence that the answers were decided on.
 */
import { assertLayout } from '../journal/layout.js'
import { RING_LENGTH, RING_LENGTH_BYTES } from './ring/byte-ring.js'

export const RECEIPT_OUTCOME = 4
export const RECEIPT_FLAGS = 5
export const RECEIPT_EVENT_COUNT = 6
export const RECEIPT_SEQUENCE = 8
export const RECEIPT_TIME = 16
export const RECEIPT_COUNT = 24
export const RECEIPT_ACCEPTED_BYTES = 28
export const RECEIPT_CODE_BYTES = 24
export const RECEIPT_DETAIL_BYTES = 28
export const RECEIPT_TEXTS = 32

/** Set when the answer was given before, to the first command with the same key. */
export const RECEIPT_FLAG_REPEATED = 1

/** Limits of a rejection: longer codes and details are a HANDLER_FAILED. */
export const REJECTION_CODE_BYTES_MAX = 256
export const REJECTION_DETAIL_BYTES_MAX = 4096
export const RECEIPT_BYTES_MAX =
  RECEIPT_TEXTS + REJECTION_CODE_BYTES_MAX + REJECTION_DETAIL_BYTES_MAX

assertLayout(
  'receipt',
  [
    [RING_LENGTH, RING_LENGTH_BYTES],
    [RECEIPT_OUTCOME, 1],
    [RECEIPT_FLAGS, 1],
    [RECEIPT_EVENT_COUNT, 2],
    [RECEIPT_SEQUENCE, 8],
    [RECEIPT_TIME, 8],
    [RECEIPT_CODE_BYTES, 4],
    [RECEIPT_DETAIL_BYTES, 4],
  ],
  RECEIPT_TEXTS,
)
assertLayout(
  'accepted receipt',
  [
    [0, RECEIPT_COUNT],
    [RECEIPT_COUNT, 4],
  ],
  RECEIPT_ACCEPTED_BYTES,
)
