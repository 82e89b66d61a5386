/**
 * The limit of the exchange: the same orders on flat books (flat-book.ts), matched in one loop that
 * writes the events as the engine would and changes the book as it goes.
 *
 *   frame:  header 16 │ traded: header 16, 48 │ … │ rested: header 16, 32 │ or cancelled: header 16, 16
 *
 * Included: looking an order up, also to refuse a second one with its id; matching by price and time;
 * all events with their bytes and versions; the journal. Left out: what transfer-limit.ts leaves out,
 * and the book is chosen by number where the engine finds it by its name.
 */
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
import type { Contender } from '../benchmark.js'
import { type OrderOptions, OrderTape } from '../order-tape.js'
import { FlatBook } from './flat-book.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'

const BATCH = 256
/** Of a batch: five times what it takes on average. */
const BATCH_BYTES_MAX = 128 * 1024

const PLACE = 23
const CANCEL = 25
const RESTED = 17
const TRADED = 18
const CANCELLED = 20

const TRADED_BYTES = RECORD_HEADER_BYTES + 48
const RESTED_BYTES = RECORD_HEADER_BYTES + 32
const CANCELLED_BYTES = RECORD_HEADER_BYTES + 16

export async function prepare(options: OrderOptions): Promise<Contender<number>> {
  const journal = await LimitJournal.start(options.directory)
  const loop = new OrderLoop(journal, options)
  return limitContender(journal, loop, options.commands, options.warmUp)
}

class OrderLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly tape: OrderTape
  private readonly exchange: FlatExchange
  private commands = 0

  constructor(journal: LimitJournal, options: OrderOptions) {
    this.journal = journal
    this.tape = new OrderTape(options)
    this.exchange = new FlatExchange(options.books, journal.view)
  }

  plan(commands: number): void {
    this.tape.plan(commands)
  }

  /** Returns when all of them are on disk. */
  run(commands: number): void {
    const { journal, exchange, tape } = this
    for (let done = 0; done < commands; done += BATCH) {
      const end = Math.min(done + BATCH, commands)
      const start = journal.makeRoom(BATCH_BYTES_MAX)
      exchange.run(tape, done, end, start)
      const lengthBytes = exchange.offset - start
      if (lengthBytes > BATCH_BYTES_MAX) throw new Error('a batch is longer than its room')
      journal.publish(lengthBytes)
    }
    journal.drain()
    this.commands += commands
  }

  verify(): void {
    const { accepted, rejected } = this.exchange
    if (accepted + rejected !== this.commands) throw new Error('commands are missing')
  }
}

/** All books; also what the engine's books are compared with. */
export class FlatExchange {
  accepted = 0
  rejected = 0
  /** Where the next frame goes. */
  offset = 0
  readonly books: readonly FlatBook[]
  private readonly view: DataView
  /** Of the frame that is being written. */
  private record = 0
  private eventCount = 0

  constructor(books: number, view: DataView) {
    this.books = Array.from({ length: books }, () => new FlatBook())
    this.view = view
  }

  /** Runs the commands of the tape from `from` up to `to`; frames go to `offset` and on. */
  run(tape: OrderTape, from: number, to: number, offset: number): void {
    const timeUs = Date.now() * 1000
    this.offset = offset
    for (let i = from; i < to; i++) {
      const slot = tape.book[i]!
      const order = tape.order[i]!
      this.record = this.offset + FRAME_HEADER_BYTES
      this.eventCount = 0
      const isPlace = tape.places[i] === 1
      if (isPlace) this.place(slot, order, tape.buys[i]!, tape.price[i]!, tape.quantity[i]!)
      else this.cancel(slot, order)
      if (this.eventCount === 0) {
        this.rejected++
        continue
      }
      this.accepted++
      this.endFrame(isPlace ? PLACE : CANCEL, timeUs)
    }
  }

  private place(slot: number, id: number, isBuy: number, price: number, quantity: number): void {
    const book = this.books[slot]!
    if (quantity <= 0 || price <= 0 || book.find(id) !== 0) return
    const { view } = this
    let left = quantity
    for (let maker = book.best(isBuy); left > 0 && maker !== 0; maker = book.best(isBuy)) {
      const makerPrice = book.prices[maker]!
      if (isBuy === 1 ? makerPrice > price : makerPrice < price) break
      const traded = Math.min(left, book.quantities[maker]!)
      left -= traded
      const o = this.beginRecord(TRADED, TRADED_BYTES, slot, book)
      view.setFloat64(o, book.ids[maker]!, true)
      view.setFloat64(o + 8, id, true)
      view.setFloat64(o + 16, makerPrice, true)
      view.setFloat64(o + 24, traded, true)
      view.setFloat64(o + 32, left, true)
      // The taker's side, and zeros to the end of the word.
      setU64(view, o + 40, 1 - isBuy)
      book.reduce(maker, view.getFloat64(o + 24, true))
    }
    if (left === 0) return
    const o = this.beginRecord(RESTED, RESTED_BYTES, slot, book)
    view.setFloat64(o, id, true)
    view.setFloat64(o + 8, price, true)
    view.setFloat64(o + 16, left, true)
    setU64(view, o + 24, 1 - isBuy)
    book.rest(id, isBuy, view.getFloat64(o + 8, true), view.getFloat64(o + 16, true))
  }

  private cancel(slot: number, id: number): void {
    const book = this.books[slot]!
    const order = book.find(id)
    if (order === 0) return
    const o = this.beginRecord(CANCELLED, CANCELLED_BYTES, slot, book)
    this.view.setFloat64(o, id, true)
    this.view.setFloat64(o + 8, book.quantities[order]!, true)
    book.remove(order)
  }

  /** Returns where the payload goes. */
  private beginRecord(type: number, lengthBytes: number, slot: number, book: FlatBook): number {
    const { view, record } = this
    view.setUint32(record + RECORD_LENGTH, lengthBytes, true)
    view.setUint32(record + RECORD_TYPE, type, true)
    view.setUint32(record + RECORD_SLOT, slot + 1, true)
    view.setUint32(record + RECORD_VERSION, ++book.version, true)
    this.record = record + lengthBytes
    this.eventCount++
    return record + RECORD_HEADER_BYTES
  }

  private endFrame(command: number, timeUs: number): void {
    const { view, offset } = this
    view.setUint32(offset + FRAME_LENGTH, this.record - offset, true)
    view.setUint16(offset + FRAME_COMMAND_TYPE, command, true)
    view.setUint16(offset + FRAME_EVENT_COUNT, this.eventCount, true)
    setU64(view, offset + FRAME_TIME, timeUs)
    this.offset = this.record
  }
}
