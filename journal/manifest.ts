/**
 * Reads and replaces the manifest (manifest-layout.ts). It is replaced as a whole: temporary name,
 * sync, rename, sync of the directory, so a crash leaves the old one or the new one.
 *
 * It is a witness, not the truth: the segments are. A lost manifest is rebuilt from them.
 */
import { crc32 } from 'node:zlib'
import { FORMAT_VERSION, JOURNAL_ID_BYTES } from './block-layout.js'
import { assert, TidewheelError } from './errors.js'
import {
  MANIFEST_BYTES,
  MANIFEST_CHECKSUM,
  MANIFEST_FORMAT,
  MANIFEST_HIGHEST_SEGMENT,
  MANIFEST_JOURNAL_ID,
  MANIFEST_MAGIC,
  MANIFEST_MAGIC_OFFSET,
  MANIFEST_NAME,
  MANIFEST_RESERVED,
  MANIFEST_TEMPORARY_NAME,
  UNFINISHED_COPY,
} from './manifest-layout.js'
import type { Storage } from './storage.js'

export interface Manifest {
  journalId: Uint8Array
  highestSegment: number
}

/** Durable when it returns. */
export function writeManifest(storage: Storage, manifest: Manifest): void {
  if (storage.list().includes(MANIFEST_TEMPORARY_NAME)) storage.remove(MANIFEST_TEMPORARY_NAME)
  const file = storage.open(MANIFEST_TEMPORARY_NAME, 'create')
  try {
    file.write(encodeManifest(manifest), 0)
    file.sync()
  } finally {
    file.close()
  }
  storage.rename(MANIFEST_TEMPORARY_NAME, MANIFEST_NAME)
  storage.syncDirectory()
}

/**
 * The manifest, undefined when there is none, 'damaged' when its bytes cannot be trusted.
 * @throws TidewheelError FORMAT_TOO_NEW for an intact manifest of a later format, NOT_A_JOURNAL for
 *   that of a copy that was never finished.
 */
export function readManifest(storage: Storage): Manifest | 'damaged' | undefined {
  if (!storage.list().includes(MANIFEST_NAME)) return undefined
  const file = storage.open(MANIFEST_NAME, 'read')
  try {
    if (file.sizeBytes() !== MANIFEST_BYTES) return 'damaged'
    const bytes = new Uint8Array(MANIFEST_BYTES)
    if (file.read(bytes, 0) !== MANIFEST_BYTES) return 'damaged'
    const manifest = decodeManifest(bytes)
    if (manifest !== 'damaged' && manifest.highestSegment === UNFINISHED_COPY) {
      throw unfinishedCopy(storage)
    }
    return manifest
  } finally {
    file.close()
  }
}

function unfinishedCopy(storage: Storage): TidewheelError {
  return new TidewheelError(
    'NOT_A_JOURNAL',
    `the directory ${storage.path} holds a backup, or a restored journal, that is being made or was never finished, so it is not used; when nobody is at work on it, remove it and make it again`,
    { file: MANIFEST_NAME },
  )
}

function encodeManifest(manifest: Manifest): Uint8Array {
  assert(manifest.journalId.byteLength === JOURNAL_ID_BYTES, 'a journal id has 16 bytes')
  const bytes = new Uint8Array(MANIFEST_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(MANIFEST_MAGIC_OFFSET, MANIFEST_MAGIC, true)
  view.setUint16(MANIFEST_FORMAT, FORMAT_VERSION, true)
  bytes.set(manifest.journalId, MANIFEST_JOURNAL_ID)
  view.setUint32(MANIFEST_HIGHEST_SEGMENT, manifest.highestSegment, true)
  view.setUint32(MANIFEST_CHECKSUM, crc32(bytes.subarray(0, MANIFEST_CHECKSUM)), true)
  return bytes
}

export function decodeManifest(bytes: Uint8Array): Manifest | 'damaged' {
  if (bytes.byteLength !== MANIFEST_BYTES) return 'damaged'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const checksum = crc32(bytes.subarray(0, MANIFEST_CHECKSUM))
  if (view.getUint32(MANIFEST_MAGIC_OFFSET, true) !== MANIFEST_MAGIC) return 'damaged'
  if (view.getUint32(MANIFEST_CHECKSUM, true) !== checksum) return 'damaged'
  const format = view.getUint16(MANIFEST_FORMAT, true)
  if (format > FORMAT_VERSION) {
    throw new TidewheelError(
      'FORMAT_TOO_NEW',
      `the journal has format ${format}, this version reads up to ${FORMAT_VERSION}; use the version of tidewheel that wrote it, or a later one`,
      { file: MANIFEST_NAME },
    )
  }
  const highestSegment = view.getUint32(MANIFEST_HIGHEST_SEGMENT, true)
  const reserved = view.getUint16(MANIFEST_RESERVED, true)
  if (format !== FORMAT_VERSION || reserved !== 0 || highestSegment === 0) return 'damaged'
  const idEnd = MANIFEST_JOURNAL_ID + JOURNAL_ID_BYTES
  const journalId = new Uint8Array(bytes.subarray(MANIFEST_JOURNAL_ID, idEnd))
  return { journalId, highestSegment }
}
