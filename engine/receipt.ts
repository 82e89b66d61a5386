/** Receipts: the answers to commands, as users see them and as they lie in a receipt ring. */
import { OUTCOME_ACCEPTED, OUTCOME_REJECTED } from '../journal/record-layout.js'
import { decodePlainData } from '../journal/schema/plain-data.js'
import {
  RECEIPT_ACCEPTED_BYTES,
  RECEIPT_BYTES_MAX,
  RECEIPT_CODE_BYTES,
  RECEIPT_COUNT,
  RECEIPT_DETAIL_BYTES,
  RECEIPT_EVENT_COUNT,
  RECEIPT_FLAG_REPEATED,
  RECEIPT_FLAGS,
  RECEIPT_OUTCOME,
  RECEIPT_SEQUENCE,
  RECEIPT_TEXTS,
  RECEIPT_TIME,
} from './receipt-layout.js'
import type { RingConsumer, RingProducer } from './ring/byte-ring.js'

/** Codes that the engine itself rejects with; all others are the domain's. */
export type EngineRejection =
  | 'HANDLER_FAILED'
  | 'EVOLVE_FAILED'
  | 'CAPACITY_EXCEEDED'
  | 'KEY_REUSED'
  | 'TRANSACTION_TOO_LARGE'
  | 'INVALID_COMMAND'

interface ReceiptBase {
  /** Counts the producer's commands from 1. */
  readonly ticket: number
  /**
   * Sequence of the command's last event; without events, the last sequence that the answer was
   * decided on.
   */
  readonly sequence: number
  /** Journal time in microseconds since 1970. */
  readonly time: number
  /** The same key was answered before: this is that answer, and nothing happened now. */
  readonly repeated: boolean
}

export interface AcceptedReceipt extends ReceiptBase {
  readonly accepted: true
  /** How many events the command made; the first has sequence `sequence − eventCount + 1`. */
  readonly eventCount: number
}

export interface RejectedReceipt extends ReceiptBase {
  readonly accepted: false
  readonly code: EngineRejection | (string & {})
  readonly detail?: unknown
}

export type Receipt = AcceptedReceipt | RejectedReceipt

const utf8 = new TextDecoder('utf-8')

/** One receipt after the other, without allocating: valid inside the callback that got it. */
export class ReceiptView {
  /** Ticket of the receipt that the view stands on. */
  ticket = 0
  private last = 0
  private offset = 0
  /** Of the run of accepted commands that the view stands in: its place there, and how many follow. */
  private runIndex = 0
  private runRest = 0
  private readonly ring: RingConsumer

  constructor(ring: RingConsumer) {
    this.ring = ring
  }

  /** Moves to the next receipt; false behind the last. */
  next(): boolean {
    if (this.ticket >= this.last) return false
    if (this.runRest > 0) {
      this.runRest--
      this.runIndex++
    } else if (!this.nextRecord()) return false
    this.ticket++
    return true
  }

  get accepted(): boolean {
    return this.ring.view.getUint8(this.offset + RECEIPT_OUTCOME) === OUTCOME_ACCEPTED
  }

  get repeated(): boolean {
    return (this.ring.view.getUint8(this.offset + RECEIPT_FLAGS) & RECEIPT_FLAG_REPEATED) !== 0
  }

  get eventCount(): number {
    return this.ring.view.getUint16(this.offset + RECEIPT_EVENT_COUNT, true)
  }

  get sequence(): number {
    const first = this.ring.view.getFloat64(this.offset + RECEIPT_SEQUENCE, true)
    return first + this.runIndex * this.eventCount
  }

  get time(): number {
    return this.ring.view.getFloat64(this.offset + RECEIPT_TIME, true)
  }

  /** Why the command was rejected; empty for an accepted one. */
  get code(): string {
    if (this.accepted) return ''
    const { view, bytes } = this.ring
    const start = this.offset + RECEIPT_TEXTS
    const lengthBytes = view.getUint32(this.offset + RECEIPT_CODE_BYTES, true)
    return utf8.decode(bytes.slice(start, start + lengthBytes))
  }

  get detail(): unknown {
    if (this.accepted) return undefined
    const { view, bytes } = this.ring
    const lengthBytes = view.getUint32(this.offset + RECEIPT_DETAIL_BYTES, true)
    if (lengthBytes === 0) return undefined
    const codeBytes = view.getUint32(this.offset + RECEIPT_CODE_BYTES, true)
    const start = this.offset + RECEIPT_TEXTS + codeBytes
    return decodePlainData(bytes.slice(start, start + lengthBytes))
  }

  toReceipt(): Receipt {
    const { ticket, sequence, time, repeated } = this
    if (this.accepted) {
      return { accepted: true, ticket, sequence, time, repeated, eventCount: this.eventCount }
    }
    const { code, detail } = this
    const rejected = { accepted: false as const, ticket, sequence, time, repeated, code }
    return detail === undefined ? rejected : { ...rejected, detail }
  }

  /** The port's: the ring's next receipt is the one after `ticket`; those up to `last` follow. */
  $span(ticket: number, last: number): void {
    this.ticket = ticket
    this.last = last
    this.runIndex = 0
    this.runRest = 0
  }

  /** The port's: the ring holds more answers than the span. */
  get $isInRun(): boolean {
    return this.runRest > 0
  }

  private get runLength(): number {
    return this.ring.view.getUint32(this.offset + RECEIPT_COUNT, true)
  }

  private nextRecord(): boolean {
    const { ring } = this
    const offset = ring.next()
    if (offset < 0) return false
    this.offset = offset
    this.runIndex = 0
    this.runRest = 0
    const { accepted } = this
    const lengthBytesMin = accepted ? RECEIPT_ACCEPTED_BYTES : RECEIPT_TEXTS
    const count = ring.lengthBytes < lengthBytesMin ? 0 : accepted ? this.runLength : 1
    if (count === 0) {
      ring.condemn()
      return false
    }
    this.runRest = count - 1
    return true
  }
}

/**
 * Answers `count` commands without publishing it; `sequence` is the first one's. The lane has checked
 * that there is room.
 */
export function writeAccepted(
  ring: RingProducer,
  count: number,
  eventCount: number,
  sequence: number,
  time: number,
  flags: number,
): void {
  const offset = ring.claim(RECEIPT_BYTES_MAX)
  const { view } = ring
  view.setUint8(offset + RECEIPT_OUTCOME, OUTCOME_ACCEPTED)
  view.setUint8(offset + RECEIPT_FLAGS, flags)
  view.setUint16(offset + RECEIPT_EVENT_COUNT, eventCount, true)
  view.setFloat64(offset + RECEIPT_SEQUENCE, sequence, true)
  view.setFloat64(offset + RECEIPT_TIME, time, true)
  view.setUint32(offset + RECEIPT_COUNT, count, true)
  ring.append(RECEIPT_ACCEPTED_BYTES)
}

/** Answers one command. `code` and `detail` are UTF-8 and msgpack, within the limits of receipt-layout.ts. */
export function writeRejected(
  ring: RingProducer,
  code: Uint8Array,
  detail: Uint8Array,
  sequence: number,
  time: number,
  flags: number,
): void {
  const offset = ring.claim(RECEIPT_BYTES_MAX)
  const { view, bytes } = ring
  view.setUint8(offset + RECEIPT_OUTCOME, OUTCOME_REJECTED)
  view.setUint8(offset + RECEIPT_FLAGS, flags)
  view.setUint16(offset + RECEIPT_EVENT_COUNT, 0, true)
  view.setFloat64(offset + RECEIPT_SEQUENCE, sequence, true)
  view.setFloat64(offset + RECEIPT_TIME, time, true)
  view.setUint32(offset + RECEIPT_CODE_BYTES, code.length, true)
  view.setUint32(offset + RECEIPT_DETAIL_BYTES, detail.length, true)
  bytes.set(code, offset + RECEIPT_TEXTS)
  bytes.set(detail, offset + RECEIPT_TEXTS + code.length)
  ring.append(RECEIPT_TEXTS + code.length + detail.length)
}
