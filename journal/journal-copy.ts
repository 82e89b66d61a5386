/**
 * Makes a copy of a journal in another, empty directory: a backup, or what is restored from one. The
 * source is only read. The copy opens by itself, as a journal.
 *
 *   manifest of an unfinished copy ─▶ sealed segments, as files ─▶ the last segment, from its blocks
 *     ─▶ snapshots ─▶ sync directory ─▶ everything is read back and verified ─▶ the journal's manifest
 *
 * - Until the last step the manifest states more segments than there can be, so no reader, of any
 *   version, takes the directory for a journal (UNFINISHED_COPY). It is there before the first
 *   segment, and is replaced at once by the one that makes the copy whole; both durably. So however
 *   it is interrupted, what is there is refused, or whole.
 * - Each file is made under a temporary name, synced, and renamed.
 * - Archived segments stay archived, except the last one of the copy, which is written to later.
 * - Bytes of the last segment behind its end are zero, whatever the source has there: it may be
 *   running.
 * - What was copied is read again from the target, every checksum and the hash chain included. So a
 *   damaged source, and a disk that has not kept what it was given, fail the copy.
 * - Snapshots come along as far as they are of blocks in the copy; a later one would prove that
 *   blocks are missing. Indexes, copies of what openings cut, and the lock stay behind: the first are
 *   made again, the others belong to the source.
 * - What fails takes away what it has made, the manifest last, so that a full disk has its room back.
 */

import { archiveName } from './archive-layout.js'
import { HASH_BYTES } from './block-layout.js'
import { type CopyPlan, lastSegmentBlocks } from './copy-plan.js'
import { isDiskFull } from './disk-shortage.js'
import { causeOf, TidewheelError } from './errors.js'
import { copyFile, writeSegment } from './file-copy.js'
import { writeManifest } from './manifest.js'
import { MANIFEST_NAME, UNFINISHED_COPY } from './manifest-layout.js'
import { openSegment, segmentNames } from './open-segment.js'
import { ReadWindow } from './read-window.js'
import { preparingName } from './segment.js'
import type { SegmentFile } from './segment-file.js'
import { segmentName } from './segment-layout.js'
import { snapshotNames } from './snapshot-files.js'
import { decodeSnapshotHeader } from './snapshot-header.js'
import { SNAPSHOT_HEADER_BYTES, snapshotName, temporarySnapshotName } from './snapshot-layout.js'
import type { Storage } from './storage.js'
import { findLinkProblems } from './verify-links.js'
import { verifySegment } from './verify-segment.js'

/** What is in a copy. */
export interface JournalCopy {
  readonly segments: number
  /** Of the last event; 0: none. */
  readonly sequence: number
  /** Hash of the last block, hexadecimal: noted elsewhere, it proves all of the copy later. */
  readonly headHash: string
  /** That were written, without the zeros at the end. */
  readonly bytes: number
  /** Journal time of the last command, µs since 1970; 0: none. */
  readonly timeUs: number
}

/**
 * Durable when it resolves. `target` is empty, and nobody else writes there.
 * @throws TidewheelError JOURNAL_DAMAGED for the source, DISK_FULL, STORAGE_FAILED
 */
export async function copyJournal(
  source: Storage,
  target: Storage,
  plan: CopyPlan,
  window = new ReadWindow(undefined, true),
): Promise<JournalCopy> {
  try {
    refuseShortage(target, plan)
    return await copyAll(source, target, plan, window)
  } catch (error) {
    throw failed(source, target, error, clear(target))
  }
}

async function copyAll(
  source: Storage,
  target: Storage,
  plan: CopyPlan,
  window: ReadWindow,
): Promise<JournalCopy> {
  const { journalId, segments, end, part } = plan
  writeManifest(target, { journalId, highestSegment: UNFINISHED_COPY })
  let bytes = 0
  const keepsArchives = await declaresStart(source, plan)
  for (const segment of segments.slice(0, -1)) {
    bytes += copySealed(source, target, segment, keepsArchives, window)
  }
  const last = segments.at(-1) as SegmentFile
  const temporary = preparingName(last.number, 'sparse')
  const blocks = lastSegmentBlocks({ storage: source }, end)
  bytes += await writeSegment(target, last, temporary, blocks, part)
  target.rename(temporary, segmentName(last.number))
  bytes += copySnapshots(source, target, plan, window)
  target.syncDirectory()
  const verified = readBack(target, plan, window)
  writeManifest(target, { journalId, highestSegment: segments.length })
  return { segments: segments.length, bytes, ...verified }
}

/**
 * An archive says that the segment behind it had a durable block, so a copy has it as an archive only
 * where a later block of the copy still declares that. Otherwise the segment is unpacked.
 */
function copySealed(
  source: Storage,
  target: Storage,
  { name, number, isArchived }: SegmentFile,
  keepsArchives: boolean,
  window: ReadWindow,
): number {
  const options = { direct: window.isAligned }
  const isKept = isArchived && keepsArchives
  // A plain one may be archived meanwhile.
  const from = isKept ? source.open(name, 'read', options) : openSegment(source, name, options)
  const temporary = preparingName(number, 'sparse')
  const bytes = copyFile(from, target, temporary, window)
  target.rename(temporary, isKept ? archiveName(number) : segmentName(number))
  return bytes
}

/** Whether the last segment of the copy declares its own first block durable. */
async function declaresStart(source: Storage, { segments, end, part }: CopyPlan): Promise<boolean> {
  if (segments.every(({ isArchived }) => !isArchived)) return true
  let first: number | undefined
  for await (const { header } of lastSegmentBlocks({ storage: source }, end)) {
    if (header.segmentNumber !== segments.length) continue
    first ??= header.blockNumber
    if (header.syncedThrough >= first) return true
  }
  // The part declares the block before it.
  return part !== undefined && first !== undefined
}

function refuseShortage(target: Storage, { segments, end, part }: CopyPlan): void {
  const sealedBytes = segments.slice(0, -1).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const neededBytes = sealedBytes + end.fileOffset + (part?.byteLength ?? 0)
  const freeBytes = target.freeBytes()
  if (freeBytes >= neededBytes) return
  throw new TidewheelError(
    'DISK_FULL',
    `a copy of the journal takes ${neededBytes} bytes, and ${freeBytes} are free for ${target.path}; free space there, or give a directory on another disk`,
  )
}

function copySnapshots(
  source: Storage,
  target: Storage,
  plan: CopyPlan,
  window: ReadWindow,
): number {
  let bytes = 0
  for (const name of snapshotNames(source)) {
    try {
      const sequence = sequenceWithin(source, name, plan)
      if (sequence === undefined) continue
      const temporary = temporarySnapshotName(sequence)
      bytes += copyFile(
        source.open(name, 'read', { direct: window.isAligned }),
        target,
        temporary,
        window,
      )
      target.rename(temporary, name)
    } catch (error) {
      // A running engine has removed it since the directory was listed.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  return bytes
}

/** Of a snapshot that is made of blocks in the copy; undefined for any other, and for a damaged one. */
function sequenceWithin(
  source: Storage,
  name: string,
  { end, journalId }: CopyPlan,
): number | undefined {
  const file = source.open(name, 'read')
  try {
    const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES)
    if (file.read(bytes, 0) !== bytes.byteLength) return undefined
    const header = decodeSnapshotHeader(bytes, name)
    const isOurs = Buffer.compare(header.journalId, journalId) === 0
    const isNamed = snapshotName(header.sequence) === name
    return isOurs && isNamed && header.blockNumber <= end.blockNumber ? header.sequence : undefined
  } catch (error) {
    if (error instanceof TidewheelError) return undefined
    throw error
  } finally {
    file.close()
  }
}

/** @throws TidewheelError JOURNAL_DAMAGED */
function readBack(
  target: Storage,
  { journalId, segments }: CopyPlan,
  window: ReadWindow,
): Pick<JournalCopy, 'sequence' | 'headHash' | 'timeUs'> {
  const verdicts = segmentNames(target).map((name) => verifySegment(target, name, window))
  const manifest = { journalId, highestSegment: segments.length }
  const problems = verdicts.flatMap((verdict) => verdict.problems)
  const [problem] = [...problems, ...findLinkProblems(verdicts, manifest)]
  if (problem !== undefined) {
    const { message, file, offset } = problem
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      `the copy was read back and is not a whole journal: ${message}. Run \`tidewheel verify\` on the source: where that finds the same, bring the file back from another copy; where it finds nothing, the disk of the copy is to blame`,
      { file, offset },
    )
  }
  const last = verdicts.findLast(({ blocks }) => blocks > 0)
  const timeUs = Math.max(...verdicts.map(({ lastTimeUs }) => lastTimeUs))
  const sequence = last === undefined ? 0 : last.nextSequence - 1
  return { sequence, headHash: last?.lastHash ?? '00'.repeat(HASH_BYTES), timeUs }
}

/**
 * Takes away what a copy that failed has made: the segments first, since what is left without its
 * manifest may look like a journal. What the system said, where it does not let us.
 */
function clear(target: Storage): unknown {
  try {
    for (const name of target.list()) {
      if (name !== MANIFEST_NAME) target.remove(name)
    }
    target.syncDirectory()
    if (target.list().includes(MANIFEST_NAME)) target.remove(MANIFEST_NAME)
    target.syncDirectory()
    return undefined
  } catch (error) {
    return error
  }
}

function failed(source: Storage, target: Storage, error: unknown, left: unknown): unknown {
  const cleared =
    left === undefined
      ? 'What was copied has been removed'
      : `What was copied could not be removed (${causeOf(left)}): remove ${target.path}`
  if (error instanceof TidewheelError) {
    if (left === undefined) return error
    const { code, reason, file, offset } = error
    const place = {
      ...(file === undefined ? {} : { file }),
      ...(offset === undefined ? {} : { offset }),
    }
    return new TidewheelError(code, `${reason}. ${cleared}`, { ...place, cause: error })
  }
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error
  const code = isDiskFull(error) ? 'DISK_FULL' : 'STORAGE_FAILED'
  return new TidewheelError(
    code,
    `the journal ${source.path} could not be copied to ${target.path} (${causeOf(error)}). ${cleared}; look at the space, the permissions and both disks, and try again`,
    { cause: error },
  )
}
