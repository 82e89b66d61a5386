/**
 * The lanes of one engine, on the processor's side: which of them are served, and what their
 * producers are told.
 *
 *   attach ─▶ served, in turn ─┬▶ its producer is gone: dropped when nothing is left in it
 *                              ├▶ condemned: cut off and told so, when its last receipts are out
 *                              └▶ the engine closes: served to the end of what was published then
 *
 * How the engine is, is private state here. Each lane has a copy, which is written and never read:
 * what a producer does to its own memory is its own affair.
 */
import type { DiskShortage } from '../journal/disk-shortage.js'
import type { DoorbellSet } from './doorbell-set.js'
import { ENGINE_CLOSED, ENGINE_RUNNING, PRODUCER_CONDEMNED } from './engine-status.js'
import type { Gate } from './gate.js'
import { Lane, type LaneMemory, tellProducer, tellRoom } from './lane.js'
import type { Logger } from './logger.js'

/** How long a closing engine waits for producers that do not take their receipts. */
const CLOSE_WAIT_MS = 1000

export class Lanes {
  /** Those whose commands are taken. */
  readonly served: Lane[] = []
  /** All whose producers have to be told how the engine ends. */
  private readonly attached = new Set<Lane>()
  private status = ENGINE_RUNNING
  /** While it lasts, producers are told to send nothing. Lanes are served as ever. */
  private shortage: DiskShortage | undefined
  private readonly doorbells: DoorbellSet
  private readonly gate: Gate
  private readonly logger: Logger
  private drainUntilMs: number | undefined

  constructor(doorbells: DoorbellSet, gate: Gate, logger: Logger) {
    this.doorbells = doorbells
    this.gate = gate
    this.logger = logger
  }

  /** Whether nothing is answered any more. */
  get hasEnded(): boolean {
    return this.status >= ENGINE_CLOSED
  }

  attach(memory: LaneMemory, isOwn: boolean): Lane {
    const lane = new Lane(memory, isOwn)
    this.attached.add(lane)
    if (this.status === ENGINE_RUNNING) this.served.push(lane)
    else tellProducer(memory, this.status)
    if (this.shortage !== undefined) tellRoom(memory, this.shortage)
    this.doorbells.add(lane.processorDoorbell)
    return lane
  }

  /** Tells all producers; the first end that was reached stays. */
  tell(status: number): void {
    if (status <= this.status || this.hasEnded) return
    this.status = status
    for (const { memory } of this.attached) tellProducer(memory, status)
  }

  /** Tells all producers that the disk has no room, or has room again; true: it had not, or had. */
  tellRoom(shortage: DiskShortage | undefined): boolean {
    const isNew = (shortage === undefined) !== (this.shortage === undefined)
    if (!isNew && shortage?.freeBytes === this.shortage?.freeBytes) return false
    this.shortage = shortage
    for (const { memory } of this.attached) tellRoom(memory, shortage)
    return isNew
  }

  /** Lets go of lanes that have come to their end. Not while a batch is held up: it may be theirs. */
  sweep(): void {
    for (let i = this.served.length - 1; i >= 0; i--) {
      const lane = this.served[i]!
      if (lane.condemned !== undefined) this.cutOff(lane, lane.condemned)
      else if (lane.isAbandoned && lane.isDrained) this.drop(lane)
    }
  }

  /**
   * The engine closes: takes lanes out of service, whose commands were all taken, or whose producers
   * leave no room for the receipts. Returns whether others are left. Not while a batch is held up.
   */
  drain(nowMs: number): boolean {
    this.drainUntilMs ??= this.beginDraining(nowMs)
    for (let i = this.served.length - 1; i >= 0; i--) {
      const lane = this.served[i]!
      // A sweep tells its producer why it has no answer.
      if (lane.condemned !== undefined) continue
      if (lane.hasPassedLastCommand) this.served.splice(i, 1)
      else if (nowMs >= this.drainUntilMs && !lane.hasRoomForReceipts()) {
        this.served.splice(i, 1)
        this.logger.warn(unanswered(lane.countCommands()))
      }
    }
    return this.served.length > 0
  }

  private beginDraining(nowMs: number): number {
    for (const lane of this.served) lane.noteLastCommand()
    return nowMs + CLOSE_WAIT_MS
  }

  private cutOff(lane: Lane, why: string): void {
    // What was taken before is answered, and its producer learns that first.
    if (this.gate.holds(lane)) return
    this.logger.error(`a producer is cut off: ${why}`)
    tellProducer(lane.memory, PRODUCER_CONDEMNED)
    this.drop(lane)
  }

  private drop(lane: Lane): void {
    this.served.splice(this.served.indexOf(lane), 1)
    this.attached.delete(lane)
    this.doorbells.remove(lane.processorDoorbell)
  }
}

function unanswered(count: number): string {
  return `the engine closes, and a producer has not taken its receipts for ${CLOSE_WAIT_MS} ms: ${count} of its commands were not run`
}
