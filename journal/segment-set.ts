/**
 * Whether the segment files of a directory are one whole journal: numbered 1, 2, 3 … without a gap,
 * of one journal id, each as long as its header says, none missing that the manifest knows of.
 */
import { TidewheelError } from './errors.js'
import type { Manifest } from './manifest.js'
import { MANIFEST_NAME } from './manifest-layout.js'
import type { ReadWindow } from './read-window.js'
import { endOfData, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { Storage } from './storage.js'

export interface SegmentSet {
  readonly journalId: Uint8Array
  /** 1, 2, 3 …, all with a header that can be trusted. */
  readonly segments: readonly SegmentFile[]
  /** The newest file, if it was never used and is not a whole segment. It may be removed. */
  readonly unfinished: SegmentFile | undefined
}

interface SegmentSetProblem {
  readonly message: string
  readonly file: string
}

/**
 * The journal's segments, or undefined when there is no journal yet.
 * @throws TidewheelError JOURNAL_DAMAGED when they are not a whole journal.
 */
export function assembleSegments(
  storage: Storage,
  found: readonly SegmentFile[],
  manifest: Manifest | 'damaged' | undefined,
  window: ReadWindow,
): SegmentSet | undefined {
  const known = manifest === 'damaged' ? undefined : manifest
  const unfinished = findUnfinished(storage, found, known, window)
  const segments = unfinished === undefined ? found : found.slice(0, -1)
  const problem = findSegmentSetProblem(segments, known) ?? lostAll(segments, manifest)
  if (problem !== undefined) {
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      `${problem.message}; nothing was changed. Bring the file back from a backup or a replica, and open again`,
      { file: problem.file },
    )
  }
  const journalId = segments[0]?.header?.journalId
  if (journalId === undefined) {
    // Only the start of a first segment, or nothing: whoever created it did not get further.
    return undefined
  }
  return { journalId, segments, unfinished }
}

/** The newest file, where no block was ever written to it and it is not whole. */
export function findUnfinished(
  storage: Storage,
  found: readonly SegmentFile[],
  manifest: Manifest | undefined,
  window: ReadWindow,
): SegmentFile | undefined {
  const newest = found.at(-1)
  if (newest === undefined || newest.isArchived) return undefined
  if (newest.number <= (manifest?.highestSegment ?? 0)) return undefined
  const isWhole = newest.header !== undefined && newest.sizeBytes >= newest.header.sizeBytes
  if (isWhole) return undefined
  return endOfData(storage, newest.name, window) === SEGMENT_DATA ? newest : undefined
}

/** The first thing that is wrong with a list of segments, if any. */
export function findSegmentSetProblem(
  segments: readonly SegmentFile[],
  manifest: Manifest | undefined,
): SegmentSetProblem | undefined {
  let expected = 1
  const journalId = manifest?.journalId ?? segments[0]?.header?.journalId
  for (const segment of segments) {
    const { name: file, header, number, problem } = segment
    if (number !== expected) return missingProblem(expected)
    if (problem !== '') return { message: `the segment is damaged: ${problem}`, file }
    if (header === undefined || journalId === undefined) continue
    if (Buffer.compare(header.journalId, journalId) !== 0) {
      const other = manifest === undefined ? segmentName(1) : MANIFEST_NAME
      return { message: `the segment belongs to another journal than the file ${other}`, file }
    }
    expected++
  }
  const highest = manifest?.highestSegment ?? 0
  return expected <= highest ? missingProblem(expected) : undefined
}

function lostAll(
  segments: readonly SegmentFile[],
  manifest: Manifest | 'damaged' | undefined,
): SegmentSetProblem | undefined {
  return segments.length === 0 && manifest !== undefined ? missingProblem(1) : undefined
}

function missingProblem(number: number): SegmentSetProblem {
  return { message: `segment ${number} of the journal is missing`, file: segmentName(number) }
}
