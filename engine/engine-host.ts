/**
 * The processor's side of a running engine: takes batches from the lanes in turn, lets answers out,
 * and stops. It lives on the thread that runs commands: the caller's (inline), or one of its own
 * (processor-thread.ts). Producers meet it through lanes only.
 *
 *   work: each lane: a batch ─▶ event ring ─▶ journaler ─▶ synced ─▶ gate ─▶ receipts
 *   stop: close (drain, sync, seal, free the lock), or a failure (release nothing more, then close)
 */
import { createDoorbell, Doorbell } from '../journal/doorbell.js'
import { causeOf, TidewheelError } from '../journal/errors.js'
import {
  createEventRing,
  type EventRingMemory,
  EventRingReader,
  EventRingWriter,
} from '../journal/event-ring.js'
import {
  type JournalerLink,
  type JournalerThreadOptions,
  startJournaler,
} from '../journal/journaler-link.js'
import { type IdValue, isId } from '../journal/schema/id-type.js'
import { createSyncedEdge, SyncedEdgeWriter } from '../journal/synced-edge.js'
import type { CommandPort } from './command-port.js'
import type { Domain } from './domain.js'
import type { ResolvedOptions } from './engine-options.js'
import { ENGINE_CLOSED, ENGINE_CLOSING, ENGINE_FAILED, EngineStatus } from './engine-status.js'
import { EventLoopDriver, type PolledWork } from './event-loop-driver.js'
import { FailureLog } from './failure-log.js'
import { Fifo } from './fifo.js'
import { Gate } from './gate.js'
import { refuseId } from './id-refusal.js'
import { createLaneMemory, Lane, type LaneMemory } from './lane.js'
import { ObjectStore } from './object-store.js'
import { type OpenState, openState } from './opening.js'
import { Processor } from './processor.js'
import { createRandom } from './random.js'
import { RecentEvents } from './read/recent-events.js'
import { stateDigest } from './state-digest.js'
import { JournalClock, systemClock } from './wall-clock.js'

/** Batches of each lane before other work of the thread gets a turn. */
const ROUNDS_A_PASS_MAX = 16

/** What drives the engine from outside: threads and the event loop, or a simulation of both. */
export interface HostMachinery {
  startJournaler(options: JournalerThreadOptions): JournalerLink
  startDriver(work: PolledWork, doorbell: Doorbell): Pick<EventLoopDriver, 'kick' | 'stop'>
}

const THREADS: HostMachinery = {
  startJournaler,
  startDriver: (work, doorbell) => new EventLoopDriver(work, doorbell),
}

interface Read {
  readonly answer: () => void
  readonly reject: (error: unknown) => void
}

export class EngineHost {
  readonly status = new EngineStatus()
  readonly ringMemory: EventRingMemory
  readonly edgeMemory = createSyncedEdge()
  readonly state: OpenState
  readonly recentEvents: RecentEvents
  /** Why the engine stopped by itself. */
  failure: TidewheelError | undefined
  /** Called once, when the engine has failed: nothing is released any more. */
  onFailure: ((error: TidewheelError) => void) | undefined
  private readonly options: ResolvedOptions
  private readonly doorbellMemory = createDoorbell()
  private readonly ring: EventRingWriter
  private readonly gate: Gate
  private readonly processor: Processor
  private readonly journaler: JournalerLink | undefined
  private readonly driver: ReturnType<HostMachinery['startDriver']>
  private readonly lanes: Lane[] = []
  /** Durability `none`: publishing is all there is to wait for. */
  private readonly ownReader: EventRingReader | undefined
  private readonly ownEdge = new SyncedEdgeWriter(this.edgeMemory)
  private port: CommandPort | undefined
  private inBatch = false
  private closing: Promise<void> | undefined
  /** Reads that wait until what was submitted before them has run. */
  private readonly reads = new Fifo<Read>()

  /** @throws TidewheelError as openState does; the lock is free then */
  static async open(path: string, domain: Domain, options: ResolvedOptions): Promise<EngineHost> {
    return EngineHost.start(openState(path, domain, options), options)
  }

  static async start(
    state: OpenState,
    options: ResolvedOptions,
    machinery: HostMachinery = THREADS,
  ): Promise<EngineHost> {
    try {
      const host = new EngineHost(state, options, machinery)
      await host.started()
      if (host.failure !== undefined) throw host.failure
      return host
    } catch (error) {
      state.journal?.lock.release()
      throw error
    }
  }

  private constructor(state: OpenState, options: ResolvedOptions, machinery: HostMachinery) {
    this.state = state
    this.options = options
    const { logger } = options
    this.ringMemory = createEventRing(options.ringBytes)
    this.ring = new EventRingWriter(this.ringMemory)
    this.gate = new Gate([this.ring])
    const clock = new JournalClock(
      options.clock ?? systemClock(),
      state.runtime.latestUs,
      (behindUs) => {
        logger.warn(
          `the system's clock is ${behindUs} µs behind the journal; its time stands still`,
        )
      },
    )
    this.processor = new Processor(state.runtime, this.ring, this.gate, clock, createRandom())
    const failures = new FailureLog(logger)
    this.processor.onHandlerFailed = (command, error) => failures.add(command, error)
    this.recentEvents = new RecentEvents(this.ringMemory)
    this.driver = machinery.startDriver(
      { work: () => this.work(), inFlight: () => this.inFlight },
      new Doorbell(this.doorbellMemory),
    )
    if (state.journal === undefined) this.ownReader = new EventRingReader(this.ringMemory)
    else this.journaler = this.startJournaler(state.journal, machinery)
    this.driver.kick()
  }

  /** Resolves when commands can be answered. While it is awaited, the process stays alive. */
  private async started(): Promise<void> {
    this.journaler?.ref()
    await this.journaler?.started
    this.journaler?.unref()
  }

  /** Memory for one more producer, which may live on any thread. */
  createLane(): LaneMemory {
    return createLaneMemory(this.doorbellMemory, this.status.memory)
  }

  attachLane(memory: LaneMemory): Lane {
    const lane = new Lane(memory)
    this.lanes.push(lane)
    return lane
  }

  /** Inline: the producer on this thread, polled with the rest. */
  attachPort(port: CommandPort): void {
    this.port = port
  }

  /** The producer is gone: what it published is still processed, then the lane is dropped. */
  dropLane(lane: Lane): void {
    lane.isAbandoned = true
    this.driver.kick()
  }

  /** Commands were published, or an answer is awaited: runs what is there. */
  kick(): void {
    this.runBatches()
    this.driver.kick()
  }

  /** A ring is full: makes room in it if the journal allows. */
  runNow(): void {
    this.gate.release()
    this.runBatches()
  }

  /** A copy of the state of a stream; undefined without events. */
  read(aggregateIndex: number, id: IdValue): unknown {
    if (this.hasFailed) throw this.stopReason()
    const store = this.state.runtime.stores[aggregateIndex]!
    if (!isId(store.idType, id)) refuseId(store.name, store.idType, id)
    const slot = store.ids.find(id)
    return store.version(slot) === 0 ? undefined : store.copy(slot)
  }

  /** The same, as plain data that can travel to another thread. */
  snapshot(aggregateIndex: number, id: IdValue): unknown {
    const store = this.state.runtime.stores[aggregateIndex]!
    const copy = this.read(aggregateIndex, id)
    return copy !== undefined && store instanceof ObjectStore
      ? store.snapshotOf(store.ids.find(id))
      : copy
  }

  /** Runs batches until nothing is left or the journal is behind. */
  runBatches(): boolean {
    if (this.inBatch || this.failure !== undefined) return false
    this.inBatch = true
    let didWork = false
    try {
      let again = true
      for (let round = 0; again && round < ROUNDS_A_PASS_MAX; round++) {
        again = false
        for (const lane of this.lanes) {
          this.recentEvents.note(this.ring.position, this.state.runtime.sequence)
          if (this.processor.runBatch(lane)) again = true
          // What is held up belongs to one lane, and comes first.
          if (this.processor.isHeldUp) break
        }
        if (this.ownReader !== undefined) this.releaseUnsynced(this.ownReader)
        if (again) didWork = true
        if (this.processor.isHeldUp) break
        // Rejections alone would fill the gate, since nothing that they wait for is written.
        if (this.journaler?.hasFailed() !== true) this.gate.release()
      }
      if (!again && !this.processor.isHeldUp) this.answerReads()
    } catch (error) {
      // Where a command stopped half-way, nothing that follows could be trusted.
      this.fail(processorError(error))
    } finally {
      this.inBatch = false
    }
    return didWork
  }

  /** Answers with what `read` returns now, when everything that it depends on is synced. */
  whenSynced<T>(read: () => T): Promise<T> {
    // Not the shared status: what was asked before close() is answered.
    if (this.closing !== undefined) return Promise.reject(this.stopReason())
    return new Promise((resolve, reject) => {
      const fail = () => reject(this.stopReason())
      const answer = () => {
        if (this.hasFailed) throw this.stopReason()
        const value = read()
        this.gate.hold(this.ring.position, () => resolve(value), fail)
      }
      this.reads.push({ answer, reject })
      // What this thread has submitted before is seen.
      this.port?.flush()
      this.runBatches()
      this.driver.kick()
    })
  }

  /** Between batches, when every lane is empty. */
  private answerReads(): void {
    while (this.reads.length > 0) {
      const { answer, reject } = this.reads.shift()
      try {
        answer()
      } catch (error) {
        reject(error)
      }
    }
  }

  digest(): Promise<string> {
    return this.whenSynced(() => stateDigest(this.state.runtime))
  }

  /** An `evolve` that threw leaves state that nobody may see, while the rest is still answered. */
  private get hasFailed(): boolean {
    return this.failure !== undefined || this.processor.failure !== undefined
  }

  /** Why the engine takes no commands. */
  stopReason(): TidewheelError {
    const failure = this.failure ?? this.processor.failure
    if (failure === undefined) {
      return new TidewheelError(
        'ENGINE_CLOSED',
        'the engine is closed; open the directory again to go on',
      )
    }
    return new TidewheelError(
      'ENGINE_STOPPED',
      `the engine has stopped: ${failure.message}. What was pending may or may not be kept; open the directory again to see`,
      { outcome: 'unknown', cause: failure },
    )
  }

  /** Takes no more commands, answers what was taken, seals the journal, frees the lock. */
  close(): Promise<void> {
    this.closing ??= this.drainAndClose()
    return this.closing
  }

  private startJournaler(
    journal: NonNullable<OpenState['journal']>,
    machinery: HostMachinery,
  ): JournalerLink {
    const { options } = this
    if (journal.announcesCatalogue) this.announce(journal.preamble)
    return machinery.startJournaler({
      path: journal.path,
      ring: this.ringMemory,
      edge: this.edgeMemory,
      doorbell: this.doorbellMemory,
      end: journal.end,
      preamble: journal.preamble,
      durability: options.durability === 'os' ? 'os' : 'disk',
      segmentBytes: options.segmentBytes,
      onFailure: (error) => this.fail(error),
      onReport: (text) => options.logger.warn(text),
    })
  }

  /** The first frame in the ring: types that the journal does not know yet. */
  private announce(frame: Uint8Array): void {
    this.ring.makeRoom(frame.length)
    this.ring.bytes.set(frame, this.ring.offset)
    this.ring.position += frame.length
    this.ring.publish()
  }

  /** Durability `none`: what is published is all that there will be. */
  private releaseUnsynced(reader: EventRingReader): void {
    const position = this.ring.publishedPosition
    if (position === reader.syncedPosition()) return
    this.ownEdge.set(0, 0, position, this.state.runtime.sequence, 0)
    reader.releaseSynced(position)
  }

  private work(): boolean {
    if (this.failure !== undefined) return false
    const ran = this.runBatches()
    if (this.journaler?.hasFailed() === true) {
      // The message with the reason is on its way: nothing is released meanwhile.
      return false
    }
    const released = this.gate.release()
    this.dropAbandonedLanes()
    if (this.processor.failure !== undefined && this.gate.isEmpty) this.fail(this.processor.failure)
    const polled = this.port?.poll() ?? false
    return ran || released || polled
  }

  private get inFlight(): boolean {
    return (
      !this.gate.isEmpty ||
      this.processor.isHeldUp ||
      this.reads.length > 0 ||
      this.port?.inFlight === true
    )
  }

  private dropAbandonedLanes(): void {
    const { lanes } = this
    for (let i = lanes.length - 1; i >= 0; i--) {
      const lane = lanes[i]!
      if (lane.condemned !== undefined && !lane.isAbandoned) {
        lane.isAbandoned = true
        this.options.logger.error(`a producer is cut off: ${lane.condemned}`)
      }
      if (lane.isAbandoned && lane.isDrained) lanes.splice(i, 1)
    }
  }

  private fail(error: TidewheelError): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.endProducers(ENGINE_FAILED)
    this.gate.fail()
    for (const { reject } of this.reads.drain()) reject(this.stopReason())
    this.port?.fail()
    this.onFailure?.(error)
    this.options.logger.error(error.message)
    void this.close().catch(() => {
      // Whoever calls close() gets this rejection too; here it must not end the process.
    })
  }

  private endProducers(status: number): void {
    this.status.set(status)
    for (const lane of this.lanes) lane.producerDoorbell.ring()
    new EventRingReader(this.ringMemory).wakeSubscribers()
  }

  private async drainAndClose(): Promise<void> {
    this.status.set(ENGINE_CLOSING)
    while (this.failure === undefined && (this.runBatches() || this.inFlight)) {
      this.driver.kick()
      await new Promise(setImmediate)
    }
    this.driver.stop()
    this.endProducers(ENGINE_CLOSED)
    try {
      await this.journaler?.stop()
    } finally {
      this.state.journal?.lock.release()
    }
  }
}

function processorError(cause: unknown): TidewheelError {
  return new TidewheelError(
    'ENGINE_STOPPED',
    `the processor threw: ${causeOf(cause)}. This is a bug in tidewheel; nothing of the batch was kept`,
    { cause },
  )
}
