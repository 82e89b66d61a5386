/**
 * State and events of transfers, by hand: what the limits of all ledgers have in common once the ids
 * are slots. A slot has the 16 bytes that the engine gives it: version, and an `int` balance.
 *
 *   frame of 64 bytes: header 16 │ debited: header 16, amount 8 │ credited: header 16, amount 8
 */
import { touchWords } from '../../engine/memory/touch.js'
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
import { INITIAL_BALANCE } from '../transfer-workload.js'

const RECORD_BYTES = RECORD_HEADER_BYTES + Float64Array.BYTES_PER_ELEMENT
const DEBIT = FRAME_HEADER_BYTES
const CREDIT = FRAME_HEADER_BYTES + RECORD_BYTES
export const TRANSFER_BYTES = FRAME_HEADER_BYTES + 2 * RECORD_BYTES

const TRANSFER = 19
const DEBITED = 17
const CREDITED = 18

const SLOT_WORDS = 4
const SLOT_DOUBLES = 2

export class TransferSlab {
  private readonly versions: Int32Array
  private readonly doubles: Float64Array
  private readonly accounts: number
  /** Keeps the touching loop from being optimised away. */
  touched = 0

  constructor(accounts: number) {
    this.accounts = accounts
    this.versions = new Int32Array((accounts + 1) * SLOT_WORDS)
    this.doubles = new Float64Array(this.versions.buffer)
    for (let slot = 1; slot <= accounts; slot++) {
      this.versions[slot * SLOT_WORDS] = 1
      this.doubles[slot * SLOT_DOUBLES + 1] = INITIAL_BALANCE
    }
  }

  touch(slots: Int32Array, count: number): void {
    this.touched = touchWords(this.versions, slots, count, SLOT_WORDS)
  }

  /** Decides, writes the frame at `o`, and evolves out of its bytes. */
  transfer(
    view: DataView,
    o: number,
    from: number,
    to: number,
    amount: number,
    timeUs: number,
    frameBytes: number,
  ): void {
    const { versions, doubles } = this
    if (doubles[from * SLOT_DOUBLES + 1]! < amount) throw new Error('insufficient funds')
    view.setUint32(o + FRAME_LENGTH, frameBytes, true)
    view.setUint16(o + FRAME_COMMAND_TYPE, TRANSFER, true)
    view.setUint16(o + FRAME_EVENT_COUNT, 2, true)
    setU64(view, o + FRAME_TIME, timeUs)
    view.setUint32(o + DEBIT + RECORD_LENGTH, RECORD_BYTES, true)
    // The type, and the upper 16 bits of a version that never gets so far.
    view.setUint32(o + DEBIT + RECORD_TYPE, DEBITED, true)
    view.setUint32(o + DEBIT + RECORD_SLOT, from, true)
    view.setUint32(o + DEBIT + RECORD_VERSION, ++versions[from * SLOT_WORDS]!, true)
    view.setFloat64(o + DEBIT + RECORD_HEADER_BYTES, amount, true)
    view.setUint32(o + CREDIT + RECORD_LENGTH, RECORD_BYTES, true)
    view.setUint32(o + CREDIT + RECORD_TYPE, CREDITED, true)
    view.setUint32(o + CREDIT + RECORD_SLOT, to, true)
    view.setUint32(o + CREDIT + RECORD_VERSION, ++versions[to * SLOT_WORDS]!, true)
    view.setFloat64(o + CREDIT + RECORD_HEADER_BYTES, amount, true)
    doubles[from * SLOT_DOUBLES + 1]! -= view.getFloat64(o + DEBIT + RECORD_HEADER_BYTES, true)
    doubles[to * SLOT_DOUBLES + 1]! += view.getFloat64(o + CREDIT + RECORD_HEADER_BYTES, true)
  }

  /** That `transfers` were made, and no money came or went. */
  verify(transfers: number): void {
    let sum = 0
    let events = 0
    for (let slot = 1; slot <= this.accounts; slot++) {
      sum += this.doubles[slot * SLOT_DOUBLES + 1]!
      events += this.versions[slot * SLOT_WORDS]! - 1
    }
    if (sum !== this.accounts * INITIAL_BALANCE) throw new Error(`the balances add up to ${sum}`)
    if (events !== 2 * transfers) throw new Error(`${events} events of ${transfers} transfers`)
  }
}
