/**
 * Commands and receipts of thread-limit.ts, with as many bytes as the engine's.
 *
 *   command:  │0 length u32 │4 unused, 12 bytes │16 amount f64 │24 from u32 │28 to u32 │
 *   receipt:  │0 length u32 │4 outcome u8 │5 unused │6 events u16 │8 sequence f64 │16 time f64 │
 */
import { assertLayout } from '../../journal/layout.js'

export const COMMAND_HEAD = 0
const COMMAND_UNUSED = 4
const COMMAND_UNUSED_TOO = 8
export const COMMAND_AMOUNT = 16
export const COMMAND_FROM = 24
export const COMMAND_TO = 28
export const COMMAND_BYTES = 32

export const RECEIPT_HEAD = 0
export const RECEIPT_OUTCOME = 4
const RECEIPT_UNUSED = 5
export const RECEIPT_EVENTS = 6
export const RECEIPT_SEQUENCE = 8
export const RECEIPT_TIME = 16
export const RECEIPT_BYTES = 24

assertLayout(
  "the limit's command",
  [
    [COMMAND_HEAD, 4],
    [COMMAND_UNUSED, 4],
    [COMMAND_UNUSED_TOO, 8],
    [COMMAND_AMOUNT, 8],
    [COMMAND_FROM, 4],
    [COMMAND_TO, 4],
  ],
  COMMAND_BYTES,
)
assertLayout(
  "the limit's receipt",
  [
    [RECEIPT_HEAD, 4],
    [RECEIPT_OUTCOME, 1],
    [RECEIPT_UNUSED, 1],
    [RECEIPT_EVENTS, 2],
    [RECEIPT_SEQUENCE, 8],
    [RECEIPT_TIME, 8],
  ],
  RECEIPT_BYTES,
)
