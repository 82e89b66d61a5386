/**
 * Writes and reads the 128 bytes at the head of a block (block-layout.ts), with both checksums.
 *
 * Reading trusts nothing: a header counts only if its own checksum, its reserved bytes and the
 * range of every value are right. Whether it is the header that belongs at this place (number,
 * offset, base sequence, previous hash) is for those who know the neighbours: journal-scan.ts.
 */
import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_BASE_SEQUENCE,
  BLOCK_DURABILITY,
  BLOCK_EPOCH,
  BLOCK_EVENT_COUNT,
  BLOCK_FILE_OFFSET,
  BLOCK_FORMAT,
  BLOCK_FRAME_COUNT,
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CHECKSUM,
  BLOCK_JOURNAL_ID,
  BLOCK_MAGIC,
  BLOCK_MAGIC_OFFSET,
  BLOCK_NUMBER,
  BLOCK_PAYLOAD_BYTES,
  BLOCK_PAYLOAD_BYTES_MAX,
  BLOCK_PAYLOAD_CHECKSUM,
  BLOCK_PREVIOUS_HASH,
  BLOCK_RESERVED,
  BLOCK_RESERVED_BYTE,
  BLOCK_SEGMENT_NUMBER,
  BLOCK_SYNCED_THROUGH,
  DURABILITY_DISK,
  DURABILITY_OS,
  FORMAT_VERSION,
  HASH_BYTES,
  JOURNAL_ID_BYTES,
} from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import { getU64, setU64 } from './layout.js'
import { FRAME_HEADER_BYTES, RECORD_HEADER_BYTES } from './record-layout.js'
import { SEGMENT_BYTES_MAX, SEGMENT_DATA } from './segment-layout.js'

export interface BlockHeader {
  /** DURABILITY_DISK or DURABILITY_OS. */
  durability: number
  journalId: Uint8Array
  epoch: number
  segmentNumber: number
  /** From 1, through the whole journal. */
  blockNumber: number
  /** Of the block's first event, or of the next event when the block has none. */
  baseSequence: number
  frameCount: number
  eventCount: number
  /** Without header and padding. */
  payloadBytes: number
  fileOffset: number
  previousHash: Uint8Array
  /** The last block known to be synced when this one was written; 0: none. */
  syncedThrough: number
  payloadChecksum: number
}

/**
 * Fills in the header of a block whose payload is already in place. `bytes` starts at the header and
 * reaches at least to the end of the payload.
 */
export function writeBlockHeader(
  bytes: Uint8Array,
  header: Omit<BlockHeader, 'payloadChecksum'>,
  salt: number,
): void {
  const end = BLOCK_HEADER_BYTES + header.payloadBytes
  assert(bytes.byteLength >= end, 'the block lies within its buffer')
  assert(header.journalId.byteLength === JOURNAL_ID_BYTES, 'a journal id has 16 bytes')
  assert(header.previousHash.byteLength === HASH_BYTES, 'a block hash has 32 bytes')
  assert(isPossible(header), 'a block is written with values that a reader accepts')
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES)
  view.setUint32(BLOCK_MAGIC_OFFSET, BLOCK_MAGIC, true)
  view.setUint16(BLOCK_FORMAT, FORMAT_VERSION, true)
  view.setUint8(BLOCK_DURABILITY, header.durability)
  view.setUint8(BLOCK_RESERVED_BYTE, 0)
  bytes.set(header.journalId, BLOCK_JOURNAL_ID)
  view.setUint32(BLOCK_EPOCH, header.epoch, true)
  view.setUint32(BLOCK_SEGMENT_NUMBER, header.segmentNumber, true)
  setU64(view, BLOCK_NUMBER, header.blockNumber)
  setU64(view, BLOCK_BASE_SEQUENCE, header.baseSequence)
  view.setUint32(BLOCK_FRAME_COUNT, header.frameCount, true)
  view.setUint32(BLOCK_EVENT_COUNT, header.eventCount, true)
  view.setUint32(BLOCK_PAYLOAD_BYTES, header.payloadBytes, true)
  view.setUint32(BLOCK_FILE_OFFSET, header.fileOffset, true)
  bytes.set(header.previousHash, BLOCK_PREVIOUS_HASH)
  setU64(view, BLOCK_SYNCED_THROUGH, header.syncedThrough)
  bytes.fill(0, BLOCK_RESERVED, BLOCK_PAYLOAD_CHECKSUM)
  const payload = bytes.subarray(BLOCK_HEADER_BYTES, end)
  view.setUint32(BLOCK_PAYLOAD_CHECKSUM, crc32(payload, salt), true)
  view.setUint32(BLOCK_HEADER_CHECKSUM, crc32(bytes.subarray(0, BLOCK_HEADER_CHECKSUM), salt), true)
}

/**
 * The header at `offset`, or undefined where there is none that can be trusted.
 * @throws TidewheelError FORMAT_TOO_NEW for an intact header of a later format.
 */
export function readBlockHeader(
  bytes: Uint8Array,
  offset: number,
  salt: number,
): BlockHeader | undefined {
  if (offset < 0 || offset + BLOCK_HEADER_BYTES > bytes.byteLength) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, BLOCK_HEADER_BYTES)
  if (view.getUint32(BLOCK_MAGIC_OFFSET, true) !== BLOCK_MAGIC) return undefined
  const checked = bytes.subarray(offset, offset + BLOCK_HEADER_CHECKSUM)
  if (view.getUint32(BLOCK_HEADER_CHECKSUM, true) !== crc32(checked, salt)) return undefined
  const format = view.getUint16(BLOCK_FORMAT, true)
  if (format > FORMAT_VERSION) {
    throw new TidewheelError(
      'FORMAT_TOO_NEW',
      `the journal has format ${format}, this version reads up to ${FORMAT_VERSION}; use the version of tidewheel that wrote it, or a later one`,
      { offset },
    )
  }
  return fieldsOf(bytes, offset, view)
}

/**
 * The header of a block that a hash proves to be whole, so that its checksums, which need the salt of
 * its segment, add nothing; undefined where no writer has written it.
 */
export function readProvenHeader(bytes: Uint8Array): BlockHeader | undefined {
  if (bytes.byteLength < BLOCK_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_HEADER_BYTES)
  if (view.getUint32(BLOCK_MAGIC_OFFSET, true) !== BLOCK_MAGIC) return undefined
  return fieldsOf(bytes, 0, view)
}

function fieldsOf(bytes: Uint8Array, offset: number, view: DataView): BlockHeader | undefined {
  const header: BlockHeader = {
    durability: view.getUint8(BLOCK_DURABILITY),
    journalId: copyOf(bytes, offset + BLOCK_JOURNAL_ID, JOURNAL_ID_BYTES),
    epoch: view.getUint32(BLOCK_EPOCH, true),
    segmentNumber: view.getUint32(BLOCK_SEGMENT_NUMBER, true),
    blockNumber: getU64(view, BLOCK_NUMBER),
    baseSequence: getU64(view, BLOCK_BASE_SEQUENCE),
    frameCount: view.getUint32(BLOCK_FRAME_COUNT, true),
    eventCount: view.getUint32(BLOCK_EVENT_COUNT, true),
    payloadBytes: view.getUint32(BLOCK_PAYLOAD_BYTES, true),
    fileOffset: view.getUint32(BLOCK_FILE_OFFSET, true),
    previousHash: copyOf(bytes, offset + BLOCK_PREVIOUS_HASH, HASH_BYTES),
    syncedThrough: getU64(view, BLOCK_SYNCED_THROUGH),
    payloadChecksum: view.getUint32(BLOCK_PAYLOAD_CHECKSUM, true),
  }
  const known = view.getUint16(BLOCK_FORMAT, true) === FORMAT_VERSION && hasZeroReserve(view)
  return known && isPossible(header) ? header : undefined
}

/** Of the hash before, and of the digest. */
const link = new Uint8Array(2 * HASH_BYTES)

/** Without a Hash object: after a write, when caches are cold, that is a third of the time of a small block. */
function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(hash('sha256', bytes, 'buffer'))
}

/** SHA-256 over header and payload, without the padding. */
export function blockDigest(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}

/**
 * A block's link in the chain: of all that a proof has to know of a block that it only passes, the
 * digest is enough (event-proof.ts).
 */
export function chainHash(previousHash: Uint8Array, digest: Uint8Array): Uint8Array {
  link.set(previousHash, 0)
  link.set(digest, HASH_BYTES)
  return sha256(link)
}

/** The hash of a block, given its header and payload, without the padding. */
export function blockHash(bytes: Uint8Array): Uint8Array {
  const previousHash = bytes.subarray(BLOCK_PREVIOUS_HASH, BLOCK_PREVIOUS_HASH + HASH_BYTES)
  return chainHash(previousHash, blockDigest(bytes))
}

/** `slice` of a Buffer would share its memory, which is read into again. */
function copyOf(bytes: Uint8Array, offset: number, lengthBytes: number): Uint8Array {
  return new Uint8Array(bytes.subarray(offset, offset + lengthBytes))
}

function hasZeroReserve(view: DataView): boolean {
  if (view.getUint8(BLOCK_RESERVED_BYTE) !== 0) return false
  for (let at = BLOCK_RESERVED; at < BLOCK_PAYLOAD_CHECKSUM; at += 4) {
    if (view.getUint32(at, true) !== 0) return false
  }
  return true
}

/** Values that no writer produces, whatever the neighbours are. */
function isPossible(header: Omit<BlockHeader, 'payloadChecksum'>): boolean {
  const { payloadBytes, frameCount, eventCount, fileOffset, blockNumber } = header
  return (
    (header.durability === DURABILITY_DISK || header.durability === DURABILITY_OS) &&
    header.epoch >= 1 &&
    header.segmentNumber >= 1 &&
    Number.isSafeInteger(blockNumber) &&
    blockNumber >= 1 &&
    Number.isSafeInteger(header.baseSequence + eventCount) &&
    header.baseSequence >= 1 &&
    header.syncedThrough < blockNumber &&
    payloadBytes <= BLOCK_PAYLOAD_BYTES_MAX &&
    payloadBytes % 8 === 0 &&
    frameCount >= 1 &&
    frameCount * FRAME_HEADER_BYTES + eventCount * RECORD_HEADER_BYTES <= payloadBytes &&
    fileOffset >= SEGMENT_DATA &&
    fileOffset < SEGMENT_BYTES_MAX &&
    fileOffset % BLOCK_ALIGNMENT_BYTES === 0
  )
}
