/**
 * The stream version in a record's header (record-layout.ts): which event of its stream the record
 * is, from 1 to STREAM_VERSION_MAX; 0 in the journal's own records. Its high part lies apart from
 * the low one, in what was free of the header.
 */
import { getU48, setU48 } from './layout.js'
import { RECORD_VERSION, RECORD_VERSION_HIGH } from './record-layout.js'

/** `record`: offset of the record. */
export function readRecordVersion(view: DataView, record: number): number {
  return getU48(view, record + RECORD_VERSION, record + RECORD_VERSION_HIGH)
}

/** `record`: offset of the record. `version`: at most STREAM_VERSION_MAX, which the caller checks. */
export function writeRecordVersion(view: DataView, record: number, version: number): void {
  setU48(view, record + RECORD_VERSION, record + RECORD_VERSION_HIGH, version)
}
