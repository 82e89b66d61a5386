/**
 * The journal's two threads as steps on one: the real journaler, segment source and preparer over a
 * storage, which go on when the simulation says so. It stands in for journaler-link.ts.
 *
 * As with threads, a failure shows at once in `hasFailed`, and is told to the owner later. A crash of
 * the simulated disk passes through: it ends the process, so there is nobody left to tell.
 */
import type { DiskShortage } from '../../../journal/disk-shortage.js'
import { Doorbell } from '../../../journal/doorbell.js'
import { errorFromMessage } from '../../../journal/error-message.js'
import type { TidewheelError } from '../../../journal/errors.js'
import { EventRingReader } from '../../../journal/event-ring.js'
import { Journaler } from '../../../journal/journaler.js'
import type { JournalerLink, JournalerThreadOptions } from '../../../journal/journaler-link.js'
import { failureMessage } from '../../../journal/journaler-messages.js'
import {
  PreparedSegmentSource,
  preparationAfter,
} from '../../../journal/prepared-segment-source.js'
import { SegmentPreparation } from '../../../journal/segment-preparation.js'
import { SegmentPreparer } from '../../../journal/segment-preparer.js'
import { SyncedEdgeWriter } from '../../../journal/synced-edge.js'
import { DiskCrash } from '../disk/disk-calls.js'
import type { SimulatedDisk } from '../disk/simulated-disk.js'

export class SimulatedJournaler implements JournalerLink {
  readonly started: Promise<void>
  failure: TidewheelError | undefined
  private readonly disk: SimulatedDisk
  private readonly options: JournalerThreadOptions
  private readonly preparation: SegmentPreparation
  private readonly preparer: SegmentPreparer
  private journaler: Journaler | undefined
  /** Known to be, and not told yet. */
  private untold: TidewheelError | undefined
  private isFailed = false
  private preparerEnded = false

  constructor(disk: SimulatedDisk, options: JournalerThreadOptions) {
    this.disk = disk
    this.options = options
    const { end, segmentBytes } = options
    this.preparation = new SegmentPreparation(preparationAfter(disk, end, segmentBytes))
    const { journalId } = end
    const { preparation } = this
    this.preparer = new SegmentPreparer({ storage: disk, journalId, segmentBytes, preparation })
    this.started = Promise.resolve().then(() => this.start())
  }

  hasFailed(): boolean {
    return this.isFailed
  }

  shortage(): DiskShortage | undefined {
    return this.preparation.shortage
  }

  /** Writes a block, if there is something to write. */
  step(): boolean {
    return this.attempt((journaler) => journaler.step()) ?? false
  }

  tick(nowMs: number): void {
    this.attempt((journaler) => journaler.tick(nowMs))
  }

  /** A piece of the next segment. */
  prepare(): boolean {
    if (this.preparerEnded) return false
    try {
      return this.preparer.step()
    } catch (error) {
      if (error instanceof DiskCrash) throw error
      this.endPreparer()
      this.options.onReport?.(`segments are not prepared ahead any more: ${String(error)}`)
      return false
    }
  }

  /** The message that a failed journaler has sent arrives. */
  tellFailure(): void {
    const { untold } = this
    this.untold = undefined
    if (untold === undefined) return
    this.failure = untold
    this.options.onFailure(untold)
  }

  /** The process is gone: whoever is left of it must not go on. */
  die(reason: TidewheelError): void {
    this.isFailed = true
    this.untold = undefined
    this.preparerEnded = true
    if (this.failure !== undefined) return
    this.failure = reason
    this.options.onFailure(reason)
  }

  async stop(): Promise<void> {
    this.attempt((journaler) => {
      while (journaler.step()) {
        // Each pass writes a block.
      }
      journaler.close()
      this.journaler = undefined
    })
    if (!this.preparerEnded) this.endPreparer()
    this.tellFailure()
    if (this.failure !== undefined) throw this.failure
  }

  ref(): void {
    // There is no thread that could keep a process alive.
  }

  unref(): void {
    // As above.
  }

  private start(): void {
    const { disk, options, preparation } = this
    const { end, segmentBytes, preamble, durability } = options
    try {
      const segments = new PreparedSegmentSource({
        storage: disk,
        journalId: end.journalId,
        segmentBytes,
        preparation,
        onReport: (text) => options.onReport?.(text),
      })
      this.journaler = new Journaler({
        storage: disk,
        ring: new EventRingReader(options.ring),
        segments,
        edge: new SyncedEdgeWriter(options.edge),
        doorbell: new Doorbell(options.doorbell),
        end,
        preamble,
        durability,
      })
    } catch (error) {
      this.fail(error)
      this.tellFailure()
    }
  }

  private attempt<Result>(act: (journaler: Journaler) => Result): Result | undefined {
    if (this.isFailed || this.journaler === undefined) return undefined
    try {
      return act(this.journaler)
    } catch (error) {
      this.fail(error)
      return undefined
    }
  }

  private fail(error: unknown): void {
    this.isFailed = true
    if (error instanceof DiskCrash) throw error
    const message = failureMessage(error)
    if (message.kind === 'failure') this.untold = errorFromMessage(message.error) as TidewheelError
  }

  private endPreparer(): void {
    this.preparerEnded = true
    try {
      this.preparer.close()
    } catch (error) {
      if (error instanceof DiskCrash) throw error
      // As in the thread: what the clean-up meets says nothing new.
    }
    this.preparation.setEnded()
  }
}
