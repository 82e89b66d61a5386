/** Handlers that failed, for the log: with the stack, which receipts do not carry, and not too often. */
import { causeOf } from '../journal/errors.js'
import type { Logger } from './logger.js'

const INTERVAL_MS = 1000

export class FailureLog {
  private readonly logger: Logger
  private nextMs = 0
  private passedOver = 0

  constructor(logger: Logger) {
    this.logger = logger
  }

  add(command: string, error: unknown): void {
    const nowMs = performance.now()
    if (nowMs < this.nextMs) {
      this.passedOver++
      return
    }
    const others = this.passedOver === 0 ? '' : ` (and ${this.passedOver} more since the last one)`
    this.nextMs = nowMs + INTERVAL_MS
    this.passedOver = 0
    this.logger.warn(
      `the handler of ${command} failed, its command is rejected${others}: ${stackOf(error)}`,
    )
  }
}

/** Never throws, whatever a handler threw. */
function stackOf(error: unknown): string {
  try {
    if (error instanceof Error && error.stack !== undefined) return String(error.stack)
  } catch {
    // An accessor of it threw.
  }
  return causeOf(error)
}
