/**
 * The processor: takes commands from lanes in batches, decides, applies, and writes frames into the
 * event ring. One thread, no promises, nothing allocated per command. It knows neither threads nor
 * timers: whoever owns it (engine-host.ts) calls `runBatch` and lets the gate release answers.
 *
 *   lane ─▶ take a batch ─▶ find the commands, gather their ids
 *                           find all ids, touch all state (command-batch.ts)
 *                           one command after the other:
 *                             decide ─▶ records in the ring ─▶ evolve ─▶ frame kept
 *                             receipt (not yet visible)
 *        ─▶ publish the ring ─▶ hand the receipts to the gate
 *
 * The sweeps exist so that cache misses of different commands overlap; what they find is advice,
 * since an earlier command of the batch may change it.
 *
 * A command begins only when the ring has contiguous room for the largest transaction. Where it has
 * not, the rest of the batch stays here and goes on at the next call.
 */
import { assert, causeOf, TidewheelError } from '../journal/errors.js'
import type { EventRingWriter } from '../journal/event-ring.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_LENGTH,
  FRAME_TIME,
  TRANSACTION_BYTES_MAX,
} from '../journal/record-layout.js'
import { StateRangeError } from '../journal/schema/state-view.js'
import { Applier } from './applier.js'
import { CommandBatch } from './command-batch.js'
import type { CommandRuntime } from './command-runtime.js'
import { compileHandler, type Handler } from './compiled-handler.js'
import type { DomainRuntime } from './domain-runtime.js'
import type { Gate } from './gate.js'
import { type CommandKey, keyedOutcomeBytes, writeKeyedOutcome } from './keyed-outcome.js'
import type { Lane } from './lane.js'
import { contentHashHigh, contentHashLow } from './memory/hash.js'
import { Rejection } from './rejection.js'
import { TransactionContext } from './transaction-context.js'
import type { JournalClock } from './wall-clock.js'

// The module's own: V8 reads an imported constant anew at each use (docs/decisions/0023).
const ROOM = TRANSACTION_BYTES_MAX
const LENGTH = FRAME_LENGTH
const COMMAND = FRAME_COMMAND_TYPE
/** Command and event count are two halves of one word. */
const EVENT_COUNT_SHIFT = 8 * (FRAME_EVENT_COUNT - FRAME_COMMAND_TYPE)
assert(EVENT_COUNT_SHIFT === 16, 'the event count lies beside the command')
const TIME_LOW = FRAME_TIME
const TIME_HIGH = FRAME_TIME + 4

/** How often a running batch looks whether the journaler is idle. */
const PUBLISH_CHECK_COMMANDS = 32
const CAUSE_CHARACTERS_MAX = 500

export class Processor {
  /** Told of each handler that failed: a bug of the domain. */
  onHandlerFailed: ((command: string, error: unknown) => void) | undefined
  /** Set by an `evolve` that threw: the state is not to be trusted, nothing runs any more. */
  failure: TidewheelError | undefined
  private readonly runtime: DomainRuntime
  private readonly ring: EventRingWriter
  private readonly gate: Gate
  private readonly clock: JournalClock
  private readonly applier: Applier
  private readonly tx: TransactionContext
  private readonly batch: CommandBatch
  /** Of each command, by its index in the domain. */
  private readonly handlers: readonly Handler[]
  private readonly rejection = new Rejection()
  private readonly key: CommandKey
  private lane: Lane | undefined
  /** Journal time of the batch, as the two halves of a u64. */
  private timeLow = 0
  private timeHigh = 0

  constructor(
    runtime: DomainRuntime,
    ring: EventRingWriter,
    gate: Gate,
    clock: JournalClock,
    nextRandom: () => number,
  ) {
    this.runtime = runtime
    this.ring = ring
    this.gate = gate
    this.clock = clock
    this.applier = new Applier(runtime)
    this.batch = new CommandBatch(runtime)
    this.tx = new TransactionContext(ring.view, runtime, this.batch, nextRandom)
    this.handlers = runtime.commands.map((command) => compileHandler(command, this.tx))
    const { view, bytes } = this.batch
    this.key = { view, bytes, offset: 0, lengthBytes: 0, hashLow: 0, hashHigh: 0 }
    this.moveTo(this.batch)
  }

  /** Takes and runs one batch of `lane`, or goes on with the one begun. Returns whether it did anything. */
  runBatch(lane: Lane): boolean {
    if (this.failure !== undefined || this.gate.isFull) return false
    const { batch } = this
    if (batch.isDone) {
      if (!batch.take(lane)) return false
      this.lane = lane
      this.tick()
      if (batch.view !== this.key.view) this.moveTo(batch)
      batch.sweep()
    }
    const { answers } = this.lane!
    const before = batch.next
    answers.begin(this.tx.time)
    this.runCommands(this.lane!)
    answers.endRun()
    this.ring.publish()
    if (batch.isDone) batch.release()
    if (batch.next === before) return false
    this.gate.holdReceipts(this.ring.position, this.lane!)
    return true
  }

  /** Whether a batch has been begun that waits for room in the event ring. */
  get isHeldUp(): boolean {
    return !this.batch.isDone
  }

  /** The commands lie elsewhere than those of the batch before. */
  private moveTo({ view, bytes }: CommandBatch): void {
    for (const { flyweight } of this.runtime.commands) flyweight.$attach(view, undefined, bytes)
    this.key.view = view
    this.key.bytes = bytes
  }

  private tick(): void {
    const us = this.clock.tick()
    this.timeLow = us >>> 0
    this.timeHigh = Math.floor(us / 0x1_0000_0000)
    this.tx.time = us
  }

  private runCommands(lane: Lane): void {
    const { batch, ring } = this
    const { count } = batch
    const first = batch.next
    let untilCheck = PUBLISH_CHECK_COMMANDS
    while (batch.next < count && ring.makeRoom(ROOM)) {
      this.runCommand(lane, batch.next++)
      if (this.failure !== undefined) break
      if (--untilCheck === 0) {
        untilCheck = PUBLISH_CHECK_COMMANDS
        if (ring.syncedPosition() === ring.publishedPosition) ring.publish()
      }
    }
    lane.tickets += batch.next - first
    if (this.failure !== undefined) batch.drop()
  }

  private runCommand(lane: Lane, index: number): void {
    const { batch, tx } = this
    const command = batch.commands[index]
    if (command === undefined) return this.answerInvalid(lane, batch.problem(index))
    const isKeyed = batch.keyBytes[index] !== 0
    if (isKeyed && this.answerKnownKey(lane, command, index)) return
    tx.begin(this.ring.offset, command, index)
    this.handlers[command.index]!(batch.payloads[index]!)
    tx.end()
    if (tx.rejected || tx.failure !== undefined) this.reject(lane, command, isKeyed)
    else if (tx.eventCount === 0 && !isKeyed) this.answerAccepted(lane, 0)
    else if (this.apply(command, isKeyed)) this.answerAccepted(lane, tx.eventCount)
    else this.answerUnapplied(lane, command, isKeyed)
  }

  /** Completes the frame and applies it. False: the transaction is taken back, or the engine stops. */
  private apply(command: CommandRuntime, isKeyed: boolean): boolean {
    const { tx, ring, applier } = this
    const outcome = tx.offset
    if (isKeyed && !this.appendOutcome(true)) {
      tx.refuse('TRANSACTION_TOO_LARGE')
      return false
    }
    const frame = ring.offset
    this.writeFrameHeader(command, frame)
    try {
      applier.applyEmitted(tx)
      if (isKeyed) applier.applyOutcome(tx, outcome)
    } catch (error) {
      this.failEvolve(command, error)
      return false
    }
    ring.advance(tx.offset - frame)
    return true
  }

  private failEvolve(command: CommandRuntime, error: unknown): void {
    const { applier, tx } = this
    if (error instanceof StateRangeError && !applier.undo.hasObjectChanges) {
      applier.takeBack(tx)
      tx.failure = error
    } else {
      this.failure = evolveError(command.name, applier.eventReached, error)
    }
  }

  private writeFrameHeader(command: CommandRuntime, frame: number): void {
    const { view } = this.ring
    view.setUint32(frame + LENGTH, this.tx.offset - frame, true)
    view.setUint32(
      frame + COMMAND,
      command.number | (this.tx.eventCount << EVENT_COUNT_SHIFT),
      true,
    )
    view.setUint32(frame + TIME_LOW, this.timeLow, true)
    view.setUint32(frame + TIME_HIGH, this.timeHigh, true)
  }

  /** Nothing of the command has happened; with a key, that too is kept. */
  private reject(lane: Lane, command: CommandRuntime, isKeyed: boolean): void {
    const { tx, rejection, ring } = this
    tx.rollBack()
    if (tx.rejected) rejection.set(tx.code, tx.detail)
    else {
      rejection.setFailure(tx.failure)
      this.onHandlerFailed?.(command.name, tx.failure)
    }
    if (isKeyed) {
      const outcome = tx.offset
      this.appendOutcome(false)
      const frame = ring.offset
      this.writeFrameHeader(command, frame)
      this.applier.applyEmitted(tx)
      this.applier.applyOutcome(tx, outcome)
      ring.advance(tx.offset - frame)
    }
    this.answerRejected(lane)
  }

  /** False: the transaction has no room for it. */
  private appendOutcome(accepted: boolean): boolean {
    const { tx, key, rejection, ring } = this
    const code = accepted ? NOTHING : rejection.code
    const detail = accepted ? NOTHING : rejection.detail
    const lengthBytes = keyedOutcomeBytes(key.lengthBytes, code.length, detail.length)
    if (tx.offset + lengthBytes > ring.offset + TRANSACTION_BYTES_MAX) return false
    tx.offset = writeKeyedOutcome(ring.view, ring.bytes, tx.offset, key, accepted, code, detail)
    return true
  }

  /** Answers a command whose key was seen before, and returns true; otherwise remembers the key. */
  private answerKnownKey(lane: Lane, command: CommandRuntime, index: number): boolean {
    const { batch, key, rejection } = this
    const { keys } = this.runtime
    key.offset = batch.keys[index]!
    key.lengthBytes = batch.keyBytes[index]!
    const payload = batch.payloads[index]!
    const payloadBytes = batch.payloadBytes[index]!
    // The same content for another command is another content.
    const low = contentHashLow(batch.view, payload, payloadBytes)
    key.hashLow = (low ^ Math.imul(command.number, 0x9e37_79b1)) >>> 0
    key.hashHigh = contentHashHigh(batch.view, payload, payloadBytes)
    const hash = batch.keyHashes[index]!
    const entry = keys.findHashed(key.view, key.offset, key.lengthBytes, hash, this.clock.latestUs)
    if (entry === 0) return false
    const time = keys.timeOf(entry)
    const sequence = keys.sequenceOf(entry)
    if (!keys.contentMatches(entry, key.hashLow, key.hashHigh)) {
      rejection.set('KEY_REUSED', 'this key was used for another command, or other content')
      this.answerRejected(lane)
    } else if (keys.acceptedOf(entry)) {
      lane.answers.acceptedBefore(keys.eventCountOf(entry), sequence, time)
    } else {
      const code = utf8.encode(keys.codeOf(entry))
      const detail = keys.detailOf(entry)
      lane.answers.rejectedBefore(code, detail, sequence, time)
    }
    return true
  }

  private answerInvalid(lane: Lane, problem: string): void {
    this.rejection.set('INVALID_COMMAND', problem)
    this.answerRejected(lane)
  }

  private answerUnapplied(lane: Lane, command: CommandRuntime, isKeyed: boolean): void {
    if (this.failure === undefined) return this.reject(lane, command, isKeyed)
    this.rejection.set('EVOLVE_FAILED', this.failure.message)
    this.answerRejected(lane)
  }

  private answerAccepted(lane: Lane, eventCount: number): void {
    lane.answers.accepted(eventCount, this.runtime.sequence)
  }

  private answerRejected(lane: Lane): void {
    const { code, detail } = this.rejection
    lane.answers.rejected(code, detail, this.runtime.sequence)
  }
}

const NOTHING = new Uint8Array(0)
const utf8 = new TextEncoder()

function evolveError(command: string, event: string, cause: unknown): TidewheelError {
  return new TidewheelError(
    'EVOLVE_FAILED',
    `${event}, emitted by ${command}, cannot be applied: ${shortCauseOf(cause)}. Nothing of this command was kept and the engine has stopped; mend the evolve, then open the engine again`,
    { cause },
  )
}

/** The receipt carries it, whose detail is limited. */
function shortCauseOf(cause: unknown): string {
  return causeOf(cause).slice(0, CAUSE_CHARACTERS_MAX).toWellFormed()
}
