/**
 * A segment is one journal file: preallocated, zero-filled ahead, never recycled.
 *
 *   0                 4096              8192                                   size
 *   ┌─────────────────┬─────────────────┬─────────┬─────────┬────┬─────────────┐
 *   │ segment header  │ the same again  │ block   │ block   │ …  │ zeros       │
 *   └─────────────────┴─────────────────┴─────────┴─────────┴────┴─────────────┘
 *
 * Header, little-endian; the rest of its 4 KiB is zero:
 *
 *    0         4        6          8                               24        28        32
 *   ┌─────────┬────────┬──────────┬───────────────────────────────┬─────────┬─────────┬─────────┐
 *   │ "TWSG"  │ format │ reserved │ journal id, 16 bytes          │ number  │ size    │ salt    │
 *   │ u32     │ u16    │ u16 = 0  │                               │ u32     │ bytes   │ u32     │
 *   ├─────────┴────────┴──────────┴───────────────────────────────┴─────────┴────┬────┴─────────┤
 *   │36 reserved, 24 bytes = 0                                                   │60 crc header │
 *   └────────────────────────────────────────────────────────────────────────────┴──────────────┘
 *
 * The header crc is CRC-32 over bytes 0 to 59, seeded with 0. The salt is random for each segment
 * and seeds the checksums of its blocks, so that stale bytes of another life never look valid.
 */
import { BLOCK_ALIGNMENT_BYTES, BLOCK_BYTES_MAX } from './block-layout.js'
import { assertLayout } from './layout.js'

/** "TWSG" read as a little-endian u32. */
export const SEGMENT_MAGIC = 0x47535754

export const SEGMENT_MAGIC_OFFSET = 0
export const SEGMENT_FORMAT = 4
export const SEGMENT_RESERVED_SHORT = 6
export const SEGMENT_JOURNAL_ID = 8
export const SEGMENT_NUMBER = 24
export const SEGMENT_SIZE = 28
export const SEGMENT_SALT = 32
export const SEGMENT_RESERVED = 36
export const SEGMENT_HEADER_CHECKSUM = 60
export const SEGMENT_HEADER_BYTES = 64

export const SEGMENT_SECOND_HEADER = BLOCK_ALIGNMENT_BYTES
/** Where the first block starts. */
export const SEGMENT_DATA = 2 * BLOCK_ALIGNMENT_BYTES

export const SEGMENT_BYTES_DEFAULT = 64 * 1024 * 1024
/** Room for the headers and one largest block. */
export const SEGMENT_BYTES_MIN = SEGMENT_DATA + BLOCK_BYTES_MAX
export const SEGMENT_BYTES_MAX = 2 * 1024 * 1024 * 1024

const SEGMENT_NAME = /^(\d{10})\.segment$/

/** File names carry the number only. */
export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.segment`
}

/** The segment number in a file name, or 0 when it is not a segment's name. */
export function segmentNumberOf(name: string): number {
  const match = SEGMENT_NAME.exec(name)
  return match === null ? 0 : Number(match[1])
}

assertLayout(
  'segment header',
  [
    [SEGMENT_MAGIC_OFFSET, 4],
    [SEGMENT_FORMAT, 2],
    [SEGMENT_RESERVED_SHORT, 2],
    [SEGMENT_JOURNAL_ID, 16],
    [SEGMENT_NUMBER, 4],
    [SEGMENT_SIZE, 4],
    [SEGMENT_SALT, 4],
    [SEGMENT_RESERVED, 24],
    [SEGMENT_HEADER_CHECKSUM, 4],
  ],
  SEGMENT_HEADER_BYTES,
  // No field is wider than 4 bytes; the reserved ones start at 36.
  4,
)
