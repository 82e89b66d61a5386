/**
 * The record that keeps the answer to a command with an idempotency key (record-layout.ts): written
 * last in its frame, also when there are no events, and read by the applier, live and at replay.
 */
import { alignWord } from '../journal/layout.js'
import {
  KEYED_OUTCOME_CODE_BYTES,
  KEYED_OUTCOME_HASH,
  KEYED_OUTCOME_KEY_BYTES,
  KEYED_OUTCOME_KIND,
  KEYED_OUTCOME_RECORD,
  KEYED_OUTCOME_RESERVED,
  KEYED_OUTCOME_TEXTS,
  OUTCOME_ACCEPTED,
  OUTCOME_REJECTED,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
} from '../journal/record-layout.js'
import { writeRecordVersion } from '../journal/record-version.js'
import { bytesOver, readText } from '../journal/schema/text-bytes.js'
import type { KeyTable } from './memory/key-table.js'

/** Where a key lies, and the hash of the command that came with it. */
export interface CommandKey {
  view: DataView
  bytes: Uint8Array
  offset: number
  lengthBytes: number
  hashLow: number
  hashHigh: number
}

/** Bytes of the record, with the zeros behind it. */
export function keyedOutcomeBytes(
  keyBytes: number,
  codeBytes: number,
  detailBytes: number,
): number {
  return alignWord(KEYED_OUTCOME_TEXTS + keyBytes + codeBytes + detailBytes)
}

/** Returns the offset behind the record. `code` and `detail` are empty when accepted. */
export function writeKeyedOutcome(
  view: DataView,
  bytes: Uint8Array,
  offset: number,
  key: CommandKey,
  accepted: boolean,
  code: Uint8Array,
  detail: Uint8Array,
): number {
  const texts = offset + KEYED_OUTCOME_TEXTS
  const end = texts + key.lengthBytes + code.length + detail.length
  view.setUint32(offset + RECORD_LENGTH, end - offset, true)
  view.setUint16(offset + RECORD_TYPE, KEYED_OUTCOME_RECORD, true)
  view.setUint32(offset + RECORD_SLOT, 0, true)
  writeRecordVersion(view, offset, 0)
  view.setUint32(offset + KEYED_OUTCOME_HASH, key.hashLow, true)
  view.setUint32(offset + KEYED_OUTCOME_HASH + 4, key.hashHigh, true)
  view.setUint8(offset + KEYED_OUTCOME_KIND, accepted ? OUTCOME_ACCEPTED : OUTCOME_REJECTED)
  view.setUint8(offset + KEYED_OUTCOME_RESERVED, 0)
  view.setUint16(offset + KEYED_OUTCOME_KEY_BYTES, key.lengthBytes, true)
  view.setUint16(offset + KEYED_OUTCOME_CODE_BYTES, code.length, true)
  for (let i = 0; i < key.lengthBytes; i++) bytes[texts + i] = key.bytes[key.offset + i]!
  bytes.set(code, texts + key.lengthBytes)
  bytes.set(detail, texts + key.lengthBytes + code.length)
  const aligned = offset + alignWord(end - offset)
  for (let i = end; i < aligned; i++) bytes[i] = 0
  return aligned
}

/** Puts the record at `offset` into the table of keys. */
export function rememberOutcome(
  keys: KeyTable,
  view: DataView,
  offset: number,
  sequence: number,
  eventCount: number,
  timeUs: number,
): void {
  const key = offset + KEYED_OUTCOME_TEXTS
  const keyBytes = view.getUint16(offset + KEYED_OUTCOME_KEY_BYTES, true)
  const low = view.getUint32(offset + KEYED_OUTCOME_HASH, true)
  const high = view.getUint32(offset + KEYED_OUTCOME_HASH + 4, true)
  if (view.getUint8(offset + KEYED_OUTCOME_KIND) === OUTCOME_ACCEPTED) {
    keys.addAccepted(view, key, keyBytes, low, high, sequence, eventCount, timeUs)
    return
  }
  const bytes = bytesOver(view)
  const code = key + keyBytes
  const detail = code + view.getUint16(offset + KEYED_OUTCOME_CODE_BYTES, true)
  const end = offset + view.getUint32(offset + RECORD_LENGTH, true)
  const codeText = readText(bytes, code, detail)
  const detailBytes = bytes.subarray(detail, end)
  keys.addRejected(view, key, keyBytes, low, high, sequence, timeUs, codeText, detailBytes)
}
