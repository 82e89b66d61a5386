/**
 * What passes between the owner of the journal's threads and the threads, apart from shared memory:
 * their start values, and what they have to say.
 */
import { causeOf, type ErrorCode, TidewheelError } from './errors.js'
import type { EventRingMemory } from './event-ring.js'
import type { JournalEnd } from './journal-end.js'

export interface JournalerData {
  path: string
  ring: EventRingMemory
  edge: SharedArrayBuffer
  doorbell: SharedArrayBuffer
  status: SharedArrayBuffer
  preparation: SharedArrayBuffer
  end: JournalEnd
  preamble: Uint8Array
  durability: 'disk' | 'os'
  segmentBytes: number
  direct: boolean
}

export interface SegmentPreparerData {
  path: string
  journalId: Uint8Array
  segmentBytes: number
  preparation: SharedArrayBuffer
  direct: boolean
}

export type JournalerMessage =
  | { kind: 'report'; text: string }
  | {
      kind: 'failure'
      code: ErrorCode
      reason: string
      file: string | undefined
      offset: number | undefined
      cause: string
    }

/** An error as plain data: classes do not survive the way to another thread. */
export function failureMessage(error: unknown): JournalerMessage {
  if (error instanceof TidewheelError) {
    const { code, reason, file, offset } = error
    return { kind: 'failure', code, reason, file, offset, cause: causeOf(error.cause ?? error) }
  }
  const cause = causeOf(error)
  return {
    kind: 'failure',
    code: 'STORAGE_FAILED',
    reason: `the journaler failed: ${cause}. The engine has stopped; open it again: what was answered is kept`,
    file: undefined,
    offset: undefined,
    cause: error instanceof Error ? (error.stack ?? cause) : cause,
  }
}

export function errorOf(message: Extract<JournalerMessage, { kind: 'failure' }>): TidewheelError {
  const { code, reason, file, offset, cause } = message
  return new TidewheelError(code, reason, {
    ...(file === undefined ? {} : { file }),
    ...(offset === undefined ? {} : { offset }),
    cause,
  })
}
