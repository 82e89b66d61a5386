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
 * without looking at `problem`.
 */
import { alignWord, getU64 } from './layout.js'
import {
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
  RECORD_RESERVED,
  RECORD_SLOT,
  RECORD_TYPE,
  RECORD_VERSION,
  SEAL_RECORD,
  STREAM_OPENED_ID,
  STREAM_OPENED_ID_BYTES,
  STREAM_OPENED_RECORD,
} from './record-layout.js'

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
    if (this.endOffset > view.byteLength) this.fail('the frames reach past the end of the block')
  }

  nextFrame(): boolean {
    const { view, nextFrameOffset: offset, endOffset } = this
    if (offset === endOffset || this.problem !== '') return false
    if (endOffset - offset < FRAME_HEADER_BYTES) return this.fail('a frame header is cut off')
    const frameBytes = view.getUint32(offset + FRAME_LENGTH, true)
    if (frameBytes < FRAME_HEADER_BYTES) return this.fail('a frame is shorter than its header')
    if (frameBytes % 8 !== 0) return this.fail('the length of a frame is not a multiple of 8')
    if (frameBytes > endOffset - offset) return this.fail('a frame is longer than its block')
    this.frameOffset = offset
    this.frameBytes = frameBytes
    this.commandType = view.getUint16(offset + FRAME_COMMAND_TYPE, true)
    this.eventCount = view.getUint16(offset + FRAME_EVENT_COUNT, true)
    this.nextFrameOffset = offset + frameBytes
    this.nextRecordOffset = offset + FRAME_HEADER_BYTES
    return true
  }

  /** The next record of the current frame. */
  nextRecord(): boolean {
    const { view, nextRecordOffset: offset, nextFrameOffset: end } = this
    if (offset >= end || this.problem !== '') return false
    if (end - offset < RECORD_HEADER_BYTES) return this.fail('a record header is cut off')
    const recordBytes = view.getUint32(offset + RECORD_LENGTH, true)
    if (recordBytes < RECORD_HEADER_BYTES) return this.fail('a record is shorter than its header')
    if (recordBytes > end - offset) return this.fail('a record is longer than its frame')
    this.recordOffset = offset
    this.recordBytes = recordBytes
    this.recordType = view.getUint16(offset + RECORD_TYPE, true)
    this.slot = view.getUint32(offset + RECORD_SLOT, true)
    this.version = view.getUint32(offset + RECORD_VERSION, true)
    this.nextRecordOffset = offset + alignWord(recordBytes)
    return true
  }

  /** Microseconds since 1970. */
  get timeUs(): number {
    return getU64(this.view, this.frameOffset + FRAME_TIME)
  }

  /** Whether the current record is a domain event, which has a sequence. */
  get isEvent(): boolean {
    return this.recordType >= FIRST_CATALOGUED_TYPE
  }

  get payloadOffset(): number {
    return this.recordOffset + RECORD_HEADER_BYTES
  }

  get payloadBytes(): number {
    return this.recordBytes - RECORD_HEADER_BYTES
  }

  private fail(problem: string): false {
    this.problem = problem
    return false
  }
}

/**
 * What is wrong with the frames of a block, or '' when all is right: lengths add up, counts agree
 * with the header's, and every record of the journal's own types holds together.
 */
export function frameProblem(
  cursor: FrameCursor,
  view: DataView,
  frameOffset: number,
  payloadBytes: number,
  frameCount: number,
  eventCount: number,
): string {
  cursor.reset(view, frameOffset, payloadBytes)
  let frames = 0
  let events = 0
  while (cursor.nextFrame()) {
    frames++
    const commandType = cursor.commandType
    if (commandType === PADDING_COMMAND) return 'a padding frame, which belongs in the ring only'
    let frameEvents = 0
    while (cursor.nextRecord()) {
      if (cursor.recordType >= FIRST_CATALOGUED_TYPE) frameEvents++
      else {
        const problem = ownRecordProblem(cursor)
        if (problem !== '') return problem
      }
      if (cursor.recordType > LAST_CATALOGUED_TYPE) return 'a record of an impossible type'
      if (view.getUint16(cursor.recordOffset + RECORD_RESERVED, true) !== 0) {
        return 'reserved bytes of a record are not zero'
      }
    }
    if (frameEvents !== cursor.eventCount) return 'a frame states another number of events'
    events += frameEvents
  }
  if (cursor.problem !== '') return cursor.problem
  if (frames !== frameCount) return 'the block header states another number of frames'
  if (events !== eventCount) return 'the block header states another number of events'
  return ''
}

/** Checks a record of the journal's own types: those below the first catalogued one. */
function ownRecordProblem(cursor: FrameCursor): string {
  const { view, recordOffset, recordBytes, recordType } = cursor
  if (recordType === STREAM_OPENED_RECORD) {
    if (recordBytes < STREAM_OPENED_ID) return 'a stream-opened record is cut off'
    const idBytes = view.getUint16(recordOffset + STREAM_OPENED_ID_BYTES, true)
    if (idBytes > ID_BYTES_MAX) return 'the id of a stream-opened record is too long'
    return recordBytes === STREAM_OPENED_ID + idBytes
      ? ''
      : 'the id of a stream-opened record does not fill it'
  }
  if (recordType === KEYED_OUTCOME_RECORD) {
    if (recordBytes < KEYED_OUTCOME_TEXTS) return 'a keyed-outcome record is cut off'
    const keyBytes = view.getUint16(recordOffset + KEYED_OUTCOME_KEY_BYTES, true)
    const codeBytes = view.getUint16(recordOffset + KEYED_OUTCOME_CODE_BYTES, true)
    const kind = view.getUint8(recordOffset + KEYED_OUTCOME_KIND)
    const reserved = view.getUint8(recordOffset + KEYED_OUTCOME_RESERVED)
    if (kind > OUTCOME_ACCEPTED || reserved !== 0) return 'a keyed-outcome record of unknown kind'
    if (keyBytes > KEY_BYTES_MAX) return 'the key of a keyed-outcome record is too long'
    return KEYED_OUTCOME_TEXTS + keyBytes + codeBytes <= recordBytes
      ? ''
      : 'the key of a keyed-outcome record is longer than the record'
  }
  if (recordType === SEAL_RECORD) {
    return recordBytes === RECORD_HEADER_BYTES ? '' : 'a seal record has a payload'
  }
  return recordType === 0 || recordType > SEAL_RECORD ? 'a record of an unknown type' : ''
}
