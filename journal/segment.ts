/**
 * Making and opening segment files. A segment is made under a temporary name and renamed when all of
 * it is on disk, so a file under a segment's name always has both headers and its full size.
 *
 *   NNN.segment.preparing  ──▶ size and zeros ──▶ both headers ──▶ sync ──▶ rename ──▶ sync directory
 *
 * What a crash leaves of an unfinished one bears a temporary name and is removed at the next start.
 */
import { randomInt } from 'node:crypto'
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { decodeSegmentHeader, encodeSegmentHeader, type SegmentHeader } from './segment-header.js'
import { SEGMENT_DATA, SEGMENT_SECOND_HEADER, segmentName } from './segment-layout.js'
import { alignedBuffer, type Storage, type StorageFile } from './storage.js'

/** How names of unfinished segments end. */
const PREPARING_SUFFIX = '.preparing'
const UNFINISHED_NAME = /^\d{10}\.segment(?:\.sparse)?\.preparing$/
const ZEROS_PIECE_BYTES = 1024 * 1024
const TWO_TO_32 = 0x1_0000_0000

/**
 * `zeros` allocates every byte, which keeps synced writes cheap; `sparse` is quick to make, and each
 * later write pays for its own allocation.
 */
type SegmentFill = 'zeros' | 'sparse'

/** Never the same twice, so that the blocks of one file are not valid in another. */
export function randomSalt(): number {
  return randomInt(TWO_TO_32)
}

/** Each way of filling has a name of its own, since both may be at work on the same number. */
export function preparingName(number: number, fill: SegmentFill): string {
  const name = segmentName(number)
  return fill === 'zeros' ? `${name}${PREPARING_SUFFIX}` : `${name}.sparse${PREPARING_SUFFIX}`
}

/** Creates a whole segment. Durable, under its final name, when it returns. */
export function createSegment(storage: Storage, header: SegmentHeader, fill: SegmentFill): void {
  const temporary = preparingName(header.number, fill)
  refuseTakenName(storage, header.number)
  if (storage.list().includes(temporary)) storage.remove(temporary)
  const file = storage.open(temporary, 'create', { direct: true, syncLater: true })
  try {
    file.truncate(header.sizeBytes)
    if (fill === 'zeros') writeZeros(file, header.sizeBytes)
    writeSegmentHeaders(file, header)
    file.sync()
  } finally {
    file.close()
  }
  storage.rename(temporary, segmentName(header.number))
  storage.syncDirectory()
}

/** A rename would silently put the new file in the place of one that is there. */
export function refuseTakenName(storage: Storage, number: number): void {
  const name = segmentName(number)
  if (!storage.list().includes(name)) return
  throw new TidewheelError(
    'JOURNAL_DAMAGED',
    'the next segment is already there; it was not made by the engine that has this journal open. Find out what wrote it',
    { file: name },
  )
}

/** Both copies. The caller syncs. */
export function writeSegmentHeaders(file: StorageFile, header: SegmentHeader): void {
  const bytes = alignedBuffer(SEGMENT_DATA)
  const copy = encodeSegmentHeader(header)
  bytes.set(copy, 0)
  bytes.set(copy, SEGMENT_SECOND_HEADER)
  file.write(bytes, 0)
}

/** From the first copy that can be trusted, or undefined. */
export function readSegmentHeader(file: StorageFile): SegmentHeader | undefined {
  const bytes = alignedBuffer(SEGMENT_DATA)
  if (file.read(bytes, 0) < bytes.byteLength) return undefined
  return (
    decodeSegmentHeader(bytes.subarray(0, BLOCK_ALIGNMENT_BYTES)) ??
    decodeSegmentHeader(bytes.subarray(SEGMENT_SECOND_HEADER))
  )
}

/** Removes what a crash left of unfinished segments. Nobody may be preparing one meanwhile. */
export function removeUnfinishedSegments(storage: Storage): void {
  for (const name of storage.list()) {
    if (isUnfinishedSegment(name)) storage.remove(name)
  }
}

/** Whether `name` is one that {@link preparingName} gives. */
export function isUnfinishedSegment(name: string): boolean {
  return UNFINISHED_NAME.test(name)
}

function writeZeros(file: StorageFile, sizeBytes: number): void {
  const zeros = alignedBuffer(ZEROS_PIECE_BYTES)
  for (let position = 0; position < sizeBytes; position += ZEROS_PIECE_BYTES) {
    file.write(zeros.subarray(0, Math.min(ZEROS_PIECE_BYTES, sizeBytes - position)), position)
  }
}
