/**
 * A producer's end of a lane: encodes commands into the command ring, hands out tickets, and turns
 * receipts into callbacks and promises. The engine's own port and a worker's are the same class.
 *
 *   submit ─▶ claim, encode, append ─▶ published by the 256th command, or at the end of this turn
 *   poll   ─▶ receipts in ticket order ─▶ onReceipts, execute's promises, synced's promises
 */
import { TidewheelError } from '../journal/errors.js'
import { alignWord } from '../journal/layout.js'
import { FixedSink } from '../journal/schema/codec.js'
import { describeValue } from '../journal/schema/value-check.js'
import { BATCH_COMMANDS_MAX } from './command-batch.js'
import {
  COMMAND_BYTES_MAX,
  COMMAND_HEADER_BYTES,
  COMMAND_KEY_BYTES_SHIFT,
  COMMAND_PAYLOAD_BYTES,
  COMMAND_RESERVED,
  COMMAND_TYPE,
} from './command-layout.js'
import type { CommandType, Domain } from './domain.js'
import {
  ENGINE_DISK_FULL,
  ENGINE_RUNNING,
  type EngineStatus,
  PRODUCER_CONDEMNED,
} from './engine-status.js'
import { Fifo } from './fifo.js'
import { keyOf, writeKey } from './idempotency-key.js'
import type { LaneMemory } from './lane.js'
import { diskFull, notTaken } from './not-taken.js'
import { type Receipt, ReceiptView } from './receipt.js'
import { NO_ROOM, RingConsumer, RingProducer } from './ring/byte-ring.js'

export interface CommandOptions {
  /**
   * Idempotency key, up to 1024 bytes of UTF-8: the same key again gets the same receipt, and
   * nothing happens twice.
   */
  readonly key?: string
}

/** Called with receipts `first` to `last` (tickets); the view is valid until the call returns. */
export type ReceiptsListener = (first: number, last: number, view: ReceiptView) => void

type AnyCommand = Pick<CommandType, 'name' | 'index' | 'domain'>

export interface PortOwner {
  /** Commands were published, or an answer is awaited. */
  kick(): void
  /** A batch was published, or the ring is full. Inline: runs batches now. */
  runNow(): void
  /** Why the engine does not take commands any more. */
  stopReason(): TidewheelError
}

/**
 * A batch: inline, it runs at once, while its bytes are in the cache and the journaler has nothing
 * to do; a feed that submits in a loop would otherwise first fill the whole ring.
 */
const PUBLISH_EVERY = BATCH_COMMANDS_MAX

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const HEADER_BYTES = COMMAND_HEADER_BYTES
const TYPE = COMMAND_TYPE
const KEY_BYTES_SHIFT = COMMAND_KEY_BYTES_SHIFT
const PAYLOAD_BYTES = COMMAND_PAYLOAD_BYTES
const RESERVED = COMMAND_RESERVED
const BYTES_MAX = COMMAND_BYTES_MAX
const NO_PLACE = NO_ROOM

/** What is chained to it runs when the caller's code has, before anything else. */
const NOW = Promise.resolve()

interface PendingReceipt {
  readonly ticket: number
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: TidewheelError) => void
}

interface Pending {
  readonly resolve: () => void
  readonly reject: (error: TidewheelError) => void
}

interface PendingTicket extends Pending {
  readonly ticket: number
}

export class CommandPort {
  /** Ticket of the last command taken. */
  ticket = 0
  private readonly executeWaitMs: number
  private answered = 0
  private unpublished = 0
  private flushScheduled = false
  private isPolling = false
  /** Nothing that is pending now will be answered. Until then an ended engine's receipts may come. */
  private hasFailed = false
  /** Of the command being written: its place in the ring, its payload's, and its key. */
  private offset = 0
  private payload = 0
  private keyBytes = 0
  /** Counts commands that began to be written: a value's getters may submit others meanwhile. */
  private begun = 0
  private readonly commands: RingProducer
  private readonly sink: FixedSink
  private readonly receipts: RingConsumer
  private readonly view: ReceiptView
  private readonly domain: Domain
  private readonly status: EngineStatus
  private readonly owner: PortOwner
  private listener: ReceiptsListener | undefined
  private readonly executes = new Fifo<PendingReceipt>()
  private synceds: PendingTicket[] = []
  private readonly rooms: Pending[] = []
  private readonly boundFlush = (): void => this.flush()

  /** @param executeWaitMs how long `execute` waits for room before it fails with BACKPRESSURE */
  constructor(
    memory: LaneMemory,
    domain: Domain,
    status: EngineStatus,
    owner: PortOwner,
    executeWaitMs: number,
  ) {
    this.executeWaitMs = executeWaitMs
    this.commands = new RingProducer(memory.commands)
    this.sink = new FixedSink(this.commands.view)
    this.receipts = new RingConsumer(memory.receipts)
    this.view = new ReceiptView(this.receipts)
    this.domain = domain
    this.status = status
    this.owner = owner
  }

  /** Takes the command and returns its ticket, or 0: nothing was taken, the journal is behind. */
  submit<Input>(command: CommandType<Input>, value: Input, options?: CommandOptions): number {
    if (!this.begin(command, options)) return 0
    const { begun } = this
    const payloadBytes = command.$codec.encode(
      value,
      this.sink.at(this.payload, this.offset + BYTES_MAX),
    )
    if (begun !== this.begun) refuseNested(command.name)
    return this.end(command, payloadBytes)
  }

  /**
   * Takes the command and waits for its receipt: answered means kept. Waits for room, and fails
   * with BACKPRESSURE (the command was not taken) when there is none for `executeWaitMs`.
   */
  async execute<Input>(
    command: CommandType<Input>,
    value: Input,
    options?: CommandOptions,
  ): Promise<Receipt> {
    let ticket = this.submit(command, value, options)
    if (ticket === 0) {
      const deadline = performance.now() + this.executeWaitMs
      while (ticket === 0) {
        await this.roomUntil(deadline, command.name)
        ticket = this.submit(command, value, options)
      }
    }
    return new Promise((resolve, reject) => this.executes.push({ ticket, resolve, reject }))
  }

  /** Resolves when {@link submit} may take a command again. */
  room(): Promise<void> {
    if (this.hasRoom()) return Promise.resolve()
    if (this.status.hasEnded) return Promise.reject(this.owner.stopReason())
    return new Promise((resolve, reject) => {
      this.rooms.push({ resolve, reject })
      this.owner.kick()
    })
  }

  /** Resolves when the command with this ticket, or all taken so far, have their receipts. */
  synced(ticket: number = this.ticket): Promise<void> {
    if (ticket <= this.answered) return Promise.resolve()
    if (this.hasFailed) return Promise.reject(this.owner.stopReason())
    if (!(ticket <= this.ticket)) return Promise.reject(unknownTicket(ticket, this.ticket))
    this.flush()
    return new Promise((resolve, reject) => this.synceds.push({ ticket, resolve, reject }))
  }

  /** Receipts arrive here in ticket order; without a listener they are only counted. */
  onReceipts(listener: ReceiptsListener): void {
    if (typeof listener !== 'function') refuseListener(listener)
    this.listener = listener
  }

  /** Whether a receipt is awaited. */
  get inFlight(): boolean {
    return this.answered < this.ticket || this.rooms.length > 0
  }

  /** Makes all commands taken visible to the processor. */
  flush(): void {
    this.flushScheduled = false
    this.publish()
    this.owner.kick()
  }

  /** Takes what has been answered; returns whether there was anything. */
  poll(): boolean {
    const { answered, receipts, view } = this
    const last = receipts.publishedCount(answered)
    // A listener that submits can come back here.
    if (last <= answered || this.isPolling) return this.releaseRoom()
    this.isPolling = true
    receipts.refresh()
    const start = receipts.position
    view.$span(answered, last)
    if (this.executes.length > 0) {
      this.answerExecutes()
      receipts.rewind(start)
      view.$span(answered, last)
    }
    this.answered = last
    if (this.listener !== undefined) this.tellListener(answered + 1, last)
    while (view.next()) {
      // What nobody looked at is passed over.
    }
    this.isPolling = false
    if (view.ticket !== last || view.$isInRun) {
      this.answered = view.ticket
      return this.condemn()
    }
    receipts.release()
    if (this.synceds.length > 0) this.releaseSynced(last)
    this.releaseRoom()
    return true
  }

  /** The engine has stopped: nothing that is pending will be answered. */
  fail(): void {
    this.poll()
    this.hasFailed = true
    const reason = this.owner.stopReason()
    for (const pending of this.executes.drain()) pending.reject(reason)
    for (const pending of this.synceds.splice(0)) pending.reject(reason)
    for (const pending of this.rooms.splice(0)) pending.reject(notTaken(reason))
  }

  /**
   * Claims room and writes the key; false: there is no room. Nothing is taken until {@link end}, and
   * `offset`, `payload` and `keyBytes` are this command's until another one begins.
   * `submit` is in three parts so that V8 inlines it where it is called, and the object literal that
   * is submitted never comes to exist.
   */
  private begin(command: AnyCommand, options: CommandOptions | undefined): boolean {
    if (command?.domain !== this.domain) this.refuseForeign(command)
    if (!this.status.isRunning) this.refuseUnlessRunning()
    // Read before the claim: from there on, nothing of the caller's runs until its value is read.
    const key = options === undefined ? undefined : keyOf(options)
    let offset = this.commands.claim(BYTES_MAX)
    if (offset === NO_PLACE) {
      offset = this.claimAgain()
      if (offset === NO_PLACE) return false
    }
    // Before anything is changed, also where the key is refused: an outer command sees it.
    this.begun++
    this.offset = offset
    this.payload = offset + HEADER_BYTES
    this.keyBytes = 0
    if (key !== undefined) this.putKey(key)
    return true
  }

  private claimAgain(): number {
    this.publish()
    this.owner.runNow()
    return this.commands.claim(BYTES_MAX)
  }

  private putKey(key: string): void {
    this.keyBytes = writeKey(key, this.commands.bytes, this.payload)
    this.payload += alignWord(this.keyBytes)
  }

  /** Takes the command that was written; returns its ticket. */
  private end(command: AnyCommand, payloadBytes: number): number {
    if (payloadBytes < 0) refuseTooLarge(command.name)
    const { commands, offset } = this
    const { view } = commands
    view.setUint32(offset + TYPE, (command.index + 1) | (this.keyBytes << KEY_BYTES_SHIFT), true)
    view.setUint32(offset + PAYLOAD_BYTES, payloadBytes, true)
    view.setUint32(offset + RESERVED, 0, true)
    commands.append(this.payload - offset + payloadBytes)
    // A value whose getter submitted this command has no place any more.
    this.sink.payloadLimit = 0
    if (++this.unpublished === PUBLISH_EVERY || !this.flushScheduled) this.publishOrSchedule()
    return ++this.ticket
  }

  private publishOrSchedule(): void {
    if (this.unpublished === PUBLISH_EVERY) {
      this.publish()
      this.owner.runNow()
    }
    if (this.flushScheduled) return
    this.flushScheduled = true
    // Allocates a third of what queueMicrotask does.
    void NOW.then(this.boundFlush)
  }

  /** Something has written over the receipts: which command an answer belongs to is unknown now. */
  private condemn(): false {
    this.status.set(PRODUCER_CONDEMNED)
    return false
  }

  private answerExecutes(): void {
    const { executes, view } = this
    let awaited = executes.first?.ticket
    while (view.next()) {
      if (view.ticket !== awaited) continue
      const receipt = this.readReceipt()
      if (receipt === undefined) return
      executes.shift().resolve(receipt)
      awaited = executes.first?.ticket
    }
  }

  /** Undefined, and the ring is not read any more, where the bytes are no receipt. */
  private readReceipt(): Receipt | undefined {
    try {
      return this.view.toReceipt()
    } catch {
      this.receipts.condemn()
      return undefined
    }
  }

  private tellListener(first: number, last: number): void {
    try {
      this.listener?.(first, last, this.view)
    } catch (error) {
      // The listener's own bug must not break the engine's loop, nor disappear.
      queueMicrotask(() => {
        throw error
      })
    }
  }

  private publish(): void {
    this.unpublished = 0
    this.commands.publish()
  }

  private hasRoom(): boolean {
    const { commands } = this
    return commands.claimed - commands.consumedPosition() <= commands.capacity / 2
  }

  private releaseSynced(answered: number): void {
    const waiting: PendingTicket[] = []
    for (const pending of this.synceds) {
      if (pending.ticket <= answered) pending.resolve()
      else waiting.push(pending)
    }
    this.synceds = waiting
  }

  private releaseRoom(): boolean {
    if (this.rooms.length === 0 || !this.hasRoom()) return false
    for (const waiter of this.rooms.splice(0)) waiter.resolve()
    return true
  }

  private roomUntil(deadline: number, command: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.rooms.splice(this.rooms.indexOf(waiter), 1)
        reject(backpressure(command, this.executeWaitMs))
      }, deadline - performance.now())
      const waiter: Pending = {
        resolve: () => {
          clearTimeout(timer)
          resolve()
        },
        reject: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      this.rooms.push(waiter)
      this.owner.kick()
    })
  }

  private refuseUnlessRunning(): void {
    const status = this.status.get()
    // There may be room again since it was first asked.
    if (status === ENGINE_RUNNING) return
    if (status === ENGINE_DISK_FULL) throw diskFull(this.status.shortage)
    throw notTaken(this.owner.stopReason())
  }

  private refuseForeign(command: { name: string; domain: Domain } | undefined): never {
    const what =
      command?.domain === undefined
        ? 'this is not a command'
        : `command ${command.name} belongs to domain ${command.domain.name}`
    throw new TidewheelError(
      'UNKNOWN_COMMAND',
      `${what}; this engine runs the commands that domain ${this.domain.name} declares`,
    )
  }
}

function unknownTicket(ticket: number, last: number): TidewheelError {
  return new TidewheelError(
    'INVALID_OPTION',
    `ticket ${ticket} was not given out; the last one is ${last}`,
  )
}

function backpressure(command: string, waitedMs: number): TidewheelError {
  return new TidewheelError(
    'BACKPRESSURE',
    `no room for command ${command} within ${waitedMs} ms: the disk is slower than the load. The command was not taken; send it again later`,
  )
}

/** Called with the first receipts, it would end the process. */
function refuseListener(listener: unknown): never {
  throw new TidewheelError(
    'INVALID_OPTION',
    `onReceipts takes a function (first, last, view), got ${describeValue(listener)}`,
  )
}

function refuseNested(command: string): never {
  throw new TidewheelError(
    'INVALID_COMMAND',
    `command ${command}: an accessor of its value has submitted another command meanwhile; this one was not taken. Read the value first, then submit`,
  )
}

function refuseTooLarge(command: string): never {
  throw new TidewheelError(
    'INVALID_COMMAND',
    `command ${command} is larger than ${COMMAND_BYTES_MAX} bytes`,
  )
}
