/** Frames with a meaning, for the tests of the journaler: preambles, and seals recognised. */
import {
  FRAME_COMMAND_TYPE,
  FRAME_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_TYPE,
  SEAL_RECORD,
  SYSTEM_COMMAND,
} from '../../journal/record-layout.js'
import { makeFrame, type ParsedBlock } from './writing-harness.js'

export function makePreamble(...lengths: number[]): Uint8Array {
  const frames = lengths.map((lengthBytes, index) => {
    const frame = makeFrame(lengthBytes, 0, 1000 + index)
    new DataView(frame.buffer).setUint16(FRAME_COMMAND_TYPE, SYSTEM_COMMAND, true)
    return frame
  })
  return new Uint8Array(Buffer.concat(frames))
}

/** What the journaler writes when nothing has come for a while. */
export function isSeal(block: ParsedBlock): boolean {
  const view = new DataView(block.payload.buffer, block.payload.byteOffset)
  const isOneRecord = block.payload.byteLength === FRAME_HEADER_BYTES + RECORD_HEADER_BYTES
  return isOneRecord && view.getUint16(FRAME_HEADER_BYTES + RECORD_TYPE, true) === SEAL_RECORD
}
