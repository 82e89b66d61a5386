/** Writes frames of several records, by hand, one after the other. */
import { setU64 } from '../../journal/layout.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  RECORD_VERSION,
} from '../../journal/record-layout.js'

export class FrameWriter {
  readonly view: DataView
  /** Of the frame. */
  offset = 0
  eventCount = 0
  private record = 0

  constructor(view: DataView) {
    this.view = view
  }

  begin(offset: number): void {
    this.offset = offset
    this.record = offset + FRAME_HEADER_BYTES
    this.eventCount = 0
  }

  /** Begins an event and returns where its payload of whole words goes. */
  event(type: number, slot: number, version: number, payloadBytes: number): number {
    this.eventCount++
    return this.put(type, slot, version, payloadBytes)
  }

  /** The same for a record that is no event. */
  put(type: number, slot: number, version: number, payloadBytes: number): number {
    const { view, record } = this
    view.setUint32(record + RECORD_LENGTH, RECORD_HEADER_BYTES + payloadBytes, true)
    // With the upper 16 bits of a version that never gets so far.
    view.setUint32(record + RECORD_TYPE, type, true)
    view.setUint32(record + RECORD_SLOT, slot, true)
    view.setUint32(record + RECORD_VERSION, version, true)
    this.record = record + RECORD_HEADER_BYTES + ((payloadBytes + 7) & -8)
    return record + RECORD_HEADER_BYTES
  }

  /** Returns where the next frame begins. */
  end(command: number, timeUs: number): number {
    const { view, offset, record } = this
    view.setUint32(offset + FRAME_LENGTH, record - offset, true)
    view.setUint16(offset + FRAME_COMMAND_TYPE, command, true)
    view.setUint16(offset + FRAME_EVENT_COUNT, this.eventCount, true)
    setU64(view, offset + FRAME_TIME, timeUs)
    return record
  }
}
