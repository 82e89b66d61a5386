/**
 * Opens a journal for writing: makes a new one, or reads the one that is there, hands every good
 * block to the engine, and says where the next block goes.
 *
 * First everything is read and decided, and nothing is written; a journal that must not be opened
 * is left untouched. What is written afterwards can stop at any call and be done again:
 *
 *    what is found                                             what is done
 *   ────────────────────────────────────────────────────────── ──────────────────────────────────
 *    no manifest, no segment, nothing else                     a new journal is made
 *    no manifest, no segment, other files                      REFUSE (NOT_A_JOURNAL)
 *    a segment missing, foreign, renamed, of another length,   REFUSE
 *      or with both copies of its header damaged
 *    the newest segment unused and not whole, and the          it is removed, reported
 *      manifest does not know of it
 *    one copy of a segment's header damaged                    written again from the other, reported
 *    no manifest, or a damaged one                             made from the segments, reported
 *    a manifest behind the segments                            brought up to them
 *    a manifest ahead of the segments, or of another journal   REFUSE
 *    padding of an intact block not zero                       zeroed, reported
 *    an archived segment that is not as it was archived        REFUSE
 *    a place where no good block follows                       END, CUT or REFUSE: tail-decision.ts
 *    a snapshot was made of later blocks                       REFUSE
 *
 * Before the last blocks are trusted, those that the last header does not declare synced are written
 * again, as they are, and synced: after a failed sync the page cache may show what the disk lacks.
 */
import { randomBytes } from 'node:crypto'
import { DURABILITY_OS, JOURNAL_ID_BYTES } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { readJournalDirectory } from './journal-directory.js'
import { type JournalEnd, newJournalEnd } from './journal-end.js'
import { type BlockVisitor, type JournalScan, type ScanStart, scanJournal } from './journal-scan.js'
import { writeManifest } from './manifest.js'
import { reading, writing } from './opening-errors.js'
import { ReadWindow } from './read-window.js'
import { finishJournal } from './recovery-repair.js'
import type { RecoveryCut, RecoveryReport, UsedSnapshot } from './recovery-report.js'
import { createSegment, randomSalt, removeUnfinishedSegments } from './segment.js'
import type { SegmentFile } from './segment-file.js'
import { SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN } from './segment-layout.js'
import type { SegmentSet } from './segment-set.js'
import type { Storage } from './storage.js'
import { decideTail, type TailDecision } from './tail-decision.js'

export interface RecoveryOptions {
  /** The level that the journal is being opened with. */
  readonly durability: 'disk' | 'os'
  /** Of the first segment of a new journal. */
  readonly segmentBytes: number
  /** Brings back what snapshots of these segments hold; without it, all blocks are visited. */
  readonly restore?: (
    journalId: Uint8Array,
    segments: readonly SegmentFile[],
    window: ReadWindow,
  ) => RestoredState
  /** Memory to read through, for those who open many journals. */
  readonly window?: ReadWindow
}

/** What snapshots say of a journal, and what of it they make unnecessary to read. */
export interface RestoredState {
  /** The last block in the state; undefined: the state is empty. */
  readonly start: ScanStart | undefined
  /** The last block that a snapshot proves to have been on disk; 0: none. */
  readonly durableBlock: number
  /** The file that proves it. */
  readonly durableIn: string
  readonly snapshot: UsedSnapshot | undefined
  readonly skipped: readonly string[]
}

const NOTHING_RESTORED: RestoredState = {
  start: undefined,
  durableBlock: 0,
  durableIn: '',
  snapshot: undefined,
  skipped: [],
}

interface RecoveredJournal {
  readonly end: JournalEnd
  readonly report: RecoveryReport
}

/**
 * The caller holds the journal's lock.
 * @throws TidewheelError NOT_A_JOURNAL, JOURNAL_DAMAGED, FORMAT_TOO_NEW (nothing was written),
 * JOURNAL_UNREADABLE, STORAGE_FAILED (the system refused a read or a write), INVALID_OPTION, and
 * whatever `visit` throws.
 */
export function recoverJournal(
  storage: Storage,
  options: RecoveryOptions,
  visit: BlockVisitor,
): RecoveredJournal {
  const startedMs = performance.now()
  const window = options.window ?? new ReadWindow()
  const { manifest, set, leftover } = readJournalDirectory(storage, window)
  if (set === undefined) return createJournal(storage, options, leftover, startedMs)
  const { segments, journalId } = set
  const restored = reading(
    storage,
    () => options.restore?.(journalId, segments, window) ?? NOTHING_RESTORED,
  )
  const { scan, decision } = reading(storage, () => {
    const scan = scanJournal(storage, segments, window, visit, restored.start)
    return { scan, decision: decideTail(storage, segments, scan, window) }
  })
  refuseDamage(decision, scan, restored)
  refuseChangeOfArchive(segments, scan)
  const repaired: string[] = []
  const { end, cut } = writing(storage, () =>
    finishJournal(storage, set, manifest, scan, decision, window, repaired),
  )
  const report = reportOf(options, set, scan, startedMs, cut, repaired)
  const { snapshot, skipped } = restored
  return {
    end,
    report: {
      ...report,
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(skipped.length === 0 ? {} : { snapshotsSkipped: skipped }),
    },
  }
}

function createJournal(
  storage: Storage,
  options: RecoveryOptions,
  leftover: string | undefined,
  startedMs: number,
): RecoveredJournal {
  const { segmentBytes } = options
  if (segmentBytes < SEGMENT_BYTES_MIN || segmentBytes > SEGMENT_BYTES_MAX) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `a segment of ${segmentBytes} bytes is asked for; give a size from ${SEGMENT_BYTES_MIN} to ${SEGMENT_BYTES_MAX}`,
    )
  }
  const journalId = new Uint8Array(randomBytes(JOURNAL_ID_BYTES))
  writing(storage, () => {
    if (leftover !== undefined) storage.remove(leftover)
    removeUnfinishedSegments(storage)
    const salt = randomSalt()
    // The segment first: where there is a manifest, there is a journal.
    createSegment(storage, { journalId, number: 1, sizeBytes: segmentBytes, salt }, 'zeros')
    writeManifest(storage, { journalId, highestSegment: 1 })
  })
  const seconds = (performance.now() - startedMs) / 1000
  const report: RecoveryReport = {
    created: true,
    segments: 1,
    blocks: 0,
    events: 0,
    bytes: 0,
    seconds,
    eventsPerSecond: 0,
    repaired: [],
  }
  return { end: newJournalEnd(journalId), report }
}

function refuseDamage(decision: TailDecision, scan: JournalScan, restored: RestoredState): void {
  const sequence = lastSequence(scan)
  if (decision.kind === 'refuse') {
    const { reason, file, offset } = decision
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      `${reason}; nothing was changed. Bring the file back from a backup or a replica, and open again`,
      { file, offset, sequence: sequence + 1 },
    )
  }
  const { durableBlock, durableIn } = restored
  const lastBlock = scan.lastHeader?.blockNumber ?? 0
  if (lastBlock < durableBlock) {
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      `the journal ends with block ${lastBlock}, but this snapshot was made of blocks up to ${durableBlock}, so they were on disk; nothing was changed. Bring the newest segments back from a backup or a replica, and open again. If you went back to an older journal on purpose, remove the snapshot`,
      { file: durableIn, sequence: sequence + 1 },
    )
  }
}

/** What would be mended in a plain segment was whole when the segment was archived. */
function refuseChangeOfArchive(segments: readonly SegmentFile[], scan: JournalScan): void {
  const changed = [...scan.damagedPadding.map(({ place }) => place), ...scan.unsynced]
  const place = changed.find(({ segmentIndex }) => segments[segmentIndex]?.isArchived)
  if (place === undefined) return
  const { segmentIndex, fileOffset, blockNumber } = place
  throw new TidewheelError(
    'JOURNAL_DAMAGED',
    `block ${blockNumber} of an archived segment is not as it was archived: bytes behind it are not zero, or later blocks do not declare it synced; nothing was changed. Bring the file back from a backup or a replica, and open again`,
    { file: segments[segmentIndex]?.name ?? '', offset: fileOffset },
  )
}

function lastSequence(scan: JournalScan): number {
  const last = scan.lastHeader
  return last === undefined ? 0 : last.baseSequence + last.eventCount - 1
}

function reportOf(
  options: RecoveryOptions,
  set: SegmentSet,
  scan: JournalScan,
  startedMs: number,
  cut: RecoveryCut | undefined,
  repaired: readonly string[],
): RecoveryReport {
  const { blocks, events, bytes, lastHeader } = scan
  const level = lastHeader?.durability === DURABILITY_OS ? 'os' : 'disk'
  const hasChanged = lastHeader !== undefined && level !== options.durability
  const seconds = (performance.now() - startedMs) / 1000
  return {
    created: false,
    segments: set.segments.length,
    blocks,
    events,
    bytes,
    seconds,
    eventsPerSecond: seconds > 0 ? Math.round(events / seconds) : 0,
    ...(cut === undefined ? {} : { cut }),
    ...(hasChanged ? { levelBefore: level } : {}),
    repaired,
  }
}
