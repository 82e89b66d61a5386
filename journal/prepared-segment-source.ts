/**
 * The journaler's segments when a thread prepares them ahead (segment-preparer.ts). If the next one
 * is not ready in time the journal does not wait for it: it goes on in a sparse segment, whose
 * writes are slower, and says so.
 */
import { shortageFor } from './disk-shortage.js'
import { assert, TidewheelError } from './errors.js'
import type { JournalEnd } from './journal-end.js'
import { writing } from './opening-errors.js'
import { createSegment, randomSalt, removeUnfinishedSegments } from './segment.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import { createSegmentPreparation, SegmentPreparation } from './segment-preparation.js'
import type { SegmentSource } from './segment-source.js'
import type { Storage } from './storage.js'

/** How long a rename and the sync of a directory may take before the preparer counts as stuck. */
const RENAME_TIMEOUT_MS = 30_000
/** How often the wait for it looks whether the preparer is still there. */
const RENAME_POLL_MS = 100

interface PreparedSegmentSourceOptions {
  storage: Storage
  journalId: Uint8Array
  segmentBytes: number
  preparation: SegmentPreparation
  onReport(text: string): void
}

export class PreparedSegmentSource implements SegmentSource {
  /** How often the preparer was behind. */
  private sparseCount = 0
  private readonly options: PreparedSegmentSourceOptions

  constructor(options: PreparedSegmentSourceOptions) {
    this.options = options
  }

  take(number: number): void {
    const { preparation } = this.options
    assert(number === preparation.currentSegment + 1, 'segments are taken in turn')
    if (preparation.preparedSegment < number) {
      if (preparation.settle(number)) this.createSparse(number)
      else this.waitForRename(number)
    }
    preparation.setCurrent(number, SEGMENT_DATA)
  }

  consumed(bytesInCurrent: number): void {
    this.options.preparation.setConsumed(bytesInCurrent)
  }

  private createSparse(number: number): void {
    const { storage, journalId, segmentBytes: sizeBytes, preparation, onReport } = this.options
    createSegment(storage, { journalId, number, sizeBytes, salt: randomSalt() }, 'sparse')
    preparation.setSparse(number)
    preparation.setPrepared(number)
    this.sparseCount += 1
    onReport(
      `segment ${segmentName(number)} was not prepared in time and is sparse: its writes are slower (${this.sparseCount} so far)`,
    )
  }

  /** The preparer has the segment ready and is giving it its name. */
  private waitForRename(number: number): void {
    const { preparation, storage } = this.options
    for (let waitedMs = 0; waitedMs < RENAME_TIMEOUT_MS; waitedMs += RENAME_POLL_MS) {
      // Read first: what the preparer did before it ended is then visible in the line below.
      const hasEnded = preparation.hasEnded
      if (preparation.preparedSegment >= number) return
      if (hasEnded) break
      preparation.waitForPrepared(number, RENAME_POLL_MS)
    }
    if (storage.list().includes(segmentName(number))) {
      // Renamed by a preparer that did not get further. If it was the sync of the directory that
      // failed, another one may say OK although the name is not on disk.
      throw new TidewheelError(
        'STORAGE_FAILED',
        'the next segment has its name, and it is not known whether that is on disk; check the disk, restart the machine if it reports errors, then open the engine again: what was answered is kept',
        { file: segmentName(number) },
      )
    }
    if (preparation.hasEnded) {
      this.createSparse(number)
      return
    }
    throw new TidewheelError(
      'STORAGE_FAILED',
      `the next segment was not renamed within ${RENAME_TIMEOUT_MS / 1000} s; the disk does not answer. Check it, then open the engine again: what was answered is kept`,
      { file: segmentName(number) },
    )
  }
}

/**
 * Cleans up after an earlier session, and finds what it left ready. That can be several segments:
 * where a torn block was the first of its segment, the journal ends in the segment before, and the
 * one behind was prepared already. Recovery has found all of them whole and empty.
 *
 * Where there is none, and no room for one, that is known before the first command is taken.
 *
 * @throws TidewheelError STORAGE_FAILED
 */
export function preparationAfter(
  storage: Storage,
  end: JournalEnd,
  segmentBytes: number,
): SharedArrayBuffer {
  const { names, shortage } = writing(storage, () => {
    removeUnfinishedSegments(storage)
    return { names: new Set(storage.list()), shortage: shortageFor(storage, segmentBytes) }
  })
  let ready = end.segmentNumber
  while (names.has(segmentName(ready + 1))) ready += 1
  const memory = createSegmentPreparation(end.segmentNumber, end.fileOffset, ready)
  if (ready === end.segmentNumber) new SegmentPreparation(memory).setShortage(shortage)
  return memory
}
