/** What those are told who want something of an engine that does not run any more. */
import { TidewheelError } from '../journal/errors.js'

/** It was closed in order: whatever has no answer was not taken. */
export function engineClosed(): TidewheelError {
  return new TidewheelError(
    'ENGINE_CLOSED',
    'the engine is closed; open the directory again to go on',
  )
}

/** It failed. On another thread than its own, `failure` may not be known. */
export function engineStopped(failure: TidewheelError | undefined): TidewheelError {
  const why = failure === undefined ? 'its log says why' : failure.message
  return new TidewheelError(
    'ENGINE_STOPPED',
    `the engine has stopped: ${why}. What was pending may or may not be kept; open the directory again to see`,
    { outcome: 'unknown', cause: failure },
  )
}
