/**
 * What can be said of the segment files of a directory before their blocks are read: which there
 * are, which copies of their headers are good, and whether name, size and header agree.
 */
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { isArchive, openSegment, segmentNames, segmentNumberIn } from './open-segment.js'
import type { ReadWindow } from './read-window.js'
import { decodeSegmentHeader, type SegmentHeader } from './segment-header.js'
import { SEGMENT_DATA, SEGMENT_SECOND_HEADER } from './segment-layout.js'
import type { Storage, StorageFile } from './storage.js'
import { endOfNonZero } from './zero-check.js'

export interface SegmentFile {
  readonly name: string
  /** By its name. */
  readonly number: number
  /** It was sealed and compressed (archive-layout.ts): nothing may be written to it. */
  readonly isArchived: boolean
  /** Of the segment, also where it is archived; 0 where the archive cannot be read. */
  readonly sizeBytes: number
  /** From the first good copy; undefined when both are damaged. */
  readonly header: SegmentHeader | undefined
  /** Offsets of the damaged copies of the header. */
  readonly damagedCopies: readonly number[]
  /** Why the file cannot be a segment of this journal; '' when it can. */
  readonly problem: string
}

/** All segments in the directory, by number. Reads their headers only. */
export function listSegments(
  storage: Storage,
  window: ReadWindow,
  options: { direct?: boolean } = {},
): SegmentFile[] {
  return segmentNames(storage).map((name) => inspectSegment(storage, name, window, options))
}

export function inspectSegment(
  storage: Storage,
  name: string,
  window: ReadWindow,
  options: { direct?: boolean } = {},
): SegmentFile {
  let file: StorageFile
  try {
    file = openSegment(storage, name, options)
  } catch (error) {
    if (!(error instanceof TidewheelError) || error.code !== 'JOURNAL_DAMAGED') throw error
    return unreadableArchive(error)
  }
  try {
    return inspectOpen(file, window)
  } finally {
    file.close()
  }
}

function inspectOpen(file: StorageFile, window: ReadWindow): SegmentFile {
  const { name } = file
  const number = segmentNumberIn(name)
  const isArchived = isArchive(name)
  const sizeBytes = file.sizeBytes()
  window.enter(file, SEGMENT_DATA)
  const first = readCopy(name, window, 0)
  const second = readCopy(name, window, SEGMENT_SECOND_HEADER)
  const damagedCopies: number[] = []
  if (first === undefined) damagedCopies.push(0)
  if (second === undefined) damagedCopies.push(SEGMENT_SECOND_HEADER)
  const header = first ?? second
  const differ = first !== undefined && second !== undefined && !areEqual(first, second)
  const problem = differ
    ? 'the two copies of its header are intact and differ'
    : headerProblem(header, number, sizeBytes) || archiveProblem(isArchived, damagedCopies)
  return { name, number, isArchived, sizeBytes, header, damagedCopies, problem }
}

/** Its header or its directory is damaged, so that nothing of the segment is left. */
function unreadableArchive({ file: name = '', reason }: TidewheelError): SegmentFile {
  return {
    name,
    number: segmentNumberIn(name),
    isArchived: true,
    sizeBytes: 0,
    header: undefined,
    damagedCopies: [0, SEGMENT_SECOND_HEADER],
    problem: reason,
  }
}

/** Offset after the last non-zero byte behind the headers, or SEGMENT_DATA when there is none. */
export function endOfData(storage: Storage, name: string, window: ReadWindow): number {
  const file = openSegment(storage, name)
  try {
    return endOfNonZeroFrom(file, window, SEGMENT_DATA)
  } finally {
    file.close()
  }
}

/** Offset after the last non-zero byte at or after `position`, or `position` when there is none. */
export function endOfNonZeroFrom(file: StorageFile, window: ReadWindow, position: number): number {
  window.enter(file)
  let end = position
  for (let at = position; ; ) {
    const lengthBytes = window.available(at)
    if (lengthBytes <= 0) return end
    const offset = window.locate(at, lengthBytes)
    const last = endOfNonZero(window.bytes, offset, offset + lengthBytes)
    if (last > offset) end = at + last - offset
    // A remainder of less than 4 KiB is the end of the file.
    if (lengthBytes % BLOCK_ALIGNMENT_BYTES !== 0) return end
    at += lengthBytes
  }
}

function readCopy(name: string, window: ReadWindow, position: number): SegmentHeader | undefined {
  const offset = window.locate(position, BLOCK_ALIGNMENT_BYTES)
  if (offset < 0) return undefined
  try {
    return decodeSegmentHeader(window.bytes.subarray(offset, offset + BLOCK_ALIGNMENT_BYTES))
  } catch (error) {
    throw withPlace(error, name, position)
  }
}

function headerProblem(
  header: SegmentHeader | undefined,
  number: number,
  sizeBytes: number,
): string {
  if (header === undefined) return 'both copies of its header are damaged'
  if (header.number !== number) return `its header says that it is segment ${header.number}`
  if (header.sizeBytes !== sizeBytes) {
    return `it is ${sizeBytes} bytes long, its header says ${header.sizeBytes}`
  }
  return ''
}

/** A segment is archived with both copies intact, and its archive is not mended. */
function archiveProblem(isArchived: boolean, damagedCopies: readonly number[]): string {
  return isArchived && damagedCopies.length > 0 ? 'a copy of its header is damaged' : ''
}

function areEqual(a: SegmentHeader, b: SegmentHeader): boolean {
  return (
    a.number === b.number &&
    a.sizeBytes === b.sizeBytes &&
    a.salt === b.salt &&
    Buffer.compare(a.journalId, b.journalId) === 0
  )
}

/** Names the place in an error that a decoder threw, which knows bytes only. */
export function withPlace(error: unknown, file: string, offset: number): unknown {
  if (!(error instanceof TidewheelError) || error.code !== 'FORMAT_TOO_NEW') return error
  return new TidewheelError(
    'FORMAT_TOO_NEW',
    'this part of the journal was written in a later format than this version reads; use the version of tidewheel that wrote it, or a later one',
    { file, offset, cause: error },
  )
}
