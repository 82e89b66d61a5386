/** Errors as plain data: classes do not survive the way to another thread. */
import { causeOf, type ErrorCode, TidewheelError } from './errors.js'

export interface ErrorMessage {
  readonly code: ErrorCode | undefined
  readonly reason: string
  readonly file: string | undefined
  readonly offset: number | undefined
  readonly sequence: number | undefined
  readonly outcome: 'unknown' | undefined
  readonly cause: string | undefined
}

export function errorMessageOf(error: unknown): ErrorMessage {
  if (error instanceof TidewheelError) {
    const { code, reason, file, offset, sequence, outcome } = error
    const cause = error.cause === undefined ? undefined : causeOf(error.cause)
    return { code, reason, file, offset, sequence, outcome, cause }
  }
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const nowhere = { file: undefined, offset: undefined, sequence: undefined, outcome: undefined }
  return { code: undefined, reason: causeOf(error), ...nowhere, cause }
}

/** The error that the message tells of. */
export function errorFromMessage(message: ErrorMessage): Error {
  const { code, reason, file, offset, sequence, outcome, cause } = message
  if (code === undefined) return new Error(reason, { cause })
  return new TidewheelError(code, reason, {
    ...(file === undefined ? {} : { file }),
    ...(offset === undefined ? {} : { offset }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(cause === undefined ? {} : { cause }),
  })
}
