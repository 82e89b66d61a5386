/**
 * The manifest: one small file that names the journal and its highest segment, so that a missing
 * newest segment shows. Little-endian.
 *
 *    0         4        6          8                               24        28
 *   ┌─────────┬────────┬──────────┬───────────────────────────────┬─────────┬─────────┐
 *   │ "TWMF"  │ format │ reserved │ journal id, 16 bytes          │ highest │ crc of  │
 *   │ u32     │ u16    │ u16 = 0  │                               │ segment │ 0 to 27 │
 *   └─────────┴────────┴──────────┴───────────────────────────────┴─────────┴─────────┘
 *
 * The crc is CRC-32, seeded with 0.
 */
import { assertLayout } from './layout.js'

/** "TWMF" read as a little-endian u32. */
export const MANIFEST_MAGIC = 0x464d5754

export const MANIFEST_MAGIC_OFFSET = 0
export const MANIFEST_FORMAT = 4
export const MANIFEST_RESERVED = 6
export const MANIFEST_JOURNAL_ID = 8
export const MANIFEST_HIGHEST_SEGMENT = 24
export const MANIFEST_CHECKSUM = 28
export const MANIFEST_BYTES = 32

export const MANIFEST_NAME = 'manifest'
/** Exists only while a new manifest is being written; left behind by a crash, it means nothing. */
export const MANIFEST_TEMPORARY_NAME = 'manifest.new'
/**
 * As the highest segment: the directory is a copy that is being made (journal-copy.ts). No journal
 * has so many segments, so no reader of any version takes what is there for a whole one.
 */
export const UNFINISHED_COPY = 0xffff_ffff

assertLayout(
  'manifest',
  [
    [MANIFEST_MAGIC_OFFSET, 4],
    [MANIFEST_FORMAT, 2],
    [MANIFEST_RESERVED, 2],
    [MANIFEST_JOURNAL_ID, 16],
    [MANIFEST_HIGHEST_SEGMENT, 4],
    [MANIFEST_CHECKSUM, 4],
  ],
  MANIFEST_BYTES,
)
