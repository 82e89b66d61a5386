/**
 * The processor's side of a running engine: takes batches from the lanes in turn, lets answers out,
 * and stops. It lives on the thread that runs commands: the caller's (inline), or one of its own
 * (processor-thread.ts). Producers meet it through lanes only.
 *
 *   work: each lane: a batch ─▶ event ring ─▶ journaler ─▶ synced ─▶ gate ─▶ receipts
 *   stop: close (drain, sync, seal, free the lock), or a failure (release nothing more, then close)
 */
import { createDoorbell, Doorbell } from '../journal/doorbell.js'
import type { TidewheelError } from '../journal/errors.js'
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
import type { IdValue } from '../journal/schema/id-type.js'
import { createSyncedEdge, SyncedEdgeWriter } from '../journal/synced-edge.js'
import type { CommandPort } from './command-port.js'
import type { Domain } from './domain.js'
import { DoorbellSet } from './doorbell-set.js'
import { EngineEnding } from './engine-ending.js'
import type { ResolvedOptions } from './engine-options.js'
import { EventLoopDriver, type PolledWork } from './event-loop-driver.js'
import { FailureLog } from './failure-log.js'
import { Gate } from './gate.js'
import type { Lane, LaneMemory } from './lane.js'
import { Lanes } from './lanes.js'
import { diskFull } from './not-taken.js'
import { type OpenState, openState } from './opening.js'
import { Processor } from './processor.js'
import { type QuietRead, QuietReads } from './quiet-reads.js'
import { createRandom } from './random.js'
import { RecentEvents } from './read/recent-events.js'
import { stateDigest } from './state-digest.js'
import { processorThrew } from './stop-reason.js'
import { SyncedReads } from './synced-reads.js'
import { JournalClock, systemClock } from './wall-clock.js'

/** Batches of each lane before other work of the thread gets a turn. */
const ROUNDS_A_PASS_MAX = 16

/** What drives the engine from outside: threads and the event loop, or a simulation of both. */
export interface HostMachinery {
  startJournaler(options: JournalerThreadOptions): JournalerLink
  startDriver(work: PolledWork, doorbells: DoorbellSet): Pick<EventLoopDriver, 'kick' | 'stop'>
}

const THREADS: HostMachinery = {
  startJournaler,
  startDriver: (work, doorbells) => new EventLoopDriver(work, doorbells),
}

export class EngineHost {
  readonly ringMemory: EventRingMemory
  readonly edgeMemory = createSyncedEdge()
  readonly state: OpenState
  readonly recentEvents: RecentEvents
  /** Called once, when the engine has failed: nothing is released any more. */
  onFailure: ((error: TidewheelError) => void) | undefined
  private readonly options: ResolvedOptions
  private readonly doorbellMemory = createDoorbell()
  private readonly ring: EventRingWriter
  private readonly gate: Gate
  private readonly processor: Processor
  private readonly journaler: JournalerLink | undefined
  private readonly driver: ReturnType<HostMachinery['startDriver']>
  private readonly lanes: Lanes
  /** Durability `none`: publishing is all there is to wait for. */
  private readonly ownReader: EventRingReader | undefined
  private readonly ownEdge = new SyncedEdgeWriter(this.edgeMemory)
  private port: CommandPort | undefined
  private inBatch = false
  private readonly reads: SyncedReads
  private readonly quietReads: QuietReads
  private readonly ending: EngineEnding

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
      state.journal?.waiting?.discard()
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
    this.reads = new SyncedReads(this.ring, this.gate, () => this.stopReason())
    this.quietReads = new QuietReads(this.ring, this.edgeMemory)
    this.ending = new EngineEnding({
      tell: (status) => this.tell(status),
      drain: () => this.drain(),
      abandon: (failure) => this.abandon(failure),
      release: () => this.release(),
    })
    const clock = new JournalClock(options.clock ?? systemClock(), state.runtime.latestUs, (why) =>
      logger.warn(`${why}; the journal's time stands still until it goes on`),
    )
    this.processor = new Processor(state.runtime, this.ring, this.gate, clock, createRandom())
    const failures = new FailureLog(logger)
    this.processor.onHandlerFailed = (command, error) => failures.add(command, error)
    this.recentEvents = new RecentEvents(this.ringMemory)
    const doorbells = new DoorbellSet(new Doorbell(this.doorbellMemory))
    this.lanes = new Lanes(doorbells, this.gate, logger)
    this.driver = machinery.startDriver(
      { work: () => this.work(), inFlight: () => this.inFlight },
      doorbells,
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
    this.lookAtDisk()
  }

  /** The lane of one more producer, which may live on any thread; `isOwn`: see {@link Lane}. */
  attachLane(memory: LaneMemory, isOwn = false): Lane {
    return this.lanes.attach(memory, isOwn)
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
    return this.state.runtime.copyOf(aggregateIndex, id)
  }

  /** Runs batches until nothing is left or the journal is behind. */
  runBatches(): boolean {
    if (this.inBatch || this.failure !== undefined) return false
    this.lookAtDisk()
    if (this.quietReads.answer()) return false
    this.inBatch = true
    let didWork = false
    try {
      let again = true
      for (let round = 0; again && round < ROUNDS_A_PASS_MAX; round++) {
        again = false
        for (const lane of this.lanes.served) {
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
      if (!again && !this.processor.isHeldUp) this.reads.answer()
    } catch (error) {
      // Where a command stopped half-way, nothing that follows could be trusted.
      this.ending.fail(processorThrew(error))
    } finally {
      this.inBatch = false
    }
    return didWork
  }

  /** Answers with what `read` returns now, when everything that it depends on is synced. */
  whenSynced<T>(read: () => T): Promise<T> {
    // What was asked before close() is answered.
    if (this.ending.hasBegun) return Promise.reject(this.stopReason())
    const answered = this.reads.add(() => {
      if (this.hasFailed) throw this.stopReason()
      return read()
    })
    // What this thread has submitted before is seen.
    this.port?.flush()
    this.runBatches()
    this.driver.kick()
    return answered
  }

  /**
   * What `look` returns of the state, and where the journal ends with this very state: batches wait
   * until there is such a place.
   */
  whenQuiet<T>(look: () => T): Promise<QuietRead<T>> {
    if (this.ending.hasBegun) return Promise.reject(this.stopReason())
    const answered = this.quietReads.add(() => {
      if (this.hasFailed) throw this.stopReason()
      return look()
    })
    this.driver.kick()
    return answered
  }

  digest(): Promise<string> {
    return this.whenSynced(() => stateDigest(this.state.runtime))
  }

  /** An `evolve` that threw leaves state that nobody may see, while the rest is still answered. */
  private get hasFailed(): boolean {
    return this.failure !== undefined || this.processor.failure !== undefined
  }

  /** Whether nothing is answered any more. */
  get hasEnded(): boolean {
    return this.lanes.hasEnded
  }

  /** Why the engine stopped by itself. */
  get failure(): TidewheelError | undefined {
    return this.ending.failure
  }

  /** Why the engine takes no commands. */
  stopReason(): TidewheelError {
    return this.ending.reason(this.failure ?? this.processor.failure)
  }

  /** Takes no more commands, answers what was taken, seals the journal, frees the lock. */
  close(): Promise<void> {
    return this.ending.close()
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
      waiting: journal.waiting,
      onFailure: (error) => this.ending.fail(error),
      onReport: (text) => options.logger.warn(text),
    })
  }

  /** Without room for the next segment no new commands are taken, until there is. */
  private lookAtDisk(): void {
    const shortage = this.journaler?.shortage()
    if (!this.lanes.tellRoom(shortage)) return
    const { logger } = this.options
    if (shortage === undefined) logger.info('the disk has room again: commands are taken')
    else logger.error(diskFull(shortage).message)
  }

  /** The first frame in the ring: types that the journal does not know yet. */
  private announce(frame: Uint8Array): void {
    this.ring.makeRoom(frame.length)
    this.ring.bytes.set(frame, this.ring.offset)
    this.ring.advance(frame.length)
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
    if (!this.processor.isHeldUp) this.lanes.sweep()
    const { failure } = this.processor
    if (failure !== undefined && this.gate.isEmpty) this.ending.fail(failure)
    const polled = this.port?.poll() ?? false
    return ran || released || polled
  }

  private get inFlight(): boolean {
    return (
      !this.gate.isEmpty ||
      this.processor.isHeldUp ||
      !this.reads.isEmpty ||
      !this.quietReads.isEmpty ||
      this.port?.inFlight === true
    )
  }

  private tell(status: number): void {
    this.lanes.tell(status)
    if (this.hasEnded) new EventRingReader(this.ringMemory).wakeSubscribers()
  }

  private drain(): boolean {
    // What this thread has submitted before is answered.
    this.port?.flush()
    this.kick()
    if (this.processor.isHeldUp) return true
    return this.lanes.drain(performance.now()) || this.inFlight
  }

  private abandon(failure: TidewheelError): void {
    this.gate.fail()
    this.reads.fail()
    this.quietReads.fail(this.stopReason())
    this.port?.fail()
    this.onFailure?.(failure)
    this.options.logger.error(failure.message)
  }

  private async release(): Promise<void> {
    this.driver.stop()
    try {
      await this.journaler?.stop()
    } finally {
      this.state.journal?.lock.release()
    }
  }
}
