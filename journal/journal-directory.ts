/**
 * What names, manifest and segment headers tell of a directory, before any block is read: that it
 * holds a journal, that one can be made there, or that it must be left alone. It reads, and never
 * writes.
 *
 *    a whole set of segments                          a journal; its blocks decide the rest
 *    nothing, or what an interrupted creation left    a journal can be made
 *    segments that are no whole set, a lost segment   REFUSE (JOURNAL_DAMAGED)
 *    anything else                                    REFUSE (NOT_A_JOURNAL)
 */
import { BLOCK_BYTES_MAX } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { isHolderText, LOCK_NAME, LOCK_TEXT_BYTES_MAX } from './journal-lock.js'
import { type Manifest, readManifest } from './manifest.js'
import { MANIFEST_TEMPORARY_NAME } from './manifest-layout.js'
import { reading } from './opening-errors.js'
import { ReadWindow } from './read-window.js'
import { isUnfinishedSegment } from './segment.js'
import { listSegments, type SegmentFile } from './segment-file.js'
import {
  SEGMENT_DATA,
  SEGMENT_MAGIC,
  SEGMENT_MAGIC_OFFSET,
  SEGMENT_SECOND_HEADER,
} from './segment-layout.js'
import { assembleSegments, type SegmentSet } from './segment-set.js'
import type { Storage } from './storage.js'
import { isZero } from './zero-check.js'

interface JournalDirectory {
  readonly manifest: Manifest | 'damaged' | undefined
  /** Undefined: there is no journal yet, and nothing else either. */
  readonly set: SegmentSet | undefined
  /** The start of a first segment, where making it was interrupted. It may be removed. */
  readonly leftover: string | undefined
}

/**
 * Before the lock is taken, and with it the first byte written: a directory that is not ours to use
 * is refused and stays as it is. The holder of the lock, if there is one, may be at work meanwhile.
 * @throws TidewheelError as {@link readJournalDirectory}
 */
export function refuseForeignDirectory(storage: Storage): void {
  readJournalDirectory(storage, new ReadWindow(BLOCK_BYTES_MAX))
}

/** @throws TidewheelError NOT_A_JOURNAL, JOURNAL_DAMAGED, FORMAT_TOO_NEW, JOURNAL_UNREADABLE */
export function readJournalDirectory(storage: Storage, window: ReadWindow): JournalDirectory {
  return reading(storage, () => {
    // In this order, since an engine may be creating the journal meanwhile: what one line sees, the
    // next one finds too. A segment comes before the manifest that knows of it.
    const names = storage.list()
    const manifest = readManifest(storage)
    const found = listSegments(storage, window)
    const set = assembleSegments(storage, found, manifest, window)
    if (set !== undefined) return { manifest, set, leftover: undefined }
    const [first] = found
    const leftover = first !== undefined && isOurs(storage, first) ? first.name : undefined
    refuseOtherFiles(storage, names, leftover)
    return { manifest, set, leftover }
  })
}

/** A journal is made in an empty directory only, or in one where making it was interrupted. */
function refuseOtherFiles(
  storage: Storage,
  names: readonly string[],
  leftover: string | undefined,
): void {
  for (const name of names) {
    if (name === MANIFEST_TEMPORARY_NAME || name === leftover) continue
    if (isUnfinishedSegment(name)) continue
    if (name === LOCK_NAME && isLockFile(storage)) continue
    throw new TidewheelError(
      'NOT_A_JOURNAL',
      `the directory ${storage.path} has files but no journal, so none is made there; give an empty directory, or the right one`,
      { file: name },
    )
  }
}

/** Whether the start of a first segment can be what a crash left, and not a file of that name. */
function isOurs(storage: Storage, { name, header }: SegmentFile): boolean {
  if (header !== undefined) return true
  const bytes = new Uint8Array(SEGMENT_DATA)
  const file = storage.open(name, 'read')
  try {
    const lengthBytes = file.read(bytes, 0)
    const view = new DataView(bytes.buffer)
    const hasMagic = [SEGMENT_MAGIC_OFFSET, SEGMENT_SECOND_HEADER + SEGMENT_MAGIC_OFFSET].some(
      (offset) => view.getUint32(offset, true) === SEGMENT_MAGIC,
    )
    return hasMagic || isZero(bytes, 0, lengthBytes)
  } finally {
    file.close()
  }
}

/** An engine's, and not another program's under the same name. */
function isLockFile(storage: Storage): boolean {
  const bytes = new Uint8Array(LOCK_TEXT_BYTES_MAX)
  const file = storage.open(LOCK_NAME, 'read')
  try {
    const lengthBytes = file.read(bytes, 0)
    return isHolderText(Buffer.from(bytes.subarray(0, lengthBytes)).toString('latin1'))
  } finally {
    file.close()
  }
}
