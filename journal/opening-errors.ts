/**
 * What the system says while a journal is being opened or read, as an error that a user can act on. An
 * action that only reads has changed nothing when it fails; one that writes can be done again.
 */
import { causeOf, TidewheelError } from './errors.js'
import type { Storage } from './storage.js'

/** Whose files could not be read or written. */
type Place = Pick<Storage, 'path'>

/** @throws TidewheelError JOURNAL_UNREADABLE for what the system said; any other error as it is. */
export function reading<Result>(storage: Place, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    throw asReadError(storage, error)
  }
}

/** What `reading` throws, for those that read piece by piece. */
export function asReadError(storage: Place, error: unknown): unknown {
  if (!isSystemError(error)) return error
  return new TidewheelError(
    'JOURNAL_UNREADABLE',
    `the journal ${storage.path} cannot be read (${causeOf(error)}); check the disk and the permissions of its files. Nothing was changed`,
    { cause: error },
  )
}

/** @throws TidewheelError STORAGE_FAILED for what the system said; any other error as it is. */
export function writing<Result>(storage: Place, action: () => Result): Result {
  try {
    return action()
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new TidewheelError(
      'STORAGE_FAILED',
      `the journal ${storage.path} cannot be written (${causeOf(error)}); nothing that was answered is lost. Check space, permissions and the disk, and open again`,
      { cause: error },
    )
  }
}

/** What a system call throws: it has the name of the error as `code`, such as EIO. */
export function isSystemError(error: unknown): boolean {
  return (
    error instanceof Error &&
    !(error instanceof TidewheelError) &&
    typeof (error as NodeJS.ErrnoException).code === 'string' &&
    (error as NodeJS.ErrnoException).syscall !== undefined
  )
}
