/**
 * Writes and reads the header of a segment (segment-layout.ts): one of the two 4 KiB blocks at the
 * start of its file. Which of the two copies to believe is for the reader to say.
 */
import { crc32 } from 'node:zlib'
import { BLOCK_ALIGNMENT_BYTES, FORMAT_VERSION, JOURNAL_ID_BYTES } from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import {
  SEGMENT_BYTES_MAX,
  SEGMENT_DATA,
  SEGMENT_FORMAT,
  SEGMENT_HEADER_BYTES,
  SEGMENT_HEADER_CHECKSUM,
  SEGMENT_JOURNAL_ID,
  SEGMENT_MAGIC,
  SEGMENT_MAGIC_OFFSET,
  SEGMENT_NUMBER,
  SEGMENT_RESERVED,
  SEGMENT_RESERVED_SHORT,
  SEGMENT_SALT,
  SEGMENT_SIZE,
} from './segment-layout.js'
import { isZero } from './zero-check.js'

export interface SegmentHeader {
  journalId: Uint8Array
  /** From 1. */
  number: number
  /** Of the whole file. */
  sizeBytes: number
  /** Seeds the checksums of this segment's blocks. */
  salt: number
}

/** One copy: 4 KiB, zero after the header. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  assert(header.journalId.byteLength === JOURNAL_ID_BYTES, 'a journal id has 16 bytes')
  assert(isPossible(header), 'a segment header is written with possible values')
  const bytes = new Uint8Array(BLOCK_ALIGNMENT_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(SEGMENT_MAGIC_OFFSET, SEGMENT_MAGIC, true)
  view.setUint16(SEGMENT_FORMAT, FORMAT_VERSION, true)
  bytes.set(header.journalId, SEGMENT_JOURNAL_ID)
  view.setUint32(SEGMENT_NUMBER, header.number, true)
  view.setUint32(SEGMENT_SIZE, header.sizeBytes, true)
  view.setUint32(SEGMENT_SALT, header.salt, true)
  view.setUint32(SEGMENT_HEADER_CHECKSUM, crc32(bytes.subarray(0, SEGMENT_HEADER_CHECKSUM)), true)
  return bytes
}

/**
 * The header in one copy (its 64 bytes, or all 4 KiB: then the rest must be zero too), or undefined
 * where it cannot be trusted.
 * @throws TidewheelError FORMAT_TOO_NEW for an intact header of a later format.
 */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.byteLength < SEGMENT_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, SEGMENT_HEADER_BYTES)
  if (view.getUint32(SEGMENT_MAGIC_OFFSET, true) !== SEGMENT_MAGIC) return undefined
  const checksum = crc32(bytes.subarray(0, SEGMENT_HEADER_CHECKSUM))
  if (view.getUint32(SEGMENT_HEADER_CHECKSUM, true) !== checksum) return undefined
  const format = view.getUint16(SEGMENT_FORMAT, true)
  if (format > FORMAT_VERSION) {
    throw new TidewheelError(
      'FORMAT_TOO_NEW',
      `the segment has format ${format}, this version reads up to ${FORMAT_VERSION}; use the version of tidewheel that wrote it, or a later one`,
    )
  }
  if (format !== FORMAT_VERSION || !hasZeroReserve(bytes, view)) return undefined
  const header: SegmentHeader = {
    journalId: bytes.slice(SEGMENT_JOURNAL_ID, SEGMENT_JOURNAL_ID + JOURNAL_ID_BYTES),
    number: view.getUint32(SEGMENT_NUMBER, true),
    sizeBytes: view.getUint32(SEGMENT_SIZE, true),
    salt: view.getUint32(SEGMENT_SALT, true),
  }
  return isPossible(header) ? header : undefined
}

function hasZeroReserve(bytes: Uint8Array, view: DataView): boolean {
  if (view.getUint16(SEGMENT_RESERVED_SHORT, true) !== 0) return false
  for (let at = SEGMENT_RESERVED; at < SEGMENT_HEADER_CHECKSUM; at++) {
    if (bytes[at] !== 0) return false
  }
  const end = Math.min(bytes.byteLength, BLOCK_ALIGNMENT_BYTES)
  return isZero(bytes, SEGMENT_HEADER_BYTES, end)
}

/** The least size is for those who create: what is read is only kept from leading outside. */
function isPossible(header: SegmentHeader): boolean {
  const { number, sizeBytes } = header
  return (
    number >= 1 &&
    sizeBytes > SEGMENT_DATA &&
    sizeBytes <= SEGMENT_BYTES_MAX &&
    sizeBytes % BLOCK_ALIGNMENT_BYTES === 0
  )
}
