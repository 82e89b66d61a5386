/**
 * Puts an archive (archive-layout.ts) in the place of one sealed segment. Each step may be the last
 * one that happens:
 *
 *   NNN.segment.archive.new ─▶ write ─▶ sync ─▶ read back: same bytes, every block good, last hash
 *     ─▶ rename to NNN.segment.archive ─▶ sync directory ─▶ remove NNN.segment ─▶ sync directory
 *
 * Up to the removal the plain segment is what counts, and the archive beside it means nothing: the
 * next run makes it again and goes on. After the removal there is the archive alone, whose name and
 * bytes were durable before.
 */
import { Buffer } from 'node:buffer'
import { crc32, deflateRawSync } from 'node:zlib'
import {
  ARCHIVE_CHUNK_BYTES,
  ARCHIVE_CHUNK_CHECKSUM,
  ARCHIVE_CODEC,
  ARCHIVE_DIRECTORY_CHECKSUM,
  ARCHIVE_ENTRY_BYTES,
  ARCHIVE_FORMAT,
  ARCHIVE_HEADER_BYTES,
  ARCHIVE_HEADER_CHECKSUM,
  ARCHIVE_MAGIC,
  ARCHIVE_MAGIC_OFFSET,
  ARCHIVE_SEGMENT_BYTES,
  ARCHIVE_STORED_BYTES,
  archiveName,
  CODEC_DEFLATE,
  chunkCount,
  chunkOffset,
  chunksOffset,
  temporaryArchiveName,
  unfinishedArchiveOf,
} from './archive-layout.js'
import { FORMAT_VERSION } from './block-layout.js'
import { isDiskFull, shortageFor } from './disk-shortage.js'
import { assert, TidewheelError } from './errors.js'
import { openSegment } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import type { SegmentFile } from './segment-file.js'
import { alignedBuffer, type Storage, type StorageFile } from './storage.js'
import { verifyBlocks } from './verify-segment.js'

/** Measured against others: docs/decisions/0018-archive.md. */
const COMPRESSION_LEVEL = 1

/**
 * The plain file is gone, durably, when it returns. Nobody else may be archiving, and nobody writes
 * to the segment any more.
 * @param lastHash of the segment's last block, as the next segment has it
 * @returns how long the archive is
 * @throws TidewheelError JOURNAL_DAMAGED, DISK_FULL, STORAGE_FAILED: the plain file is still there
 */
export function archiveSegment(
  storage: Storage,
  segment: SegmentFile,
  lastHash: Uint8Array,
  window: ReadWindow,
): number {
  const { name, number } = segment
  assert(!segment.isArchived, 'a segment is archived once')
  const temporary = temporaryArchiveName(number)
  try {
    const storedBytes = writeArchive(storage, segment, window)
    refuseWrong(storage, segment, lastHash, window)
    storage.rename(temporary, archiveName(number))
    storage.syncDirectory()
    storage.remove(name)
    storage.syncDirectory()
    return storedBytes
  } catch (error) {
    // A full disk needs the room. Where even this is refused, the next opening does it.
    if (error instanceof TidewheelError || isDiskFull(error)) removeUnfinishedArchives(storage)
    throw error
  }
}

/** Nobody may be writing one meanwhile. */
export function removeUnfinishedArchives(storage: Storage): void {
  for (const name of storage.list()) {
    if (unfinishedArchiveOf(name) > 0) storage.remove(name)
  }
}

/** @returns how long it is; synced, under its temporary name */
function writeArchive(storage: Storage, segment: SegmentFile, window: ReadWindow): number {
  const { name, number, sizeBytes } = segment
  removeUnfinishedArchives(storage)
  const source = openSegment(storage, name, { direct: window.isAligned })
  try {
    const target = storage.open(temporaryArchiveName(number), 'create')
    try {
      const head = new Uint8Array(chunksOffset(sizeBytes))
      const endBytes = writeChunks(storage, source, target, sizeBytes, head)
      target.write(head, 0)
      target.sync()
      return endBytes
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
}

/** Fills in header and directory. @returns the file's length */
function writeChunks(
  storage: Storage,
  source: StorageFile,
  target: StorageFile,
  sizeBytes: number,
  head: Uint8Array,
): number {
  const view = new DataView(head.buffer)
  const plain = alignedBuffer(ARCHIVE_CHUNK_BYTES)
  let position = head.byteLength
  for (let index = 0; index < chunkCount(sizeBytes); index++) {
    refuseFullDisk(storage)
    const chunk = readChunk(source, index, sizeBytes, plain)
    const stored = deflateRawSync(chunk, { level: COMPRESSION_LEVEL })
    target.write(stored, position)
    position += stored.byteLength
    const entry = ARCHIVE_HEADER_BYTES + index * ARCHIVE_ENTRY_BYTES
    view.setUint32(entry + ARCHIVE_STORED_BYTES, stored.byteLength, true)
    view.setUint32(entry + ARCHIVE_CHUNK_CHECKSUM, crc32(stored), true)
  }
  view.setUint32(ARCHIVE_MAGIC_OFFSET, ARCHIVE_MAGIC, true)
  view.setUint16(ARCHIVE_FORMAT, FORMAT_VERSION, true)
  view.setUint16(ARCHIVE_CODEC, CODEC_DEFLATE, true)
  view.setUint32(ARCHIVE_SEGMENT_BYTES, sizeBytes, true)
  view.setUint32(ARCHIVE_DIRECTORY_CHECKSUM, crc32(head.subarray(ARCHIVE_HEADER_BYTES)), true)
  const checksum = crc32(head.subarray(0, ARCHIVE_HEADER_CHECKSUM))
  view.setUint32(ARCHIVE_HEADER_CHECKSUM, checksum, true)
  return position
}

/** What is written must be what was read, and that must be the segment which the next one follows. */
function refuseWrong(
  storage: Storage,
  segment: SegmentFile,
  lastHash: Uint8Array,
  window: ReadWindow,
): void {
  const { name, number } = segment
  const temporary = temporaryArchiveName(number)
  refuseOtherBytes(storage, segment, temporary, window)
  const verdict = verifyBlocks(storage, temporary, window)
  const [problem] = verdict.problems
  if (problem !== undefined) throw damaged(name, problem.offset, problem.message)
  if (verdict.lastHash !== Buffer.from(lastHash).toString('hex')) {
    const message = 'it does not end with the block that the next one follows'
    throw damaged(name, verdict.endOffset, message)
  }
}

function refuseOtherBytes(
  storage: Storage,
  { name, sizeBytes }: SegmentFile,
  temporary: string,
  window: ReadWindow,
): void {
  const options = { direct: window.isAligned }
  const source = openSegment(storage, name, options)
  try {
    const archive = openSegment(storage, temporary, options)
    try {
      const expected = alignedBuffer(ARCHIVE_CHUNK_BYTES)
      const found = new Uint8Array(ARCHIVE_CHUNK_BYTES)
      for (let index = 0; index < chunkCount(sizeBytes); index++) {
        const chunk = readChunk(source, index, sizeBytes, expected)
        const again = readChunk(archive, index, sizeBytes, found)
        if (Buffer.compare(chunk, again) !== 0) throw notWhatWasWritten(temporary, index)
      }
    } finally {
      archive.close()
    }
  } finally {
    source.close()
  }
}

/** @param buffer of a chunk's size */
function readChunk(
  file: StorageFile,
  index: number,
  sizeBytes: number,
  buffer: Uint8Array,
): Uint8Array {
  const offset = chunkOffset(index)
  const lengthBytes = Math.min(chunkOffset(index + 1), sizeBytes) - offset
  const chunk = buffer.subarray(0, lengthBytes)
  if (file.read(chunk, offset) !== lengthBytes)
    throw damaged(file.name, offset, 'it ends too early')
  return chunk
}

/** The engine needs the room more: it would stop taking commands. */
function refuseFullDisk(storage: Storage): void {
  const shortage = shortageFor(storage, ARCHIVE_CHUNK_BYTES)
  if (shortage === undefined) return
  const { freeBytes, neededBytes } = shortage
  throw new TidewheelError(
    'DISK_FULL',
    `the disk has ${freeBytes} bytes free, and ${neededBytes} are needed to archive a segment beside the plain one; free some space, and archive again`,
  )
}

function notWhatWasWritten(file: string, chunk: number): TidewheelError {
  return new TidewheelError(
    'STORAGE_FAILED',
    `chunk ${chunk} of the archive does not read as it was written; the plain segment was kept. Check the disk, and archive again`,
    { file },
  )
}

function damaged(file: string, offset: number, problem: string): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `the segment is not archived: ${problem}. Run \`tidewheel verify\`, and bring the file back from a backup or a replica`,
    { file, offset },
  )
}
