/** What those are told who want something of an engine that does not run any more. */
import { causeOf, TidewheelError } from '../journal/errors.js'
import { ENGINE_FAILED, PRODUCER_CONDEMNED } from './engine-status.js'

/**
 * On another thread than the engine's, which has only its lane's word.
 *
 * @param failure where it is known
 */
export function stopReasonOf(status: number, failure: TidewheelError | undefined): TidewheelError {
  if (status === PRODUCER_CONDEMNED) return producerCondemned()
  return status === ENGINE_FAILED || failure !== undefined ? engineStopped(failure) : engineClosed()
}

/** Of a producer alone: the others, and the engine, go on. */
function producerCondemned(): TidewheelError {
  return new TidewheelError(
    'PRODUCER_CONDEMNED',
    'something has written over the rings of this producer, so the engine has cut it off. What was pending may or may not be kept; find out what wrote there, then connect another producer',
    { outcome: 'unknown' },
  )
}

/** It was closed in order: whatever has no answer was not taken. */
export function engineClosed(): TidewheelError {
  return new TidewheelError(
    'ENGINE_CLOSED',
    'the engine is closed; open the directory again to go on',
  )
}

/** It failed. */
export function engineStopped(failure: TidewheelError | undefined): TidewheelError {
  const why = failure === undefined ? 'its log says why' : failure.message
  return new TidewheelError(
    'ENGINE_STOPPED',
    `the engine has stopped: ${why}. What was pending may or may not be kept; open the directory again to see`,
    { outcome: 'unknown', cause: failure },
  )
}

/** The failure of an engine whose processor threw, where nothing of ours ever should. */
export function processorThrew(cause: unknown): TidewheelError {
  return new TidewheelError(
    'ENGINE_STOPPED',
    `the processor threw: ${causeOf(cause)}. This is a bug in tidewheel; nothing of the batch was kept`,
    { cause },
  )
}
