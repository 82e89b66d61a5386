/**
 * What of a journal goes into a copy of it: whole blocks up to a place that is known to be good, and
 * perhaps a part of the block behind it (journal-cut.ts). It reads only, past the page cache, since
 * the journal may be running.
 */
import type { BlockHeader } from './block-header.js'
import { paddedBlockBytes } from './block-layout.js'
import { TidewheelError } from './errors.js'
import { type JournalFolder, readJournalFolder } from './journal-folder.js'
import { type JournalBlock, JournalReader, type ReadBound } from './journal-reader.js'
import type { SegmentFile } from './segment-file.js'
import { SEGMENT_DATA } from './segment-layout.js'
import type { Storage } from './storage.js'

/** Where the last block that is copied as it is ends. */
export interface CopyEnd extends ReadBound {
  /** Of that block; 0: none. */
  readonly blockNumber: number
}

export interface CopyPlan {
  readonly journalId: Uint8Array
  /** 1, 2, 3 …; the copy ends in the last one. */
  readonly segments: readonly SegmentFile[]
  readonly end: CopyEnd
  /** A block that goes behind the end: header, frames and zeros. */
  readonly part: Uint8Array | undefined
}

export const EMPTY_END: CopyEnd = {
  segmentNumber: 1,
  fileOffset: SEGMENT_DATA,
  blockNumber: 0,
}

/**
 * Everything up to `end`; without it, to the end of the journal as readers find it.
 * @throws TidewheelError NOT_A_JOURNAL, JOURNAL_DAMAGED, FORMAT_TOO_NEW
 */
export async function planWhole(source: Storage, end?: CopyEnd): Promise<CopyPlan> {
  const folder = openWholeFolder(source)
  return planOf(folder, end ?? endOf(await readLastBlock(folder)), undefined)
}

export function planOf(
  { segments }: JournalFolder,
  end: CopyEnd,
  part: Uint8Array | undefined,
): CopyPlan {
  const copied = segments.slice(0, end.segmentNumber)
  const journalId = copied.at(-1)?.header?.journalId
  if (journalId === undefined || copied.length < end.segmentNumber) {
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      `segment ${end.segmentNumber} of the journal is gone; run \`tidewheel verify\`, and bring it back from another copy`,
    )
  }
  return { journalId, segments: copied, end, part }
}

/** @throws TidewheelError when segments are missing or do not belong together */
export function openWholeFolder(source: Storage): JournalFolder {
  const folder = readJournalFolder(source)
  if (folder.problem !== undefined) throw folder.problem
  if (folder.segments.length > 0) return folder
  throw new TidewheelError(
    'NOT_A_JOURNAL',
    `the directory ${source.path} has no journal; give the directory that the engine was opened with`,
  )
}

/** Header of the journal's last block, as readers find it; undefined when it has none. */
export async function readLastBlock(folder: JournalFolder): Promise<BlockHeader | undefined> {
  let last: BlockHeader | undefined
  for await (const { header } of lastSegmentBlocks(folder)) last = header
  return last
}

/** The blocks of the last segment that has any, up to the bound. */
export function lastSegmentBlocks(
  { storage }: Pick<JournalFolder, 'storage'>,
  bound?: ReadBound,
): AsyncGenerator<JournalBlock> {
  const reader = new JournalReader(storage, { direct: true })
  const options = { fromSequence: Number.MAX_SAFE_INTEGER, fromSegmentStart: true }
  return reader.blocks(bound === undefined ? options : { ...options, bound })
}

/** Behind a block. */
export function endOf(header: BlockHeader | undefined): CopyEnd {
  if (header === undefined) return EMPTY_END
  const { segmentNumber, blockNumber, payloadBytes } = header
  const fileOffset = header.fileOffset + paddedBlockBytes(payloadBytes)
  return { segmentNumber, fileOffset, blockNumber }
}
