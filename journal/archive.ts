/**
 * Archives the sealed segments of a journal, oldest first, each for itself (archive-writer.ts). An
 * engine may have the journal open meanwhile: it writes to later segments only, and its readers
 * find a segment in either form (open-segment.ts).
 *
 * A segment is sealed when the next one has a block, and that block was durable: some later block
 * declares it synced. Otherwise the next opening could find the journal to end in this segment, and
 * would have to write to it.
 *
 *   segment n      │ … │ last │           archived, if
 *   segment n + 1  │ first: previous hash │ … │ any: synced through ≥ first │
 */
import { archiveSegment } from './archive-writer.js'
import { BlockChecker } from './block-check.js'
import type { BlockHeader } from './block-header.js'
import { TidewheelError } from './errors.js'
import { openSegment } from './open-segment.js'
import { writing } from './opening-errors.js'
import type { ReadWindow } from './read-window.js'
import { listSegments, type SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import { findSegmentSetProblem } from './segment-set.js'
import type { Storage } from './storage.js'

export interface ArchiveReport {
  /** That were archived now. */
  readonly segments: number
  /** Of these, before. */
  readonly plainBytes: number
  /** And now. */
  readonly archivedBytes: number
}

/**
 * @param before only segments all of whose events come before this sequence
 * @param window with memory for direct reads, where files may be read past the page cache
 * @throws TidewheelError JOURNAL_DAMAGED, FORMAT_TOO_NEW, DISK_FULL, STORAGE_FAILED: the segments
 *   before the one concerned are archived, all others are as they were
 */
export function archiveJournal(
  storage: Storage,
  before: number,
  window: ReadWindow,
): ArchiveReport {
  return writing(storage, () => {
    const segments = listSegments(storage, window, { direct: window.isAligned })
    const problem = findSegmentSetProblem(segments, undefined)
    if (problem !== undefined) throw damaged(problem.message, problem.file)
    let count = 0
    let plainBytes = 0
    let archivedBytes = 0
    for (const segment of segments) {
      if (segment.isArchived) continue
      const next = findDurableStart(storage, segments.slice(segment.number), window)
      if (next === undefined || next.baseSequence > before) break
      archivedBytes += archiveSegment(storage, segment, next.previousHash, window)
      plainBytes += segment.sizeBytes
      count++
    }
    return { segments: count, plainBytes, archivedBytes }
  })
}

/** The first block of the first of these segments, where a later block declares it synced. */
function findDurableStart(
  storage: Storage,
  segments: readonly SegmentFile[],
  window: ReadWindow,
): BlockHeader | undefined {
  let first: BlockHeader | undefined
  const checker = new BlockChecker(0, 0)
  for (const segment of segments) {
    const file = openSegment(storage, segment.name, { direct: window.isAligned })
    try {
      checker.enterSegment(segment)
      window.enter(file)
      let offset = SEGMENT_DATA
      while (offset < segment.sizeBytes && checker.checkHeader(window, offset) === 'good') {
        const header = checker.header as BlockHeader
        first ??= header
        if (header.syncedThrough >= first.blockNumber) return first
        offset += checker.advance()
      }
      if (offset === SEGMENT_DATA) return undefined
    } finally {
      file.close()
    }
  }
  return undefined
}

function damaged(problem: string, file: string): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `nothing is archived: ${problem}. Run \`tidewheel verify\`, and bring the file back from a backup or a replica`,
    { file },
  )
}
