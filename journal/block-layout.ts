/**
 * A block is what one synced write puts on disk: header, whole frames, zeros up to a multiple of
 * 4 KiB, so that no write ever touches a sector that holds acknowledged bytes. Little-endian.
 *
 *    0         4        6        7        8                               24        28
 *   ┌─────────┬────────┬────────┬────────┬───────────────────────────────┬─────────┬─────────┐
 *   │ "TWBK"  │ format │ durab- │reserved│ journal id, 16 bytes          │ epoch   │ segment │
 *   │ u32     │ u16    │ ility u8│ u8 = 0 │                               │ u32     │ number  │
 *   ├─────────┴────────┴────────┴────────┼───────────────────────────────┼─────────┼─────────┤
 *   │32 block number u64                 │40 base sequence u64           │48 frames│52 events│
 *   │                                    │ of the block's first event    │ u32     │ u32     │
 *   ├──────────────────┬─────────────────┼───────────────────────────────┴─────────┴─────────┤
 *   │56 payload bytes  │60 file offset   │64 hash of the previous block, SHA-256, 32 bytes    │
 *   │ u32, no padding  │ u32             │                                                   │
 *   ├──────────────────┴─────────────────┼───────────────────────────────┬─────────┬─────────┤
 *   │96 syncedThrough u64: last block    │104 reserved, 16 bytes = 0     │120 crc  │124 crc  │
 *   │ known synced when this was written │                               │ payload │ header  │
 *   └────────────────────────────────────┴───────────────────────────────┴─────────┴─────────┘
 *   128 frames …
 *
 * Block numbers count from 1 through the whole journal; 0 means none. `base sequence` is the
 * sequence of the first event in the block, or of the next event when the block has none.
 * The payload crc covers the frames; the header crc covers bytes 0 to 123; both are CRC-32 seeded
 * with the segment's salt. The digest of a block is SHA-256 over header and frames, without the
 * padding; its hash is SHA-256 over the hash of the previous block and its own digest. The first block
 * of a journal carries 32 zero bytes. So 32 bytes a block lead from one hash to any later one.
 */

import { assert } from './errors.js'
import { assertLayout } from './layout.js'
import { TRANSACTION_BYTES_MAX } from './record-layout.js'

/** "TWBK" read as a little-endian u32. */
export const BLOCK_MAGIC = 0x4b425754
export const FORMAT_VERSION = 1

export const BLOCK_MAGIC_OFFSET = 0
export const BLOCK_FORMAT = 4
export const BLOCK_DURABILITY = 6
export const BLOCK_RESERVED_BYTE = 7
export const BLOCK_JOURNAL_ID = 8
export const BLOCK_EPOCH = 24
export const BLOCK_SEGMENT_NUMBER = 28
export const BLOCK_NUMBER = 32
export const BLOCK_BASE_SEQUENCE = 40
export const BLOCK_FRAME_COUNT = 48
export const BLOCK_EVENT_COUNT = 52
export const BLOCK_PAYLOAD_BYTES = 56
export const BLOCK_FILE_OFFSET = 60
export const BLOCK_PREVIOUS_HASH = 64
export const BLOCK_SYNCED_THROUGH = 96
export const BLOCK_RESERVED = 104
export const BLOCK_PAYLOAD_CHECKSUM = 120
export const BLOCK_HEADER_CHECKSUM = 124
export const BLOCK_HEADER_BYTES = 128

export const JOURNAL_ID_BYTES = 16
export const HASH_BYTES = 32

/** Blocks start and end on this boundary: no smaller write is atomic against its neighbours. */
export const BLOCK_ALIGNMENT_BYTES = 4096
export const BLOCK_BYTES_MAX = 1024 * 1024
export const BLOCK_PAYLOAD_BYTES_MAX = BLOCK_BYTES_MAX - BLOCK_HEADER_BYTES

export const DURABILITY_DISK = 1
export const DURABILITY_OS = 2
/** Of the system frames at the start of a segment, so that they share a block with any transaction. */
export const PREAMBLE_BYTES_MAX = BLOCK_PAYLOAD_BYTES_MAX - TRANSACTION_BYTES_MAX

/** Bytes that a block with this payload takes on disk. */
export function paddedBlockBytes(payloadBytes: number): number {
  return (
    (BLOCK_HEADER_BYTES + payloadBytes + BLOCK_ALIGNMENT_BYTES - 1) & ~(BLOCK_ALIGNMENT_BYTES - 1)
  )
}

assertLayout(
  'block header',
  [
    [BLOCK_MAGIC_OFFSET, 4],
    [BLOCK_FORMAT, 2],
    [BLOCK_DURABILITY, 1],
    [BLOCK_RESERVED_BYTE, 1],
    [BLOCK_JOURNAL_ID, JOURNAL_ID_BYTES],
    [BLOCK_EPOCH, 4],
    [BLOCK_SEGMENT_NUMBER, 4],
    [BLOCK_NUMBER, 8],
    [BLOCK_BASE_SEQUENCE, 8],
    [BLOCK_FRAME_COUNT, 4],
    [BLOCK_EVENT_COUNT, 4],
    [BLOCK_PAYLOAD_BYTES, 4],
    [BLOCK_FILE_OFFSET, 4],
    [BLOCK_PREVIOUS_HASH, HASH_BYTES],
    [BLOCK_SYNCED_THROUGH, 8],
    [BLOCK_RESERVED, 16],
    [BLOCK_PAYLOAD_CHECKSUM, 4],
    [BLOCK_HEADER_CHECKSUM, 4],
  ],
  BLOCK_HEADER_BYTES,
)
assert(TRANSACTION_BYTES_MAX <= BLOCK_PAYLOAD_BYTES_MAX, 'a transaction fits in a block')
assert(PREAMBLE_BYTES_MAX <= TRANSACTION_BYTES_MAX, 'a preamble can also go through the event ring')
assert(paddedBlockBytes(BLOCK_PAYLOAD_BYTES_MAX) === BLOCK_BYTES_MAX, 'the largest block is full')
