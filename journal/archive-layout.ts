/**
 * An archived segment: a sealed segment, compressed, `NNNNNNNNNN.segment.archive` in the place of
 * `NNNNNNNNNN.segment`. It holds every byte of the segment, so that offsets, checksums and hashes
 * stay what they were, and it says how long the segment is, so that nobody unpacks more than that.
 *
 * The segment is cut into chunks, which are compressed each for itself: to read one block, one or
 * two chunks are unpacked, and not all that lies before.
 *
 *   segment  ┌ 8 KiB: both headers ┬ 256 KiB ┬ 256 KiB ┬ … ┬ the rest ┐
 *            │ chunk 0             │ chunk 1 │ chunk 2 │   │          │
 *            └─────────┬───────────┴────┬────┴────┬────┴───┴──────────┘
 *                      ▼                ▼         ▼   each compressed
 *   archive  ┌────────┬───────────┬────┬─────────┬─────────┬───┬──────┐
 *            │ header │ directory │ 0  │ 1       │ 2       │ … │      │
 *            └────────┴───────────┴────┴─────────┴─────────┴───┴──────┘
 *
 * Header, little-endian:
 *
 *    0         4        6        8               12           16         20
 *   ┌─────────┬────────┬────────┬───────────────┬────────────┬──────────┐
 *   │ "TWAR"  │ format │ codec  │ size of the   │ crc of the │ crc of   │
 *   │ u32     │ u16    │ u16    │ segment, u32  │ directory  │ 0 to 15  │
 *   └─────────┴────────┴────────┴───────────────┴────────────┴──────────┘
 *
 * Directory: an entry a chunk, in their order. The number of chunks follows from the segment's size.
 *
 *    0               4               8
 *   ┌───────────────┬───────────────┐
 *   │ stored bytes  │ crc of these  │
 *   │ u32           │ bytes         │
 *   └───────────────┴───────────────┘
 *
 * The chunks follow each other without a hole, and the file ends with the last. Crcs are CRC-32,
 * seeded with 0. Codec 1 is DEFLATE (RFC 1951) without a wrapper.
 *
 * What is wrong with header or directory leaves nothing of the segment; what is wrong with a chunk
 * leaves the others. Either is damage of the journal: an archive is no cache.
 */
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { assert } from './errors.js'
import { assertLayout } from './layout.js'
import { SEGMENT_BYTES_MAX, SEGMENT_DATA, segmentName, segmentNumberOf } from './segment-layout.js'

/** "TWAR" read as a little-endian u32. */
export const ARCHIVE_MAGIC = 0x52415754

export const ARCHIVE_MAGIC_OFFSET = 0
export const ARCHIVE_FORMAT = 4
export const ARCHIVE_CODEC = 6
export const ARCHIVE_SEGMENT_BYTES = 8
export const ARCHIVE_DIRECTORY_CHECKSUM = 12
export const ARCHIVE_HEADER_CHECKSUM = 16
export const ARCHIVE_HEADER_BYTES = 20

export const ARCHIVE_STORED_BYTES = 0
export const ARCHIVE_CHUNK_CHECKSUM = 4
export const ARCHIVE_ENTRY_BYTES = 8

/** The only codec there is. */
export const CODEC_DEFLATE = 1

/** Of the segment, in each chunk but the first and the last. */
export const ARCHIVE_CHUNK_BYTES = 256 * 1024
/** More than DEFLATE makes of a chunk that cannot be compressed. */
export const ARCHIVE_STORED_BYTES_MAX = ARCHIVE_CHUNK_BYTES + 1024

const SUFFIX = '.archive'
const TEMPORARY_SUFFIX = '.archive.new'

/** Of the segment with this number. */
export function archiveName(segmentNumber: number): string {
  return segmentName(segmentNumber) + SUFFIX
}

/** While it is being written; left behind by a crash, it means nothing. */
export function temporaryArchiveName(segmentNumber: number): string {
  return segmentName(segmentNumber) + TEMPORARY_SUFFIX
}

/** The segment whose archive bears this name, or 0. */
export function archivedSegmentOf(name: string): number {
  return name.endsWith(SUFFIX) ? segmentNumberOf(name.slice(0, -SUFFIX.length)) : 0
}

/** The segment whose unfinished archive bears this name, or 0. */
export function unfinishedArchiveOf(name: string): number {
  const isTemporary = name.endsWith(TEMPORARY_SUFFIX)
  return isTemporary ? segmentNumberOf(name.slice(0, -TEMPORARY_SUFFIX.length)) : 0
}

/** The chunks of a segment of this size. */
export function chunkCount(segmentBytes: number): number {
  return 1 + Math.ceil((segmentBytes - SEGMENT_DATA) / ARCHIVE_CHUNK_BYTES)
}

/** The chunk that holds this offset of the segment. */
export function chunkAt(offset: number): number {
  return offset < SEGMENT_DATA ? 0 : 1 + Math.floor((offset - SEGMENT_DATA) / ARCHIVE_CHUNK_BYTES)
}

/** Where in the segment a chunk begins; of the number of chunks: not before the segment's end. */
export function chunkOffset(chunk: number): number {
  return chunk === 0 ? 0 : SEGMENT_DATA + (chunk - 1) * ARCHIVE_CHUNK_BYTES
}

/** Header and directory. */
export function chunksOffset(segmentBytes: number): number {
  return ARCHIVE_HEADER_BYTES + chunkCount(segmentBytes) * ARCHIVE_ENTRY_BYTES
}

assertLayout(
  'archive header',
  [
    [ARCHIVE_MAGIC_OFFSET, 4],
    [ARCHIVE_FORMAT, 2],
    [ARCHIVE_CODEC, 2],
    [ARCHIVE_SEGMENT_BYTES, 4],
    [ARCHIVE_DIRECTORY_CHECKSUM, 4],
    [ARCHIVE_HEADER_CHECKSUM, 4],
  ],
  ARCHIVE_HEADER_BYTES,
  4,
)
assertLayout(
  'archive entry',
  [
    [ARCHIVE_STORED_BYTES, 4],
    [ARCHIVE_CHUNK_CHECKSUM, 4],
  ],
  ARCHIVE_ENTRY_BYTES,
)
assert(ARCHIVE_CHUNK_BYTES % BLOCK_ALIGNMENT_BYTES === 0, 'blocks begin at whole pages of a chunk')
assert(chunksOffset(SEGMENT_BYTES_MAX) < ARCHIVE_CHUNK_BYTES, 'a directory is small')
