/**
 * Point-in-time restore: where a copy ends that goes up to a sequence or a time, on whole
 * transactions only.
 *
 *                         last whole block      the block with the cut
 *   source   … │ block k−1             │ header k │ frame │ frame │ frame that is beyond │ … │ k+1 …
 *   copy     … │ block k−1, as it is   │ header k'│ frame │ frame │ zeros to 4 KiB, and to the end
 *
 * The cut lies before the first frame that is beyond: that has an event with a later sequence, or is
 * of a command of a later time. Everything before it is kept, so also what has no sequence of its
 * own: rejections under a key and catalogues that follow the last event wanted.
 *
 * - Blocks before the cut are copied as they are, so every hash that was noted of them still proves.
 * - A block that the cut goes through is written anew at the same place, as k', with the kept frames
 *   byte for byte. Number, base sequence, previous hash and durability level are those of k; counts,
 *   length and checksums are its own; k−1 is synced before the copy is whole, so k' says so. Its
 *   epoch is one more than that of the last block of the source, as if the copy had been opened for
 *   writing, since no block with this number and the old epoch has these bytes.
 * - If nothing but catalogues and seals is left of it, the block is left out; and with it the
 *   segment, if it was the first there.
 * - The journal id stays: what is before the cut is the same journal. Its copy goes on with other
 *   blocks than the source, and the hash chain tells the two apart.
 * - Idempotency keys and the time of the journal are functions of the frames, so replay gives what
 *   they were at the cut.
 */
import { writeBlockHeader } from './block-header.js'
import { BLOCK_HEADER_BYTES, paddedBlockBytes } from './block-layout.js'
import {
  type CopyEnd,
  type CopyPlan,
  EMPTY_END,
  endOf,
  openWholeFolder,
  planOf,
  readLastBlock,
} from './copy-plan.js'
import { TidewheelError } from './errors.js'
import { FrameCursor } from './frames.js'
import type { JournalFolder } from './journal-folder.js'
import { type JournalBlock, JournalReader } from './journal-reader.js'
import { SYSTEM_COMMAND } from './record-layout.js'
import type { Storage } from './storage.js'

/** The last event, or the last instant, that is wanted; one of the two. */
export type CutPoint =
  | { readonly sequence: number; readonly timeUs?: undefined }
  | { readonly sequence?: undefined; readonly timeUs: number }

export interface CutPlan extends CopyPlan {
  /** What lies behind the cut; undefined: nothing does. */
  readonly leftOut: LeftOut | undefined
}

export interface LeftOut {
  /** Their number; 0: only rejections under a key. */
  readonly events: number
  /** Of the first transaction that is left out: time, and sequences of its events, if it has any. */
  readonly timeUs: number
  readonly firstSequence: number
  readonly lastSequence: number
}

/** What a frame can state: a cut is never farther from its sequence. */
const TRANSACTION_EVENTS_MAX = 0xffff

/**
 * @throws TidewheelError INVALID_OPTION for a point before the first transaction or a sequence
 *   behind the last; NOT_A_JOURNAL, JOURNAL_DAMAGED, FORMAT_TOO_NEW
 */
export async function planCut(source: Storage, point: CutPoint): Promise<CutPlan> {
  const folder = openWholeFolder(source)
  const last = await readLastBlock(folder)
  const lastSequence = last === undefined ? 0 : last.baseSequence + last.eventCount - 1
  if (point.sequence !== undefined && point.sequence > lastSequence) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `there is no event with sequence ${point.sequence}: the journal in ${source.path} ends with ${lastSequence}; give a sequence up to that, or none for everything`,
    )
  }
  const found = await findCut(folder, point)
  if (found === undefined) return { ...planOf(folder, endOf(last), undefined), leftOut: undefined }
  const { block, before, kept } = found
  const reached = block.header.baseSequence - 1 + kept.events
  const { events, timeUs } = kept.beyond
  const leftOut: LeftOut = {
    events: lastSequence - reached,
    timeUs,
    firstSequence: reached + 1,
    lastSequence: reached + events,
  }
  if (reached === 0) throw nothingKept(source, leftOut)
  const salt = folder.segments[block.header.segmentNumber - 1]?.header?.salt ?? 0
  const epoch = (last?.epoch ?? 0) + 1
  if (kept.transactions === 0) return { ...planOf(folder, before, undefined), leftOut }
  const { segmentNumber, fileOffset, blockNumber } = block.header
  const end = { segmentNumber, fileOffset, blockNumber: blockNumber - 1 }
  return { ...planOf(folder, end, encodePart(block, kept, epoch, salt)), leftOut }
}

interface Cut {
  readonly block: JournalBlock
  /** The end of the block before. */
  readonly before: CopyEnd
  readonly kept: KeptFrames
}

/** The frames at the start of a block that are kept. */
interface KeptFrames {
  readonly bytes: number
  readonly frames: number
  readonly events: number
  /** Without the journal's own frames. */
  readonly transactions: number
  /** The frame behind them. */
  readonly beyond: { readonly events: number; readonly timeUs: number }
}

/** The block shows its bytes as long as nobody reads on. */
async function findCut(folder: JournalFolder, point: CutPoint): Promise<Cut | undefined> {
  const reader = new JournalReader(folder.storage, { direct: true })
  const cursor = new FrameCursor()
  // So far back that the cut is not in the first block, unless that is the journal's first.
  const { sequence = 0 } = point
  const fromSequence = Math.max(0, sequence - TRANSACTION_EVENTS_MAX)
  let before = EMPTY_END
  for await (const block of reader.blocks({ fromSequence, fromSegmentStart: true })) {
    const kept = keepFrames(block, point, cursor)
    if (kept !== undefined) return { block, before, kept }
    before = endOf(block.header)
  }
  return undefined
}

/** Undefined: all of the block is kept. */
function keepFrames(
  { view, frameOffset, header }: JournalBlock,
  point: CutPoint,
  cursor: FrameCursor,
): KeptFrames | undefined {
  cursor.reset(view, frameOffset, header.payloadBytes)
  let [bytes, frames, events, transactions] = [0, 0, 0, 0]
  while (cursor.nextFrame()) {
    const { eventCount, timeUs } = cursor
    const isTransaction = cursor.commandType !== SYSTEM_COMMAND
    const lastSequence = header.baseSequence - 1 + events + eventCount
    const isBeyond =
      point.sequence === undefined
        ? isTransaction && timeUs > point.timeUs
        : eventCount > 0 && lastSequence > point.sequence
    if (isBeyond) {
      return { bytes, frames, events, transactions, beyond: { events: eventCount, timeUs } }
    }
    bytes += cursor.frameBytes
    frames++
    events += eventCount
    if (isTransaction) transactions++
  }
  return undefined
}

/** The kept frames as a block in the place of the one that they come from. */
function encodePart(
  { view, frameOffset, header }: JournalBlock,
  { bytes: payloadBytes, frames: frameCount, events: eventCount }: KeptFrames,
  epoch: number,
  salt: number,
): Uint8Array {
  const block = new Uint8Array(paddedBlockBytes(payloadBytes))
  const payload = new Uint8Array(view.buffer, view.byteOffset + frameOffset, payloadBytes)
  block.set(payload, BLOCK_HEADER_BYTES)
  const syncedThrough = header.blockNumber - 1
  const changed = { epoch, frameCount, eventCount, payloadBytes, syncedThrough }
  writeBlockHeader(block, { ...header, ...changed }, salt)
  return block
}

function nothingKept(source: Storage, { timeUs, lastSequence }: LeftOut): TidewheelError {
  return new TidewheelError(
    'INVALID_OPTION',
    `nothing of the journal in ${source.path} lies before that point: its first transaction has the events 1 to ${lastSequence}, of ${isoTime(timeUs)} (${timeUs} µs); give a sequence or a time from there on`,
  )
}

function isoTime(timeUs: number): string {
  return new Date(Math.floor(timeUs / 1000)).toISOString()
}
