/**
 * Walks the frames and records of a block (record-layout.ts) without allocating. The bytes may come
 * from anyone: no length is followed before it is known to stay inside, so damaged bytes end the
 * walk, with `problem` set, and never lead outside or into an endless loop.
 *
 *   cursor.reset(view, frameOffset, payloadBytes)
 *   while (cursor.nextFrame()) {
 *     while (cursor.nextRecord()) { … cursor.recordType, cursor.slot, cursor.payloadOffset … }
 *   }
 *   if (cursor.problem !== '') …
 *
 * {@link frameProblem} checks all of a block at once. What passed it can be walked with the cursor
 * without looking at `problem`: recovery and readers hand out such blocks only.
 */
import { getU64 } from './layout.js'
import {
  CATALOGUE_RECORD,
  FIRST_CATALOGUED_TYPE,
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  ID_BYTES_MAX,
  KEY_BYTES_MAX,
  KEYED_OUTCOME_CODE_BYTES,
  KEYED_OUTCOME_KEY_BYTES,
  KEYED_OUTCOME_KIND,
  KEYED_OUTCOME_RECORD,
  KEYED_OUTCOME_RESERVED,
  KEYED_OUTCOME_TEXTS,
  LAST_CATALOGUED_TYPE,
  OUTCOME_ACCEPTED,
  PADDING_COMMAND,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  SEAL_RECORD,
  STREAM_OPENED_ID,
  STREAM_OPENED_ID_BYTES,
  STREAM_OPENED_RECORD,
} from './record-layout.js'
import { readRecordVersion } from './record-version.js'

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const FRAME_HEADER = FRAME_HEADER_BYTES
const FRAME_LENGTH_AT = FRAME_LENGTH
const FRAME_COMMAND_AT = FRAME_COMMAND_TYPE
const FRAME_COUNT_AT = FRAME_EVENT_COUNT
const RECORD_HEADER = RECORD_HEADER_BYTES
const RECORD_LENGTH_AT = RECORD_LENGTH
const RECORD_TYPE_AT = RECORD_TYPE
const RECORD_SLOT_AT = RECORD_SLOT
const FIRST_EVENT = FIRST_CATALOGUED_TYPE
const LAST_EVENT = LAST_CATALOGUED_TYPE
const PADDING = PADDING_COMMAND
const readVersion = readRecordVersion

// What can be wrong, as it follows 'the block holds'.
const OUTSIDE_BLOCK = 'frames that reach past its end'
const FRAME_HEADER_CUT = 'a frame whose header is cut off'
const FRAME_TOO_SHORT = 'a frame that is shorter than its header'
const FRAME_UNALIGNED = 'a frame whose length is not a multiple of 8'
const FRAME_TOO_LONG = 'a frame that is longer than the block'
const PADDING_FRAME = 'a padding frame, which belongs in the ring only'
const FRAME_EVENTS_DIFFER = 'a frame that states another number of events than it has'
const RECORD_HEADER_CUT = 'a record whose header is cut off'
const RECORD_TOO_SHORT = 'a record that is shorter than its header'
const RECORD_TOO_LONG = 'a record that is longer than its frame'
const OWN_RECORD_VERSION = 'a stream version in a record that is no event'

const NO_VIEW = new DataView(new ArrayBuffer(0))

/** A flyweight over the frame and the record that it stands on. */
export class FrameCursor {
  view: DataView = NO_VIEW
  /** Why the walk ended before the end of the block; '' while nothing is wrong. */
  problem = ''

  frameOffset = 0
  frameBytes = 0
  commandType = 0
  /** As the frame states it. */
  eventCount = 0

  recordOffset = 0
  /** Exact; the next record starts at the next multiple of 8. */
  recordBytes = 0
  recordType = 0
  slot = 0
  /** Of the event in its stream: a safe integer. */
  version = 0

  private nextFrameOffset = 0
  private nextRecordOffset = 0
  private endOffset = 0

  /** Stands before the first frame of a block whose frames begin at `offset`. */
  reset(view: DataView, offset: number, payloadBytes: number): void {
    this.view = view
    this.problem = ''
    this.frameOffset = offset
    this.frameBytes = 0
    this.nextFrameOffset = offset
    this.nextRecordOffset = offset
    this.endOffset = offset + payloadBytes
    if (this.endOffset > view.byteLength) this.fail(OUTSIDE_BLOCK)
  }

  nextFrame(): boolean {
    const { view, nextFrameOffset: offset, endOffset } = this
    if (offset === endOffset || this.problem !== '') return false
    if (endOffset - offset < FRAME_HEADER) return this.fail(FRAME_HEADER_CUT)
    const frameBytes = view.getUint32(offset + FRAME_LENGTH_AT, true)
    if (frameBytes < FRAME_HEADER) return this.fail(FRAME_TOO_SHORT)
    if ((frameBytes & 7) !== 0) return this.fail(FRAME_UNALIGNED)
    if (frameBytes > endOffset - offset) return this.fail(FRAME_TOO_LONG)
    this.frameOffset = offset
    this.frameBytes = frameBytes
    this.commandType = view.getUint16(offset + FRAME_COMMAND_AT, true)
    this.eventCount = view.getUint16(offset + FRAME_COUNT_AT, true)
    this.nextFrameOffset = offset + frameBytes
    this.nextRecordOffset = offset + FRAME_HEADER
    return true
  }

  /** The next record of the current frame. */
  nextRecord(): boolean {
    const { view, nextRecordOffset: offset, nextFrameOffset: end } = this
    if (offset >= end || this.problem !== '') return false
    if (end - offset < RECORD_HEADER) return this.fail(RECORD_HEADER_CUT)
    const recordBytes = view.getUint32(offset + RECORD_LENGTH_AT, true)
    if (recordBytes < RECORD_HEADER) return this.fail(RECORD_TOO_SHORT)
    if (recordBytes > end - offset) return this.fail(RECORD_TOO_LONG)
    this.recordOffset = offset
    this.recordBytes = recordBytes
    this.recordType = view.getUint16(offset + RECORD_TYPE_AT, true)
    this.slot = view.getUint32(offset + RECORD_SLOT_AT, true)
    this.version = readVersion(view, offset)
    this.nextRecordOffset = offset + ((recordBytes + 7) & ~7)
    return true
  }

  /** Microseconds since 1970. */
  get timeUs(): number {
    return getU64(this.view, this.frameOffset + FRAME_TIME)
  }

  /** Whether the current record is a domain event, which has a sequence. */
  get isEvent(): boolean {
    return this.recordType >= FIRST_EVENT
  }

  get payloadOffset(): number {
    return this.recordOffset + RECORD_HEADER
  }

  get payloadBytes(): number {
    return this.recordBytes - RECORD_HEADER
  }

  private fail(problem: string): false {
    this.problem = problem
    return false
  }
}

/**
 * What is wrong with the frames of a block, or '' when all is right: lengths add up, counts agree
 * with the header's, and every record of the journal's own types holds together.
 *
 * Every event passes here when a journal is opened, so it is one loop over locals.
 */
export function frameProblem(
  view: DataView,
  frameOffset: number,
  payloadBytes: number,
  frameCount: number,
  eventCount: number,
): string {
  const end = frameOffset + payloadBytes
  if (end > view.byteLength) return OUTSIDE_BLOCK
  let frames = 0
  let events = 0
  for (let frame = frameOffset; frame < end; frames++) {
    if (end - frame < FRAME_HEADER) return FRAME_HEADER_CUT
    const frameBytes = view.getUint32(frame + FRAME_LENGTH_AT, true)
    if (frameBytes < FRAME_HEADER) return FRAME_TOO_SHORT
    if ((frameBytes & 7) !== 0) return FRAME_UNALIGNED
    if (frameBytes > end - frame) return FRAME_TOO_LONG
    if (view.getUint16(frame + FRAME_COMMAND_AT, true) === PADDING) return PADDING_FRAME
    const frameEnd = frame + frameBytes
    let frameEvents = 0
    for (let record = frame + FRAME_HEADER; record < frameEnd; ) {
      if (frameEnd - record < RECORD_HEADER) return RECORD_HEADER_CUT
      const recordBytes = view.getUint32(record + RECORD_LENGTH_AT, true)
      if (recordBytes < RECORD_HEADER) return RECORD_TOO_SHORT
      if (recordBytes > frameEnd - record) return RECORD_TOO_LONG
      const type = view.getUint16(record + RECORD_TYPE_AT, true)
      if (type >= FIRST_EVENT && type <= LAST_EVENT) frameEvents++
      else {
        const problem = ownRecordProblem(view, record, recordBytes, type)
        if (problem !== '') return problem
      }
      record += (recordBytes + 7) & ~7
    }
    if (frameEvents !== view.getUint16(frame + FRAME_COUNT_AT, true)) return FRAME_EVENTS_DIFFER
    events += frameEvents
    frame = frameEnd
  }
  if (frames !== frameCount) return 'another number of frames than its header states'
  if (events !== eventCount) return 'another number of events than its header states'
  return ''
}

/** Checks a record that is no event. Its length is known to stay inside. */
function ownRecordProblem(
  view: DataView,
  recordOffset: number,
  recordBytes: number,
  recordType: number,
): string {
  if (readRecordVersion(view, recordOffset) !== 0) return OWN_RECORD_VERSION
  if (recordType === STREAM_OPENED_RECORD) {
    if (recordBytes < STREAM_OPENED_ID) return 'a stream-opened record that is cut off'
    const idBytes = view.getUint16(recordOffset + STREAM_OPENED_ID_BYTES, true)
    if (idBytes > ID_BYTES_MAX) return 'a stream-opened record whose id is too long'
    return recordBytes === STREAM_OPENED_ID + idBytes
      ? ''
      : 'a stream-opened record that its id does not fill'
  }
  if (recordType === KEYED_OUTCOME_RECORD) {
    if (recordBytes < KEYED_OUTCOME_TEXTS) return 'a keyed-outcome record that is cut off'
    const keyBytes = view.getUint16(recordOffset + KEYED_OUTCOME_KEY_BYTES, true)
    const codeBytes = view.getUint16(recordOffset + KEYED_OUTCOME_CODE_BYTES, true)
    const kind = view.getUint8(recordOffset + KEYED_OUTCOME_KIND)
    const reserved = view.getUint8(recordOffset + KEYED_OUTCOME_RESERVED)
    if (kind > OUTCOME_ACCEPTED || reserved !== 0) return 'a keyed-outcome record of unknown kind'
    if (keyBytes > KEY_BYTES_MAX) return 'a keyed-outcome record whose key is too long'
    return KEYED_OUTCOME_TEXTS + keyBytes + codeBytes <= recordBytes
      ? ''
      : 'a keyed-outcome record that is shorter than its key'
  }
  if (recordType === SEAL_RECORD) {
    return recordBytes === RECORD_HEADER_BYTES ? '' : 'a seal record with a payload'
  }
  return recordType === CATALOGUE_RECORD ? '' : 'a record of an unknown type'
}
