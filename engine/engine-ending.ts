/**
 * How a running engine ends: somebody closes it, or it fails and closes by itself.
 *
 *   close ─▶ CLOSING: what was taken is answered ─▶ CLOSED ─┬▶ journal synced and sealed, lock free
 *   fail  ─▶ FAILED: nothing is answered any more ──────────┘
 */
import type { TidewheelError } from '../journal/errors.js'
import { ENGINE_CLOSED, ENGINE_CLOSING, ENGINE_FAILED } from './engine-status.js'
import { engineClosed, engineStopped } from './stop-reason.js'

/** What the engine does of it. */
export interface EndingEngine {
  /** Tells the producers how the engine is now. */
  tell(status: number): void
  /** Goes on with what was taken; false when there is nothing left that could be answered. */
  drain(): boolean
  /** Nothing is answered any more: tells all who wait on this thread. */
  abandon(failure: TidewheelError): void
  /** Syncs and seals the journal, and frees its directory. */
  release(): Promise<void>
}

export class EngineEnding {
  /** Why the engine stopped by itself. */
  failure: TidewheelError | undefined
  private readonly engine: EndingEngine
  private closing: Promise<void> | undefined

  constructor(engine: EndingEngine) {
    this.engine = engine
  }

  get hasBegun(): boolean {
    return this.closing !== undefined
  }

  /** Why the engine takes no commands. */
  reason(failure = this.failure): TidewheelError {
    return failure === undefined ? engineClosed() : engineStopped(failure)
  }

  fail(failure: TidewheelError): void {
    if (this.failure !== undefined) return
    this.failure = failure
    this.engine.tell(ENGINE_FAILED)
    this.engine.abandon(failure)
    void this.close().catch(() => {
      // Whoever calls close() gets this rejection too; here it must not end the process.
    })
  }

  close(): Promise<void> {
    this.closing ??= this.drainAndRelease()
    return this.closing
  }

  private async drainAndRelease(): Promise<void> {
    this.engine.tell(ENGINE_CLOSING)
    while (this.failure === undefined && this.engine.drain()) await new Promise(setImmediate)
    this.engine.tell(ENGINE_CLOSED)
    await this.engine.release()
  }
}
