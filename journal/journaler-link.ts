/**
 * The owner's side of the journal's two threads: starts them, hears how they fare, and stops them so
 * that everything published is on disk and sealed.
 *
 * A thread that ends in any other way (an exception, `terminate`, out of memory) is a failure of the
 * journal; there is no second thread on the same state. Only the preparer may die: the journal then
 * goes on in sparse segments, unless it died while it made the name of one durable.
 */
import { Worker } from 'node:worker_threads'
import { BLOCK_ALIGNMENT_BYTES } from './block-layout.js'
import type { DiskShortage } from './disk-shortage.js'
import { Doorbell } from './doorbell.js'
import { errorFromMessage } from './error-message.js'
import { causeOf, TidewheelError } from './errors.js'
import { type EventRingMemory, EventRingReader } from './event-ring.js'
import { openFileStorage } from './file-storage.js'
import type { JournalEnd } from './journal-end.js'
import type { JournalerMessage, SegmentPreparerData } from './journaler-messages.js'
import { createJournalerStatus, JournalerStatus } from './journaler-status.js'
import { reading } from './opening-errors.js'
import { preparationAfter } from './prepared-segment-source.js'
import { SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN } from './segment-layout.js'
import { SegmentPreparation } from './segment-preparation.js'
import { SyncedEdgeWriter } from './synced-edge.js'
import { threadArguments } from './thread-arguments.js'
import { WaitingJournaler } from './waiting-journaler.js'

/** An interrupt can fall between the journaler's last look and its sleep, so it is repeated. */
const INTERRUPT_INTERVAL_MS = 2

export interface JournalerThreadOptions {
  /** The journal's directory, locked and recovered by the caller. */
  path: string
  ring: EventRingMemory
  edge: SharedArrayBuffer
  doorbell: SharedArrayBuffer
  end: JournalEnd
  /** System frames at the start of every segment; may be empty. */
  preamble: Uint8Array
  durability: 'disk' | 'os'
  /** Of segments that are made from now on. */
  segmentBytes: number
  /** False: never past the page cache. Default: true. */
  direct?: boolean
  /** Started ahead. Default: one is started now. */
  waiting?: WaitingJournaler | undefined
  /** Once at most. Nothing has been released since what failed. */
  onFailure(error: TidewheelError): void
  onReport?(text: string): void
}

export interface JournalerLink {
  /** Resolves when the journaler runs, or has failed: until then nothing is answered. */
  readonly started: Promise<void>
  readonly failure: TidewheelError | undefined
  /** One atomic load: for polling. True before `onFailure` is called. */
  hasFailed(): boolean
  /**
   * One atomic load: for polling. Set while the disk has no room for the next segment: nothing more
   * should be published than was taken before.
   */
  shortage(): DiskShortage | undefined
  /** Drains what is published, syncs, seals, ends the threads; rejects with the failure. */
  stop(): Promise<void>
  /** Keeps the process alive while something is in flight. */
  ref(): void
  unref(): void
}

/**
 * @throws TidewheelError INVALID_OPTION for a segment size out of range, JOURNAL_UNREADABLE
 * or STORAGE_FAILED where the directory cannot be read or cleaned up.
 */
export function startJournaler(options: JournalerThreadOptions): JournalerLink {
  const { segmentBytes } = options
  const inRange = segmentBytes >= SEGMENT_BYTES_MIN && segmentBytes <= SEGMENT_BYTES_MAX
  if (!inRange || segmentBytes % BLOCK_ALIGNMENT_BYTES !== 0) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `segments of ${segmentBytes} bytes; give a multiple of ${BLOCK_ALIGNMENT_BYTES} from ${SEGMENT_BYTES_MIN} to ${SEGMENT_BYTES_MAX}`,
    )
  }
  return new ThreadedJournaler(options)
}

class ThreadedJournaler implements JournalerLink {
  failure: TidewheelError | undefined
  private readonly options: JournalerThreadOptions
  private readonly status: JournalerStatus
  private readonly preparation: SegmentPreparation
  private readonly journaler: Worker
  private readonly preparerData: SegmentPreparerData
  /** Of the preparer. It starts behind the journaler: no answer waits for it. */
  preparer: Worker | undefined
  readonly started: Promise<void>
  private resolveStarted: () => void = () => {}
  /** Resolves when both threads have exited, however they did. */
  private readonly ended: Promise<void>
  private preparerEnded = Promise.resolve()
  private stopping: Promise<void> | undefined

  constructor(options: JournalerThreadOptions) {
    this.options = options
    const { path, end, segmentBytes, direct = true } = options
    const storage = reading(options, () => openFileStorage(path))
    const preparation = preparationAfter(storage, end, segmentBytes)
    const status = createJournalerStatus()
    this.status = new JournalerStatus(status)
    this.preparation = new SegmentPreparation(preparation)
    // A reader may come before the thread has started.
    const edge = new SyncedEdgeWriter(options.edge)
    const startPosition = new EventRingReader(options.ring).syncedPosition()
    edge.set(end.segmentNumber, end.fileOffset, startPosition, end.sequence, end.blockNumber)

    const { ring, doorbell, durability } = options
    // Copies, since cloning a view into Node's pool would clone all of the pool.
    const journalId = new Uint8Array(end.journalId)
    const previousHash = new Uint8Array(end.previousHash)
    const journalerData = {
      path,
      ring,
      edge: options.edge,
      doorbell,
      status,
      preparation,
      end: { ...end, journalId, previousHash },
      preamble: new Uint8Array(options.preamble),
      durability,
      segmentBytes,
      direct,
    }
    this.preparerData = { path, doorbell, journalId, segmentBytes, preparation, direct }
    const { waiting = new WaitingJournaler() } = options
    this.journaler = waiting.worker
    this.started = new Promise((resolve) => {
      this.resolveStarted = resolve
    })
    this.ended = this.watchJournaler().then(() => this.preparerEnded)
    waiting.begin(journalerData)
  }

  hasFailed(): boolean {
    return this.status.hasFailed
  }

  shortage(): DiskShortage | undefined {
    return this.preparation.shortage
  }

  stop(): Promise<void> {
    this.stopping ??= this.stopThreads()
    return this.stopping
  }

  ref(): void {
    this.journaler.ref()
  }

  unref(): void {
    this.journaler.unref()
  }

  private async stopThreads(): Promise<void> {
    this.status.requestStop()
    const ring = new EventRingReader(this.options.ring)
    ring.interrupt()
    const interrupts = setInterval(() => ring.interrupt(), INTERRUPT_INTERVAL_MS)
    await this.ended
    clearInterval(interrupts)
    if (this.failure !== undefined) throw this.failure
  }

  private watchJournaler(): Promise<void> {
    let uncaught: unknown
    this.journaler.on('message', (message: JournalerMessage) => {
      if (message.kind === 'started') {
        this.resolveStarted()
        this.preparerEnded = this.startPreparer()
      } else if (message.kind === 'failure') {
        this.fail(errorFromMessage(message.error) as TidewheelError)
      } else this.options.onReport?.(message.text)
    })
    this.journaler.on('error', (error) => {
      uncaught = error
    })
    return new Promise((resolve) => {
      this.journaler.on('exit', (exitCode) => {
        if (!this.status.hasStopped) this.fail(unexpectedEnd(exitCode, uncaught))
        // Nobody needs another segment.
        this.preparation.requestStop()
        resolve()
      })
    })
  }

  /** Resolves when its thread has exited, however it did. */
  private startPreparer(): Promise<void> {
    let uncaught: unknown
    const preparer = new Worker(new URL('./segment-preparer-thread.js', import.meta.url), {
      workerData: this.preparerData,
      name: 'tidewheel segment preparer',
      ...threadArguments(),
    })
    this.preparer = preparer
    preparer.on('message', (message: JournalerMessage) => {
      if (message.kind === 'report') this.options.onReport?.(message.text)
    })
    preparer.on('error', (error) => {
      uncaught = error
    })
    // Behind the listener, which keeps the process alive.
    preparer.unref()
    return new Promise((resolve) => {
      preparer.on('exit', (exitCode) => {
        if (!this.preparation.hasEnded) {
          this.preparation.setEnded()
          this.options.onReport?.(
            `the thread that prepares segments ended unexpectedly (${endOf(exitCode, uncaught)}); writes are slower from the next segment on`,
          )
        }
        resolve()
      })
    })
  }

  private fail(error: TidewheelError): void {
    if (this.failure !== undefined) return
    this.failure = error
    this.resolveStarted()
    this.status.setFailed()
    new Doorbell(this.options.doorbell).ring()
    this.options.onFailure(error)
  }
}

function unexpectedEnd(exitCode: number, uncaught: unknown): TidewheelError {
  return new TidewheelError(
    'STORAGE_FAILED',
    `the journaler thread ended unexpectedly (${endOf(exitCode, uncaught)}). The engine has stopped; open it again: what was answered is kept`,
    { cause: uncaught },
  )
}

function endOf(exitCode: number, uncaught: unknown): string {
  return uncaught === undefined ? `exit code ${exitCode}` : causeOf(uncaught)
}
