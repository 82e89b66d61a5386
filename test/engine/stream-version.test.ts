/**
 * Streams of more than 2³² events, and the last event that a stream can have. Nobody can wait for
 * that many: the versions are set by hand, before the same commands run live, at replay and in the
 * reader that knows no application.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { Applier } from '../../engine/applier.js'
import {
  COMMAND_BYTES_MAX,
  COMMAND_HEADER_BYTES,
  COMMAND_KEY_BYTES,
  COMMAND_PAYLOAD_BYTES,
  COMMAND_TYPE,
} from '../../engine/command-layout.js'
import { DomainRuntime } from '../../engine/domain-runtime.js'
import { Gate } from '../../engine/gate.js'
import { domain, int, object, text, u32 } from '../../engine/index.js'
import { createLaneMemory, Lane } from '../../engine/lane.js'
import { Processor } from '../../engine/processor.js'
import { ReceiptView } from '../../engine/receipt.js'
import { Replay } from '../../engine/replay.js'
import { RingConsumer, RingProducer } from '../../engine/ring/byte-ring.js'
import { stateDigest } from '../../engine/state-digest.js'
import { JournalClock } from '../../engine/wall-clock.js'
import { type Catalogue, encodeCatalogueFrame, mergeCatalogue } from '../../journal/catalogue.js'
import { createEventRing, EventRingWriter } from '../../journal/event-ring.js'
import { EventWalk } from '../../journal/event-walk.js'
import { FrameCursor, frameProblem } from '../../journal/frames.js'
import type { JournalBlock } from '../../journal/journal-reader.js'
import { EVENTS_A_TRANSACTION_MAX, STREAM_VERSION_MAX } from '../../journal/record-layout.js'
import { readRecordVersion, writeRecordVersion } from '../../journal/record-version.js'
import { FixedSink } from '../../journal/schema/codec.js'

const market = domain('market', import.meta.url)
const Book = market.aggregate('Book', { id: u32, state: { trades: int, last: u32, version: int } })
const Log = market.aggregate('Log', {
  id: text,
  state: object({
    create: () => ({ lines: 0 }),
    snapshot: ({ lines }) => ({ lines }),
    restore: (data) => data as { lines: number },
  }),
})
const Traded = Book.event('Traded', { price: int }, (book, event, meta) => {
  book.trades += 1
  book.last = event.price
  book.version = meta.version
})
const Noted = Log.event('Noted', {}, (log) => {
  log.lines += 1
})
const Trade = market.command(
  'Trade',
  { book: Book.id, log: Log.id, trades: u32, price: int },
  (command, tx) => {
    if (command.log !== 'none') tx.emit(Noted, command.log, {})
    for (let i = 0; i < command.trades; i++) {
      tx.emit(Traded, command.book, { price: command.price + i })
    }
  },
)

const I32_MAX = 0x7fff_ffff
const U32_MAX = 0xffff_ffff
/** All that a transaction may emit to one stream. */
const PENDING = EVENTS_A_TRANSACTION_MAX
const BOOK = 7

function bound(): { runtime: DomainRuntime; catalogue: Catalogue } {
  const runtime = new DomainRuntime(market)
  const { catalogue } = mergeCatalogue(undefined, market.name, runtime.declaration())
  runtime.bind(catalogue)
  return { runtime, catalogue }
}

function setVersion(runtime: DomainRuntime, version: number): void {
  const [books] = runtime.stores
  books?.setVersion(books.ids.find(BOOK), version)
}

function versionOf(runtime: DomainRuntime): number {
  const [books] = runtime.stores
  return books?.version(books.ids.find(BOOK)) as number
}

interface TradeInput {
  readonly trades: number
  readonly price?: number
  readonly log?: string
}

/** A processor on this thread, with one producer and no journal. */
class LiveMarket {
  readonly runtime: DomainRuntime
  readonly catalogue: Catalogue
  readonly ring = new EventRingWriter(createEventRing())
  private readonly processor: Processor
  private readonly lane: Lane
  private readonly commands: RingProducer
  private readonly receiptRing: RingConsumer
  private readonly receipts: ReceiptView

  constructor() {
    const { runtime, catalogue } = bound()
    this.runtime = runtime
    this.catalogue = catalogue
    const memory = createLaneMemory()
    this.lane = new Lane(memory, false)
    this.commands = new RingProducer(memory.commands)
    this.receiptRing = new RingConsumer(memory.receipts)
    this.receipts = new ReceiptView(this.receiptRing)
    const clock = new JournalClock(
      () => 1_700_000_000_000_000,
      0,
      () => {},
    )
    const random = () => 0.5
    this.processor = new Processor(runtime, this.ring, new Gate([this.ring]), clock, random)
  }

  trade({ trades, price = 0, log = 'none' }: TradeInput): { code: string; detail: unknown } {
    const { commands } = this
    const offset = commands.claim(COMMAND_BYTES_MAX)
    const { view } = commands
    view.setUint16(offset + COMMAND_TYPE, 1, true)
    view.setUint16(offset + COMMAND_KEY_BYTES, 0, true)
    const payload = offset + COMMAND_HEADER_BYTES
    const value = { book: BOOK, log, trades, price }
    const payloadBytes = Trade.$codec.encode(
      value,
      new FixedSink(view).at(payload, offset + COMMAND_BYTES_MAX),
    )
    view.setUint32(offset + COMMAND_PAYLOAD_BYTES, payloadBytes, true)
    commands.append(COMMAND_HEADER_BYTES + payloadBytes)
    commands.publish()
    expect(this.processor.runBatch(this.lane)).toBe(true)
    expect(this.processor.failure).toBeUndefined()
    this.lane.receipts.publish()
    const { receipts } = this
    this.receiptRing.refresh()
    receipts.$span(receipts.ticket, receipts.ticket + 1)
    expect(receipts.next()).toBe(true)
    const { code, detail } = receipts
    return { code, detail }
  }

  /** Versions of the events in a part of the ring, as they lie in the journal. */
  versionsFrom(position: number): number[] {
    const cursor = new FrameCursor()
    const versions: number[] = []
    let frames = 0
    cursor.reset(this.ring.view, position, this.ring.position - position)
    while (cursor.nextFrame()) {
      frames++
      while (cursor.nextRecord()) if (cursor.isEvent) versions.push(cursor.version)
    }
    const payloadBytes = this.ring.position - position
    const problem = frameProblem(this.ring.view, position, payloadBytes, frames, versions.length)
    expect(problem).toBe('')
    return versions
  }
}

/** Records that lie in a ring, as a block of a journal. */
function blockOf(view: DataView, frameOffset: number, end: number, sequence: number): JournalBlock {
  const header = { baseSequence: sequence + 1, segmentNumber: 1, fileOffset: 0 }
  return {
    view,
    frameOffset,
    payloadBytes: end - frameOffset,
    header: header as JournalBlock['header'],
  }
}

describe('stream version', () => {
  let live: LiveMarket
  /** Where the book's second command lies. */
  let start: number

  beforeEach(() => {
    live = new LiveMarket()
    expect(live.trade({ trades: 1 })).toEqual({ code: '', detail: undefined })
    start = live.ring.position
  })

  it('emit: goes on beyond 2³² (inside a command, and from one to the next)', () => {
    setVersion(live.runtime, U32_MAX - 2)
    expect(live.trade({ trades: 4 }).code).toBe('')
    expect(live.trade({ trades: 1 }).code).toBe('')
    const expected = [-1, 0, 1, 2, 3].map((more) => U32_MAX + more)
    expect(live.versionsFrom(start)).toEqual(expected)
    expect(versionOf(live.runtime)).toBe(U32_MAX + 3)
    // What evolve was told.
    const [books] = live.runtime.stores
    expect(books?.copy(books.ids.find(BOOK))).toMatchObject({ version: U32_MAX + 3, trades: 6 })
  })

  it.each([I32_MAX - 2, I32_MAX - 1, I32_MAX, U32_MAX - 1, U32_MAX, STREAM_VERSION_MAX - 3])(
    'replay: gives the state that was live (from version %i)',
    (version) => {
      setVersion(live.runtime, version)
      expect(live.trade({ trades: 3, log: 'a' }).code).toBe('')
      const { runtime } = bound()
      const replay = new Replay(runtime)
      replay.visit(live.ring.view, 0, start)
      setVersion(runtime, version)
      replay.visit(live.ring.view, start, live.ring.position - start)
      expect(versionOf(runtime)).toBe(version + 3)
      expect(stateDigest(runtime)).toBe(stateDigest(live.runtime))
    },
  )

  it('replay: refuses a version whose high part alone is wrong', () => {
    setVersion(live.runtime, U32_MAX)
    live.trade({ trades: 1 })
    const { view } = live.ring
    const cursor = new FrameCursor()
    cursor.reset(view, start, live.ring.position - start)
    expect(cursor.nextFrame() && cursor.nextRecord()).toBe(true)
    expect(readRecordVersion(view, cursor.recordOffset)).toBe(U32_MAX + 1)
    for (const wrong of [0, 2 * (U32_MAX + 1)]) {
      writeRecordVersion(view, cursor.recordOffset, wrong)
      const { runtime } = bound()
      const applier = new Applier(runtime)
      applier.applyFrame(view, 0)
      setVersion(runtime, U32_MAX)
      expect(() => applier.applyFrame(view, start)).toThrow(
        `event Traded has version ${wrong}, but Book 7 is at 4294967295`,
      )
    }
  })

  it.each([U32_MAX - 1, U32_MAX, STREAM_VERSION_MAX - 2])(
    'reader: follows the versions without the application (from version %i)',
    (version) => {
      setVersion(live.runtime, version)
      live.trade({ trades: 2 })
      const walk = new EventWalk()
      const catalogue = encodeCatalogueFrame(live.catalogue, 0)
      walk.enterBlock(blockOf(new DataView(catalogue.buffer), 0, catalogue.length, 0))
      expect(walk.nextEvent()).toBe(false)
      const { view, position } = live.ring
      walk.enterBlock(blockOf(view, 0, start, 0))
      expect(walk.nextEvent()).toBe(true)
      expect(walk.nextEvent()).toBe(false)
      walk.streams.setVersion(walk.type.aggregateNumber, 1, version)
      walk.enterBlock(blockOf(view, start, position, 1))
      for (const expected of [version + 1, version + 2]) {
        expect(walk.nextEvent()).toBe(true)
        expect(walk.decode()).toMatchObject({ stream: 'Book', id: BOOK, version: expected })
      }
      expect(walk.nextEvent()).toBe(false)
    },
  )

  it('emit: rejects what the stream has no version for, and nothing of the command happened', () => {
    setVersion(live.runtime, STREAM_VERSION_MAX - 2)
    const digest = stateDigest(live.runtime)
    expect(live.trade({ trades: 3, log: 'new' })).toEqual({
      code: 'CAPACITY_EXCEEDED',
      detail: { aggregate: 'Book', id: BOOK, versionMax: 281_474_976_710_655 },
    })
    expect(live.ring.position).toBe(start)
    expect(stateDigest(live.runtime)).toBe(digest)
    // As many as there is room for.
    expect(live.trade({ trades: 2, log: 'new' }).code).toBe('')
    expect(versionOf(live.runtime)).toBe(STREAM_VERSION_MAX)
    const last = live.ring.position
    for (const trades of [1, 2]) {
      expect(live.trade({ trades }).code).toBe('CAPACITY_EXCEEDED')
      expect(versionOf(live.runtime)).toBe(STREAM_VERSION_MAX)
    }
    expect(live.ring.position).toBe(last)
    // Other streams go on.
    expect(live.trade({ trades: 0, log: 'new' }).code).toBe('')
  })

  it('undo: takes back the high part of a version too', () => {
    setVersion(live.runtime, U32_MAX)
    const digest = stateDigest(live.runtime)
    // The second price is out of the range of a u32.
    expect(live.trade({ trades: 2, price: U32_MAX }).code).toBe('HANDLER_FAILED')
    expect(versionOf(live.runtime)).toBe(U32_MAX)
    expect(stateDigest(live.runtime)).toBe(digest)
    expect(live.trade({ trades: 1 }).code).toBe('')
    expect(live.versionsFrom(start)).toEqual([U32_MAX + 1])
  })

  it('slab: version and pending events are apart (borders)', () => {
    const [books] = live.runtime.stores
    if (books === undefined) throw new Error('the domain has an aggregate')
    const slot = books.ids.find(BOOK)
    const borders = [0, 2 ** 31 - 1, 2 ** 31, U32_MAX, U32_MAX + 1, STREAM_VERSION_MAX - PENDING]
    for (const version of borders) {
      books.setVersion(slot, version)
      let wrong = 0
      for (let pending = 1; pending <= PENDING; pending++) {
        if (books.isPending(slot) !== pending > 1) wrong++
        if (books.addPending(slot) !== version + pending) wrong++
        if (books.version(slot) !== version) wrong++
      }
      expect(wrong).toBe(0)
      books.clearPending(slot)
      expect([books.version(slot), books.isPending(slot)]).toEqual([version, false])
    }
    // The last of them have no version left.
    books.setVersion(slot, STREAM_VERSION_MAX - 1)
    expect([books.addPending(slot), books.addPending(slot)]).toEqual([STREAM_VERSION_MAX, 0])
    books.setVersion(slot, 0)
    expect([books.version(slot), books.isPending(slot)]).toEqual([0, false])
  })
})
