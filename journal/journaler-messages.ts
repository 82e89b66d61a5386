/**
 * What passes between the owner of the journal's threads and the threads, apart from shared memory:
 * their start values, and what they have to say.
 */
import { type ErrorMessage, errorMessageOf } from './error-message.js'
import { causeOf, TidewheelError } from './errors.js'
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
  doorbell: SharedArrayBuffer
  journalId: Uint8Array
  segmentBytes: number
  preparation: SharedArrayBuffer
  direct: boolean
}

export type JournalerMessage =
  | { kind: 'started' }
  | { kind: 'report'; text: string }
  | { kind: 'failure'; error: ErrorMessage }

/** What fails the journaler without being a {@link TidewheelError} is a failure of the storage. */
export function failureMessage(error: unknown): JournalerMessage {
  if (error instanceof TidewheelError) return { kind: 'failure', error: errorMessageOf(error) }
  const failed = new TidewheelError(
    'STORAGE_FAILED',
    `the journaler failed: ${causeOf(error)}. The engine has stopped; open it again: what was answered is kept`,
    { cause: error },
  )
  return { kind: 'failure', error: errorMessageOf(failed) }
}
