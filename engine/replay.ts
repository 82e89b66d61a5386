/** Rebuilds the state from the blocks of a journal: what opening an engine does before it runs. */
import { type Catalogue, mergeCatalogue, readCatalogueRecord } from '../journal/catalogue.js'
import { causeOf, TidewheelError } from '../journal/errors.js'
import { FrameCursor } from '../journal/frames.js'
import { CATALOGUE_RECORD, SYSTEM_COMMAND } from '../journal/record-layout.js'
import { Applier } from './applier.js'
import type { DomainRuntime } from './domain-runtime.js'
import { TouchAhead } from './touch-ahead.js'

export class Replay {
  /** As the journal has it; undefined as long as none was met. */
  catalogue: Catalogue | undefined
  private readonly runtime: DomainRuntime
  private readonly applier: Applier
  private readonly cursor = new FrameCursor()
  private readonly touches: TouchAhead

  /** @param catalogue of the journal where the runtime's state was taken; none for an empty one */
  constructor(runtime: DomainRuntime, catalogue?: Catalogue) {
    this.runtime = runtime
    this.catalogue = catalogue
    this.applier = new Applier(runtime)
    this.touches = new TouchAhead(runtime)
  }

  /**
   * Applies the frames of one block, which recovery has checked.
   * @throws TidewheelError REPLAY_FAILED, SCHEMA_CHANGED, DOMAIN_MISMATCH, OUT_OF_MEMORY
   */
  visit(view: DataView, frameOffset: number, payloadBytes: number): void {
    const { cursor, touches } = this
    cursor.reset(view, frameOffset, payloadBytes)
    touches.reset(view, frameOffset, payloadBytes)
    let untilTouch = 0
    while (cursor.nextFrame()) {
      if (untilTouch-- === 0) untilTouch = touches.next() - 1
      if (cursor.commandType === SYSTEM_COMMAND) this.readSystemFrame()
      else {
        try {
          this.applier.applyFrame(view, cursor.frameOffset)
        } catch (error) {
          throw isRefusal(error) ? error : this.failed(error)
        }
      }
    }
  }

  private readSystemFrame(): void {
    const { cursor, runtime } = this
    while (cursor.nextRecord()) {
      if (cursor.recordType !== CATALOGUE_RECORD) continue
      const { view, payloadOffset, payloadBytes } = cursor
      this.catalogue = readCatalogueRecord(view, payloadOffset, payloadBytes)
      const merged = mergeCatalogue(this.catalogue, runtime.domain.name, runtime.declaration())
      runtime.bind(merged.catalogue)
    }
  }

  private failed(cause: unknown): TidewheelError {
    const sequence = this.applier.sequenceReached
    return new TidewheelError(
      'REPLAY_FAILED',
      `${this.applier.eventReached} cannot be applied: ${causeOf(cause)}. It could when it was written, so evolve has changed: mend it, then open again`,
      { sequence, cause },
    )
  }
}

/** What the applier itself says; anything else, whatever its class, comes from an `evolve`. */
function isRefusal(error: unknown): boolean {
  return error instanceof TidewheelError && REFUSALS.has(error.code)
}

const REFUSALS: ReadonlySet<string> = new Set(['REPLAY_FAILED', 'SCHEMA_CHANGED', 'OUT_OF_MEMORY'])
