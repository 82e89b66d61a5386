/**
 * Every failure that a user can meet is a {@link TidewheelError}: a `code` for programs, a sentence
 * that says what is wrong and what to do for people, and the place where there is one.
 */

export type ErrorCode =
  // opening
  | 'ENGINE_LOCKED'
  | 'NOT_A_JOURNAL'
  | 'JOURNAL_DAMAGED'
  | 'JOURNAL_UNREADABLE'
  | 'FORMAT_TOO_NEW'
  | 'SCHEMA_CHANGED'
  | 'DOMAIN_MISMATCH'
  | 'DURABILITY_MISMATCH'
  | 'SNAPSHOT_DAMAGED'
  | 'REPLAY_FAILED'
  | 'OUT_OF_MEMORY'
  // declaring a domain
  | 'INVALID_DOMAIN'
  | 'INVALID_OPTION'
  // commands
  | 'UNKNOWN_COMMAND'
  | 'UNKNOWN_AGGREGATE'
  | 'INVALID_COMMAND'
  | 'INVALID_ID'
  | 'INVALID_EVENT'
  | 'READ_AFTER_EMIT'
  | 'TRANSACTION_ENDED'
  | 'BACKPRESSURE'
  | 'DISK_FULL'
  // running
  | 'ENGINE_STOPPED'
  | 'ENGINE_CLOSED'
  | 'PRODUCER_CONDEMNED'
  | 'STORAGE_FAILED'
  | 'EVOLVE_FAILED'
  | 'NO_JOURNAL'
  | 'EVENTS_NOT_IN_MEMORY'
  | 'THREAD_FAILED'
  // proofs
  | 'PROOF_FAILED'

export interface ErrorPlace {
  /** File name, inside the journal's directory unless absolute. */
  readonly file?: string
  /** Byte offset in `file`. */
  readonly offset?: number
  /** Sequence of the event concerned. */
  readonly sequence?: number
  /** Of a command whose answer is not known: it may or may not be kept. */
  readonly outcome?: 'unknown'
  readonly cause?: unknown
}

export class TidewheelError extends Error {
  override readonly name = 'TidewheelError'
  readonly code: ErrorCode
  /** The sentence alone, without code and place: what makes the same error in another thread. */
  readonly reason: string
  readonly file: string | undefined
  readonly offset: number | undefined
  readonly sequence: number | undefined
  readonly outcome: 'unknown' | undefined

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}) {
    super(`${code}: ${message}${describePlace(place)}`, { cause: place.cause })
    this.code = code
    this.reason = message
    this.file = place.file
    this.offset = place.offset
    this.sequence = place.sequence
    this.outcome = place.outcome
  }
}

function describePlace(place: ErrorPlace): string {
  const parts: string[] = []
  if (place.file !== undefined) parts.push(place.file)
  if (place.offset !== undefined) parts.push(`offset ${place.offset}`)
  if (place.sequence !== undefined) parts.push(`sequence ${place.sequence}`)
  return parts.length === 0 ? '' : ` [${parts.join(', ')}]`
}

/** A bug of ours, never a user's mistake: stays on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed, this is a bug in tidewheel: ${message}`)
}

/** What was thrown, for the end of a sentence. Never throws itself, whatever it is given. */
export function causeOf(error: unknown): string {
  try {
    if (error instanceof TidewheelError) return error.reason
    return String(error instanceof Error ? error.message : error)
  } catch {
    return 'something that has no text'
  }
}
