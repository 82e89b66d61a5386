/**
 * The bytes of a transaction: a frame that holds records. The same bytes lie in the event ring, on
 * disk, and later at a replica. Little-endian; frames and records start at multiples of 8.
 *
 * Frame: all records of one command, or of the system (catalogue, seal).
 *
 *    0                   4         6           8                               16
 *   ┌───────────────────┬─────────┬───────────┬───────────────────────────────┬─────────────┐
 *   │ length u32        │ command │ events    │ time u64                      │ records …   │
 *   │ with this header  │ type u16│ count u16 │ µs since 1970                 │             │
 *   └───────────────────┴─────────┴───────────┴───────────────────────────────┴─────────────┘
 *
 * Record: the length is exact; the next record starts at the next multiple of 8, and the bytes
 * between are zero.
 *
 *    0                   4         6           8               12              16
 *   ┌───────────────────┬─────────┬───────────┬───────────────┬───────────────┬─────────────┐
 *   │ length u32        │ type    │ version   │ slot u32      │ version       │ payload …   │
 *   │ with this header  │ u16     │ high u16  │               │ low u32       │             │
 *   └───────────────────┴─────────┴───────────┴───────────────┴───────────────┴─────────────┘
 *
 * The stream version has 48 bits (record-version.ts): an order book can pass 2³² events in hours,
 * and at a million events a second it reaches the end in nine years.
 *
 * Record types below FIRST_CATALOGUED_TYPE are the journal's own and have no sequence; their version
 * is 0:
 *
 *   CATALOGUE      payload: JSON, UTF-8 (catalogue.ts); slot 0
 *   STREAM_OPENED  slot ↔ id, before the first record that names the slot
 *                    16                18             20
 *                   ┌─────────────────┬──────────────┬─────────────────────────────────┐
 *                   │ aggregate u16   │ id bytes u16 │ id: text UTF-8, u32, u64 LE,    │
 *                   │ (catalogue no.) │              │ or the 16 bytes of a UUID       │
 *                   └─────────────────┴──────────────┴─────────────────────────────────┘
 *   KEYED_OUTCOME  the answer to a command with an idempotency key; slot 0
 *                    16              24        25        26          28          30
 *                   ┌───────────────┬─────────┬─────────┬───────────┬───────────┬──────────┐
 *                   │ content hash  │ outcome │ reserved│ key bytes │ code bytes│ key, code│
 *                   │ 8 bytes       │ u8      │ u8 = 0  │ u16       │ u16       │ detail   │
 *                   └───────────────┴─────────┴─────────┴───────────┴───────────┴──────────┘
 *                   detail: msgpack, to the end of the record; empty when there is none
 *   SEAL           no payload: lets the block before it be proved durable; slot 0
 *
 * All other types are domain events, numbered by the journal's catalogue. Only these have a
 * sequence: the block's base sequence plus the event's place in the block.
 *
 * A frame of command type PADDING_COMMAND exists in the ring only: it fills the ring to its end.
 */
import { assertLayout } from './layout.js'

export const FRAME_LENGTH = 0
export const FRAME_COMMAND_TYPE = 4
export const FRAME_EVENT_COUNT = 6
export const FRAME_TIME = 8
export const FRAME_HEADER_BYTES = 16

export const RECORD_LENGTH = 0
export const RECORD_TYPE = 4
export const RECORD_VERSION_HIGH = 6
export const RECORD_SLOT = 8
export const RECORD_VERSION = 12
export const RECORD_HEADER_BYTES = 16

export const SYSTEM_COMMAND = 0
export const PADDING_COMMAND = 0xffff

export const CATALOGUE_RECORD = 1
export const STREAM_OPENED_RECORD = 2
export const KEYED_OUTCOME_RECORD = 3
export const SEAL_RECORD = 4
export const FIRST_CATALOGUED_TYPE = 16
export const LAST_CATALOGUED_TYPE = 0xfffe

export const STREAM_OPENED_AGGREGATE = RECORD_HEADER_BYTES
export const STREAM_OPENED_ID_BYTES = RECORD_HEADER_BYTES + 2
export const STREAM_OPENED_ID = RECORD_HEADER_BYTES + 4

export const KEYED_OUTCOME_HASH = RECORD_HEADER_BYTES
export const KEYED_OUTCOME_KIND = RECORD_HEADER_BYTES + 8
export const KEYED_OUTCOME_RESERVED = RECORD_HEADER_BYTES + 9
export const KEYED_OUTCOME_KEY_BYTES = RECORD_HEADER_BYTES + 10
export const KEYED_OUTCOME_CODE_BYTES = RECORD_HEADER_BYTES + 12
export const KEYED_OUTCOME_TEXTS = RECORD_HEADER_BYTES + 14

export const OUTCOME_REJECTED = 0
export const OUTCOME_ACCEPTED = 1

/** A transaction never spans blocks; together with the block's header it stays below 1 MiB. */
export const TRANSACTION_BYTES_MAX = 512 * 1024
export const EVENTS_A_TRANSACTION_MAX = 0xffff
/** Of an event in its stream: 48 bits. */
export const STREAM_VERSION_MAX = 0xffff_ffff_ffff
export const ID_BYTES_MAX = 1024
export const KEY_BYTES_MAX = 1024

assertLayout(
  'frame header',
  [
    [FRAME_LENGTH, 4],
    [FRAME_COMMAND_TYPE, 2],
    [FRAME_EVENT_COUNT, 2],
    [FRAME_TIME, 8],
  ],
  FRAME_HEADER_BYTES,
)
assertLayout(
  'record header',
  [
    [RECORD_LENGTH, 4],
    [RECORD_TYPE, 2],
    [RECORD_VERSION_HIGH, 2],
    [RECORD_SLOT, 4],
    [RECORD_VERSION, 4],
  ],
  RECORD_HEADER_BYTES,
)
assertLayout(
  'stream-opened record',
  [
    [0, RECORD_HEADER_BYTES],
    [STREAM_OPENED_AGGREGATE, 2],
    [STREAM_OPENED_ID_BYTES, 2],
  ],
  STREAM_OPENED_ID,
)
assertLayout(
  'keyed-outcome record',
  [
    [0, RECORD_HEADER_BYTES],
    [KEYED_OUTCOME_HASH, 8],
    [KEYED_OUTCOME_KIND, 1],
    [KEYED_OUTCOME_RESERVED, 1],
    [KEYED_OUTCOME_KEY_BYTES, 2],
    [KEYED_OUTCOME_CODE_BYTES, 2],
  ],
  KEYED_OUTCOME_TEXTS,
)
