/**
 * The limit of payloads by msgpackr on object state: pack the line, write it as the one event of a
 * frame, unpack it from those bytes, change the cart.
 *
 *   frame:  header 16 │ line added: header 16, end of the line u32 to 8 bytes, the line │ to 8 bytes
 *
 * Included: msgpackr once each way, as events have to be bytes, and `evolve` has to run on them; the
 * table of carts, versions, the journal. Left out: the way through a command ring (a second pair of
 * pack and unpack), checks of what is packed, and all that transfer-limit.ts leaves out.
 */
import { Packr } from 'msgpackr'
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
import { CartLines, type CartOptions } from '../cart-lines.js'
import type { Line } from '../domains/carts.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'

const BATCH = 256
const FRAME_BYTES_MAX = 512
const EVENT = FRAME_HEADER_BYTES
const PAYLOAD = FRAME_HEADER_BYTES + RECORD_HEADER_BYTES
/** The END of the line's bytes, to a whole word. */
const FIXED_BYTES = 8
const ADD_LINE = 17
const LINE_ADDED = 18

export async function prepare(options: CartOptions): Promise<Contender<number>> {
  const journal = await LimitJournal.start(options.directory)
  const loop = new CartLoop(journal, options)
  return limitContender(journal, loop, options.commands, options.warmUp)
}

interface CartState {
  version: number
  lines: number
  total: number
  latest: Line | null
}

class CartLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly workload: CartLines
  private readonly carts: readonly CartState[]
  /** With the settings of the engine's. */
  private readonly packr = new Packr({
    useRecords: false,
    mapsAsObjects: true,
    variableMapSize: true,
    copyBuffers: true,
    useToJSON: false,
  })
  private commands = 0

  constructor(journal: LimitJournal, options: CartOptions) {
    this.journal = journal
    this.workload = new CartLines(options)
    const create = (): CartState => ({ version: 0, lines: 0, total: 0, latest: null })
    this.carts = Array.from({ length: options.carts }, create)
  }

  /** Returns when all of them are on disk. */
  run(commands: number): void {
    for (let done = 0; done < commands; done += BATCH) {
      this.batch(Math.min(BATCH, commands - done))
    }
    this.journal.drain()
    this.commands += commands
  }

  verify(): void {
    const lines = this.carts.reduce((sum, cart) => sum + cart.lines, 0)
    if (lines !== this.commands) throw new Error(`${lines} lines of ${this.commands}`)
  }

  private batch(count: number): void {
    const { journal, workload } = this
    const start = journal.makeRoom(count * FRAME_BYTES_MAX)
    const timeUs = Date.now() * 1000
    let o = start
    for (let i = 0; i < count; i++) {
      workload.next()
      o += this.addLine(o, workload.cart, workload.line, timeUs)
    }
    journal.publish(o - start)
  }

  /** Returns the length of the frame. */
  private addLine(o: number, slot: number, line: Line, timeUs: number): number {
    const { packr, journal } = this
    const { view, bytes } = journal
    if (line.quantity <= 0) throw new Error('a quantity is refused')
    const packed = packr.pack(line)
    const payloadBytes = FIXED_BYTES + packed.length
    const frameBytes = PAYLOAD + ((payloadBytes + 7) & -8)
    if (frameBytes > FRAME_BYTES_MAX) throw new Error('a line is too long')
    const cart = this.carts[slot]!
    cart.version += 1
    view.setUint32(o + FRAME_LENGTH, frameBytes, true)
    view.setUint16(o + FRAME_COMMAND_TYPE, ADD_LINE, true)
    view.setUint16(o + FRAME_EVENT_COUNT, 1, true)
    setU64(view, o + FRAME_TIME, timeUs)
    view.setUint32(o + EVENT + RECORD_LENGTH, RECORD_HEADER_BYTES + payloadBytes, true)
    view.setUint32(o + EVENT + RECORD_TYPE, LINE_ADDED, true)
    view.setUint32(o + EVENT + RECORD_SLOT, slot + 1, true)
    view.setUint32(o + EVENT + RECORD_VERSION, cart.version, true)
    // What follows the line in its last word is zero.
    setU64(view, o + frameBytes - 8, 0)
    setU64(view, o + PAYLOAD, payloadBytes)
    bytes.set(packed, o + PAYLOAD + FIXED_BYTES)
    const added = packr.unpack(packed) as Line
    cart.lines += 1
    cart.total += added.quantity * added.price
    cart.latest = added
    return frameBytes
  }
}
