/**
 * A snapshot: the engine's whole state behind one block of the journal. It is a file beside the
 * segments, `NNNNNNNNNNNNNNNN.snapshot`, named after the sequence of the last event in it, and a
 * cache: made from the journal alone, never needed, and not used when anything is wrong with it.
 *
 *   0        128
 *   ┌────────┬───────────┬───────────┬──────┬─────────────┬──────┬───────┬─────┐
 *   │ header │ catalogue │ aggregate │ ids  │ slab        │ …    │ keys  │ end │
 *   └────────┴───────────┴───────────┴──────┴─────────────┴──────┴───────┴─────┘
 *              chunk 1     chunk 2     chunk 3 …
 *
 * Header, little-endian. The last block covered is named by number and place, and pinned by its
 * hash: the chain of hashes makes it stand for every block before it.
 *
 *    0         4        6          8                               24
 *   ┌─────────┬────────┬──────────┬───────────────────────────────┬───────────────┐
 *   │ "TWSN"  │ format │ reserved │ journal id, 16 bytes          │ sequence u64  │
 *   │ u32     │ u16    │ u16 = 0  │                               │               │
 *   ├─────────┴────────┴──────────┼───────────────┬───────────────┼───────────────┤ 32
 *   │ number of the last block    │ time u64, µs  │ its segment   │ its offset    │
 *   │ covered u64                 │ since 1970    │ u32           │ there u32     │
 *   ├─────────────────────────────┴───────────────┼───────────────┴───────────────┤ 56
 *   │ hash of the last block covered, 32 bytes    │ fingerprint of the domain's   │
 *   │                                             │ state, 32 bytes (from 88)     │
 *   ├─────────────┬─────────────┬─────────────────┴───────────────────────────────┘ 120
 *   │ keys u32    │ crc of      │
 *   │             │ 0 to 123    │
 *   └─────────────┴─────────────┘ 128
 *
 * Chunk, with up to 1 MiB of payload behind its header:
 *
 *    0       2       4             8             12          16       18         20         24
 *   ┌───────┬───────┬─────────────┬─────────────┬───────────┬────────┬──────────┬──────────┐
 *   │ kind  │ aggre-│ payload     │ first entry │ entries   │ column │ reserved │ crc      │
 *   │ u16   │ gate  │ bytes u32   │ u32         │ u32       │ u16    │ u16 = 0  │ u32      │
 *   └───────┴───────┴─────────────┴─────────────┴───────────┴────────┴──────────┴──────────┘
 *
 * `aggregate` is its place in the domain's declarations, and 0 elsewhere. The crc is CRC-32 over 0 to
 * 19 and the payload, seeded with the header's crc plus the chunk's place (1, 2, 3 …), modulo 2³²: a
 * chunk of another snapshot, or at another place, does not match. The header's is seeded with 0.
 *
 *   kind         payload                                                          entries
 *   1 catalogue  as in a CATALOGUE record                                         1
 *   2 aggregate  none; each aggregate has one, in order of declaration            its streams
 *   3 ids        length u16, bytes; in slot order                                 slots
 *   4 slab       the slots themselves (engine/slab-layout.ts)                     slots
 *   5 column     length u32, bytes: UTF-8, bytes, or plain data packed            slots
 *   6 objects    length u32, `snapshot()` of the state as plain data, packed      slots
 *   7 keys       entries as below, oldest first                                   keys
 *   8 end        SHA-256 of all bytes before this chunk                           chunks before
 *
 * A length of 2³² − 1 says that there is no value. Chunks of one kind follow one another, and
 * `first entry` goes on where the one before ended, from 1. Nothing follows the end.
 *
 * Key:
 *
 *    0         8           16            24        28        32        34       36         40
 *   ┌─────────┬───────────┬─────────────┬─────────┬─────────┬─────────┬────────┬──────────┬─────┐
 *   │ time u64│ sequence  │ hash of the │ events  │ detail  │ key     │ code   │ accepted │ key,│
 *   │ µs      │ u64       │ content u64 │ u32     │ bytes   │ bytes   │ bytes  │ u32      │ code│
 *   │         │           │             │         │ u32     │ u16     │ u16    │          │ …   │
 *   └─────────┴───────────┴─────────────┴─────────┴─────────┴─────────┴────────┴──────────┴─────┘
 */
import { HASH_BYTES, JOURNAL_ID_BYTES } from './block-layout.js'
import { assertLayout } from './layout.js'

/** "TWSN" read as a little-endian u32. */
export const SNAPSHOT_MAGIC = 0x4e535754

export const SNAPSHOT_MAGIC_OFFSET = 0
export const SNAPSHOT_FORMAT = 4
export const SNAPSHOT_RESERVED = 6
export const SNAPSHOT_JOURNAL_ID = 8
export const SNAPSHOT_SEQUENCE = 24
export const SNAPSHOT_BLOCK_NUMBER = 32
export const SNAPSHOT_TIME = 40
export const SNAPSHOT_SEGMENT_NUMBER = 48
export const SNAPSHOT_FILE_OFFSET = 52
export const SNAPSHOT_BLOCK_HASH = 56
export const SNAPSHOT_FINGERPRINT = 88
export const SNAPSHOT_KEYS = 120
export const SNAPSHOT_HEADER_CHECKSUM = 124
export const SNAPSHOT_HEADER_BYTES = 128

export const FINGERPRINT_BYTES = 32

export const CHUNK_KIND = 0
export const CHUNK_AGGREGATE = 2
export const CHUNK_PAYLOAD_BYTES = 4
export const CHUNK_FIRST = 8
export const CHUNK_ENTRIES = 12
export const CHUNK_COLUMN = 16
export const CHUNK_RESERVED = 18
export const CHUNK_CHECKSUM = 20
export const CHUNK_HEADER_BYTES = 24
/** More than any single entry takes. */
export const CHUNK_PAYLOAD_BYTES_MAX = 1024 * 1024

export const CATALOGUE_CHUNK = 1
export const AGGREGATE_CHUNK = 2
export const IDS_CHUNK = 3
export const SLAB_CHUNK = 4
export const COLUMN_CHUNK = 5
export const OBJECTS_CHUNK = 6
export const KEYS_CHUNK = 7
export const END_CHUNK = 8

/** A length that stands for no value. */
export const NO_VALUE = 0xffff_ffff

export const KEY_TIME = 0
export const KEY_SEQUENCE = 8
export const KEY_CONTENT_LOW = 16
export const KEY_CONTENT_HIGH = 20
export const KEY_EVENT_COUNT = 24
export const KEY_DETAIL_BYTES = 28
export const KEY_KEY_BYTES = 32
export const KEY_CODE_BYTES = 34
export const KEY_ACCEPTED = 36
export const KEY_HEADER_BYTES = 40

const NAME = /^(\d{16})\.snapshot$/
const TEMPORARY_NAME = /^\d{16}\.snapshot\.new$/

/** Names carry the sequence only. */
export function snapshotName(sequence: number): string {
  return `${String(sequence).padStart(16, '0')}.snapshot`
}

/** While it is being written; left behind by a crash, it means nothing. */
export function temporarySnapshotName(sequence: number): string {
  return `${snapshotName(sequence)}.new`
}

/** The sequence in a file name, or −1 when it is not a snapshot's name. */
export function snapshotSequenceOf(name: string): number {
  const match = NAME.exec(name)
  return match === null ? -1 : Number(match[1])
}

/** Whether `name` is one that {@link temporarySnapshotName} gives. */
export function isUnfinishedSnapshot(name: string): boolean {
  return TEMPORARY_NAME.test(name)
}

assertLayout(
  'snapshot header',
  [
    [SNAPSHOT_MAGIC_OFFSET, 4],
    [SNAPSHOT_FORMAT, 2],
    [SNAPSHOT_RESERVED, 2],
    [SNAPSHOT_JOURNAL_ID, JOURNAL_ID_BYTES],
    [SNAPSHOT_SEQUENCE, 8],
    [SNAPSHOT_BLOCK_NUMBER, 8],
    [SNAPSHOT_TIME, 8],
    [SNAPSHOT_SEGMENT_NUMBER, 4],
    [SNAPSHOT_FILE_OFFSET, 4],
    [SNAPSHOT_BLOCK_HASH, HASH_BYTES],
    [SNAPSHOT_FINGERPRINT, FINGERPRINT_BYTES],
    [SNAPSHOT_KEYS, 4],
    [SNAPSHOT_HEADER_CHECKSUM, 4],
  ],
  SNAPSHOT_HEADER_BYTES,
)
assertLayout(
  'snapshot chunk',
  [
    [CHUNK_KIND, 2],
    [CHUNK_AGGREGATE, 2],
    [CHUNK_PAYLOAD_BYTES, 4],
    [CHUNK_FIRST, 4],
    [CHUNK_ENTRIES, 4],
    [CHUNK_COLUMN, 2],
    [CHUNK_RESERVED, 2],
    [CHUNK_CHECKSUM, 4],
  ],
  CHUNK_HEADER_BYTES,
)
assertLayout(
  'snapshot key',
  [
    [KEY_TIME, 8],
    [KEY_SEQUENCE, 8],
    [KEY_CONTENT_LOW, 4],
    [KEY_CONTENT_HIGH, 4],
    [KEY_EVENT_COUNT, 4],
    [KEY_DETAIL_BYTES, 4],
    [KEY_KEY_BYTES, 2],
    [KEY_CODE_BYTES, 2],
    [KEY_ACCEPTED, 4],
  ],
  KEY_HEADER_BYTES,
)
