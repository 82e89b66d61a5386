/**
 * The index of a sealed segment: in which of its blocks each stream has events, so that reading one
 * stream passes over the other segments and blocks. A segment is sealed when the next one has a
 * block: nothing is written to it any more.
 *
 * It is a file beside the segment, `NNNNNNNNNN.index`, and a cache: made from the segment alone,
 * ignored when anything is wrong with it, and made again. What it lists is a pair of a stream and a
 * place. Pairs are sorted, so that one stream is found by halving: a lookup reads a dozen pages of
 * 4 KiB, however large the segment is.
 *
 *   stream   number of the aggregate in the journal's catalogue × 2³² + slot: 48 bits
 *   place    offset of a block in the segment's file, in units of 4 KiB: 19 bits
 *
 *   0             4096          8192                          4096 × (1 + pages)
 *   ┌─────────────┬─────────────┬─────────────┬──────────────┐
 *   │ header      │ page 1      │ page 2      │ …            │
 *   └─────────────┴─────────────┴─────────────┴──────────────┘
 *
 * Header, little-endian; the rest of its 4 KiB is zero:
 *
 *    0         4        6          8         12                           44         48
 *   ┌─────────┬────────┬──────────┬─────────┬────────────────────────────┬──────────┐
 *   │ "TWIX"  │ format │ reserved │ pages   │ hash of the segment's last │ crc of   │
 *   │ u32     │ u16    │ u16 = 0  │ u32     │ block, 32 bytes            │ 0 to 43  │
 *   └─────────┴────────┴──────────┴─────────┴────────────────────────────┴──────────┘
 *
 * The hash ties it to its segment: the next segment's first block carries the same one, and it
 * stands for the journal's id, the segment's number, and everything before. So an index of another
 * journal, another segment, or of a segment that was cut and written on, does not fit.
 *
 * Page; an entry is two varints (seven bits a byte, the low ones first, the top bit set in all bytes
 * but the last):
 *
 *    0         4
 *   ┌─────────┬──────────────┬─────────┬──────────────┬─────────┬───┬───────────────┐
 *   │ crc of  │ stream delta │ place   │ stream delta │ place   │ … │ zeros to 4096 │
 *   │ 4–4095  │ varint       │ varint  │ varint       │ varint  │   │               │
 *   └─────────┴──────────────┴─────────┴──────────────┴─────────┴───┴───────────────┘
 *
 * A stream delta is the difference from the stream of the entry before, or from 0 at the start of a
 * page. After a stream delta of 0 the place, too, is the difference from the one before, at least 1;
 * so two zeros end a page. A stream with many places goes on in the next page. Crcs are CRC-32: the
 * header's is seeded with 0, a page's with the header's crc plus the page's number, modulo 2³².
 */
import { BLOCK_ALIGNMENT_BYTES, HASH_BYTES } from './block-layout.js'
import { assert } from './errors.js'
import { assertLayout } from './layout.js'
import { SEGMENT_BYTES_MAX, segmentName, segmentNumberOf } from './segment-layout.js'

/** "TWIX" read as a little-endian u32. */
export const INDEX_MAGIC = 0x58495754

export const INDEX_MAGIC_OFFSET = 0
export const INDEX_FORMAT = 4
export const INDEX_RESERVED = 6
export const INDEX_PAGES = 8
export const INDEX_LAST_HASH = 12
export const INDEX_HEADER_CHECKSUM = 44
export const INDEX_HEADER_BYTES = 48

export const INDEX_PAGE_CHECKSUM = 0
export const INDEX_PAGE_ENTRIES = 4
/** Of the header too. */
export const INDEX_PAGE_BYTES = 4096

/** The unit of places: blocks start at its multiples. */
export const INDEX_PLACE_BYTES = BLOCK_ALIGNMENT_BYTES
/** Places are below this. */
export const INDEX_PLACES_MAX = SEGMENT_BYTES_MAX / INDEX_PLACE_BYTES

const SLOTS = 0x1_0000_0000
/** Streams are below this. */
export const INDEX_STREAMS_MAX = 0x1_0000 * SLOTS

const SUFFIX = '.index'
const TEMPORARY_SUFFIX = '.index.new'
const SEGMENT_SUFFIX = '.segment'

/** A stream as the index knows it. */
export function streamKey(aggregateNumber: number, slot: number): number {
  return aggregateNumber * SLOTS + slot
}

/** Of the segment with this number. */
export function indexName(segmentNumber: number): string {
  return segmentName(segmentNumber).replace(SEGMENT_SUFFIX, SUFFIX)
}

/** While it is being written; left behind by a crash, it means nothing. */
export function temporaryIndexName(segmentNumber: number): string {
  return segmentName(segmentNumber).replace(SEGMENT_SUFFIX, TEMPORARY_SUFFIX)
}

/** The segment whose index bears this name, or 0. */
export function indexedSegmentOf(name: string): number {
  return name.endsWith(SUFFIX) ? segmentNumberOf(name.replace(SUFFIX, SEGMENT_SUFFIX)) : 0
}

/** Whether `name` is one that {@link temporaryIndexName} gives. */
export function isUnfinishedIndex(name: string): boolean {
  const isTemporary = name.endsWith(TEMPORARY_SUFFIX)
  return isTemporary && segmentNumberOf(name.replace(TEMPORARY_SUFFIX, SEGMENT_SUFFIX)) > 0
}

assertLayout(
  'index header',
  [
    [INDEX_MAGIC_OFFSET, 4],
    [INDEX_FORMAT, 2],
    [INDEX_RESERVED, 2],
    [INDEX_PAGES, 4],
    [INDEX_LAST_HASH, HASH_BYTES],
    [INDEX_HEADER_CHECKSUM, 4],
  ],
  INDEX_HEADER_BYTES,
  4,
)
assert(
  Number.isSafeInteger(SLOTS * INDEX_PLACES_MAX),
  'a slot and a place fit in one exact number, by which pairs are sorted',
)
