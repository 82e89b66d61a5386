/**
 * What a call is told that comes after the engine has stopped. Of commands that were pending nobody
 * knows whether they are kept, and `outcome: 'unknown'` says so; this one is certainly not.
 */
import { TidewheelError } from '../journal/errors.js'

/** @param reason why the engine takes no commands any more, as pending ones are told */
export function notTaken(reason: TidewheelError): TidewheelError {
  if (reason.outcome === undefined) return reason
  const { code, cause } = reason
  const why = cause instanceof TidewheelError ? `: ${cause.message}` : ''
  return new TidewheelError(
    code,
    `this command was not taken, because the engine has stopped${why}. Open the directory again, and send it again`,
    { cause },
  )
}
