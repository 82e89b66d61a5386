/**
 * Frames of the journal's own, outside the ring: the seal, and the count of those in a preamble.
 */
import { assert } from './errors.js'
import { setU64 } from './layout.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_TYPE,
  SEAL_RECORD,
  SYSTEM_COMMAND,
} from './record-layout.js'

const SEAL_FRAME_BYTES = FRAME_HEADER_BYTES + RECORD_HEADER_BYTES

/** `timeUs` is that of the frame before it: a seal is no news. */
export function encodeSealFrame(timeUs: number): Uint8Array {
  const bytes = new Uint8Array(SEAL_FRAME_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(FRAME_LENGTH, SEAL_FRAME_BYTES, true)
  view.setUint16(FRAME_COMMAND_TYPE, SYSTEM_COMMAND, true)
  setU64(view, FRAME_TIME, timeUs)
  view.setUint32(FRAME_HEADER_BYTES + RECORD_LENGTH, RECORD_HEADER_BYTES, true)
  view.setUint16(FRAME_HEADER_BYTES + RECORD_TYPE, SEAL_RECORD, true)
  return bytes
}

/** Counts the frames in `bytes`; none of them has events. */
export function countSystemFrames(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let count = 0
  let offset = 0
  while (offset < bytes.byteLength) {
    const lengthBytes = view.getUint32(offset + FRAME_LENGTH, true)
    assert(
      lengthBytes >= FRAME_HEADER_BYTES && lengthBytes % 8 === 0,
      'a frame has a header and ends on a word',
    )
    assert(
      view.getUint16(offset + FRAME_COMMAND_TYPE, true) === SYSTEM_COMMAND &&
        view.getUint16(offset + FRAME_EVENT_COUNT, true) === 0,
      'a system frame has no events',
    )
    offset += lengthBytes
    count += 1
  }
  assert(offset === bytes.byteLength, 'whole frames')
  return count
}
