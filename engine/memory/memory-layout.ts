/**
 * The bytes of the indexes. They live in memory only: nothing here is ever written to a file, so it
 * may change from release to release.
 *
 * Cell of a hash index, in words of 4 bytes. Value 0 means that the cell is empty. The hash is kept
 * because pages split by it; a wide cell has room for a key of 8 bytes, which saves the lookup one
 * of two cache misses.
 *
 *     0         1         2         3
 *   ┌─────────┬─────────┬─────────┬─────────┐
 *   │ hash    │ value   │ key low │ key high│
 *   └─────────┴─────────┴─────────┴─────────┘
 *     narrow: 2 words     wide: 4 words
 *
 * Text of an id, in units of 8 bytes:
 *
 *     0         4            8
 *   ┌─────────┬────────────┬──────────────────────────┐
 *   │ slot u32│ length u32 │ UTF-8, then zeros        │
 *   └─────────┴────────────┴──────────────────────────┘
 *
 * Entry of the key table, in units of 8 bytes, all of it inside one chunk:
 *
 *     0            4         8                 16
 *   ┌────────────┬─────────┬─────────────────┬─────────────────┐
 *   │ length u32 │ hash    │ content hash    │ time u64        │
 *   │ with this  │ i32     │ 2 × u32         │ µs since 1970   │
 *   ├────────────┴─────────┼─────────┬───────┴─┬───────┬───────┤ 24
 *   │ sequence u64         │ events  │ detail  │ key   │ code  │
 *   │                      │ u32     │ bytes   │ bytes │ bytes │
 *   │                      │         │ u32     │ u16   │ u16   │
 *   ├──────────┬──────────┬┴─────────┴─────────┴───────┴───────┤ 44
 *   │ accepted │ reserved │ key, code, detail …                │
 *   │ u8       │ 3 bytes  │                                    │
 *   └──────────┴──────────┴────────────────────────────────────┘
 *
 * Chunk of the key table: 1 MiB; entries follow the header, oldest first; a length of 0 ends it.
 *
 *     0                4            8
 *   ┌────────────────┬────────────┬────────────────────────────┐
 *   │ next chunk u32 │ reserved   │ entries …                  │
 *   └────────────────┴────────────┴────────────────────────────┘
 */
import { assertLayout } from '../../journal/layout.js'

export const CELL_HASH = 0
export const CELL_VALUE = 1
export const CELL_KEY_LOW = 2
export const CELL_KEY_HIGH = 3
export const NARROW_CELL_SHIFT = 1
export const WIDE_CELL_SHIFT = 2

/** References into byte memory count units of 8 bytes, so that 32 bits reach 32 GiB. */
export const UNIT_SHIFT = 3
export const UNIT_BYTES = 1 << UNIT_SHIFT

export const TEXT_SLOT = 0
export const TEXT_LENGTH = 4
export const TEXT_HEADER_BYTES = 8

export const ENTRY_LENGTH = 0
export const ENTRY_HASH = 4
export const ENTRY_CONTENT_LOW = 8
export const ENTRY_CONTENT_HIGH = 12
export const ENTRY_TIME = 16
export const ENTRY_SEQUENCE = 24
export const ENTRY_EVENT_COUNT = 32
export const ENTRY_DETAIL_BYTES = 36
export const ENTRY_KEY_BYTES = 40
export const ENTRY_CODE_BYTES = 42
export const ENTRY_ACCEPTED = 44
export const ENTRY_RESERVED = 45
export const ENTRY_HEADER_BYTES = 48

export const CHUNK_NEXT = 0
export const CHUNK_RESERVED = 4
export const CHUNK_HEADER_BYTES = 8
export const CHUNK_SHIFT = 20
export const CHUNK_BYTES = 1 << CHUNK_SHIFT

assertLayout(
  'hash cell',
  [
    [CELL_HASH, 1],
    [CELL_VALUE, 1],
    [CELL_KEY_LOW, 1],
    [CELL_KEY_HIGH, 1],
  ],
  1 << WIDE_CELL_SHIFT,
)
assertLayout(
  'text of an id',
  [
    [TEXT_SLOT, 4],
    [TEXT_LENGTH, 4],
  ],
  TEXT_HEADER_BYTES,
)
assertLayout(
  'entry of the key table',
  [
    [ENTRY_LENGTH, 4],
    [ENTRY_HASH, 4],
    [ENTRY_CONTENT_LOW, 4],
    [ENTRY_CONTENT_HIGH, 4],
    [ENTRY_TIME, 8],
    [ENTRY_SEQUENCE, 8],
    [ENTRY_EVENT_COUNT, 4],
    [ENTRY_DETAIL_BYTES, 4],
    [ENTRY_KEY_BYTES, 2],
    [ENTRY_CODE_BYTES, 2],
    [ENTRY_ACCEPTED, 1],
    [ENTRY_RESERVED, 3],
  ],
  ENTRY_HEADER_BYTES,
)
assertLayout(
  'chunk of the key table',
  [
    [CHUNK_NEXT, 4],
    [CHUNK_RESERVED, 4],
  ],
  CHUNK_HEADER_BYTES,
)
