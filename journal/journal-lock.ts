/**
 * One process, and in it one engine, writes a journal. The lock is the kernel's: it belongs to the
 * open file `lock` in the journal's directory, so it is gone the moment its holder is, also after
 * `kill -9`. The file holds the holder's process id as text, for the message to others.
 *
 * The file stays when the lock is released. Only where a directory is refused does the holder that
 * made the file take it away again. So that two processes never lock two different files, whoever
 * gets the lock looks whether its file still bears the name:
 *
 *   open, or create ──▶ lock ──▶ still `lock` in the directory? ──▶ write the process id
 *          ▲                                    │ no
 *          └────────────────────────────────────┘
 *
 * Reading takes no lock.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { causeOf, TidewheelError } from './errors.js'
import { notRegularError } from './file-storage.js'

export const LOCK_NAME = 'lock'
/** More than an engine ever writes there. */
export const LOCK_TEXT_BYTES_MAX = 32

/** A process id; half of one where a write was cut short; zeros where a power loss took the bytes. */
const HOLDER_TEXT = /^(?:\d{0,20}|\0{0,20})\n?$/
/** Each one more needs another process that opens the same directory and is refused. */
const ATTEMPTS_MAX = 100

/** `tryLock` of fs-native-extensions, so that a test can come between opening and locking. */
type TryLock = (descriptor: number) => boolean

export interface JournalLock {
  /** Lets others open the journal. A second call does nothing. */
  release(): void
  /**
   * Instead of {@link release}, where the directory has been refused: it is left as it was found, so
   * without a lock file if there was none.
   */
  abandon(): void
}

interface LockFile {
  readonly descriptor: number
  readonly isNew: boolean
}

/**
 * Takes the lock of the journal in the directory `path`, which exists.
 * @throws TidewheelError ENGINE_LOCKED when another holder has it, JOURNAL_UNREADABLE when the
 * directory does not exist or must not be written, or when `lock` in it is something else.
 */
export function acquireJournalLock(path: string, lockFile: TryLock = tryLock): JournalLock {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const file = openLockFile(path)
    if (file !== undefined && lock(path, file.descriptor, lockFile)) return lockOf(path, file)
  }
  throw unusableError(path, 'the lock file is made and removed all the time')
}

/** Whether an engine may have written this into its lock file: then it may be overwritten. */
export function isHolderText(text: string): boolean {
  return HOLDER_TEXT.test(text)
}

function lockOf(path: string, { descriptor, isNew }: LockFile): JournalLock {
  let isHeld = true
  const release = (): void => {
    if (!isHeld) return
    isHeld = false
    // Closing the file gives the lock back.
    closeSync(descriptor)
  }
  const abandon = (): void => {
    if (isHeld && isNew) removeLockFile(path)
    release()
  }
  return { release, abandon }
}

/** Undefined: another process made or removed the file just now. */
function openLockFile(path: string): LockFile | undefined {
  const file = join(path, LOCK_NAME)
  // A link is not followed: the file that it names would be overwritten with the process id. A pipe
  // or a device is not waited for.
  const flags = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  try {
    return { descriptor: openSync(file, flags), isNew: false }
  } catch (error) {
    if (!isError(error, 'ENOENT')) throw unusableError(path, error)
  }
  try {
    const descriptor = openSync(file, flags | constants.O_CREAT | constants.O_EXCL, 0o644)
    return { descriptor, isNew: true }
  } catch (error) {
    if (isError(error, 'EEXIST')) return undefined
    throw unusableError(path, error)
  }
}

/** False: the file is not the one in the directory any more, and is closed. */
function lock(path: string, descriptor: number, lockFile: TryLock): boolean {
  let isOurs = false
  try {
    if (!fstatSync(descriptor).isFile()) throw notRegularError(join(path, LOCK_NAME))
    if (!lockFile(descriptor)) throw lockedError(path, descriptor)
    isOurs = isStillThere(path, descriptor)
    if (isOurs) writeHolder(path, descriptor)
  } catch (error) {
    closeSync(descriptor)
    if (error instanceof TidewheelError) throw error
    throw unusableError(path, error)
  }
  if (!isOurs) closeSync(descriptor)
  return isOurs
}

function isStillThere(path: string, descriptor: number): boolean {
  const locked = fstatSync(descriptor, { bigint: true })
  const there = lstatSync(join(path, LOCK_NAME), { bigint: true, throwIfNoEntry: false })
  return there !== undefined && there.ino === locked.ino && there.dev === locked.dev
}

function writeHolder(path: string, descriptor: number): void {
  if (!isHolderText(readText(descriptor))) {
    throw new TidewheelError(
      'JOURNAL_UNREADABLE',
      `the journal ${path} cannot be locked: its file ${LOCK_NAME} was not written by an engine, so it is not overwritten. Find out whose it is, move it away, and open again`,
      { file: LOCK_NAME },
    )
  }
  // Shortened first: half a number would name the wrong process.
  ftruncateSync(descriptor, 0)
  writeSync(descriptor, `${process.pid}\n`, 0)
}

/** Nobody is told of a failure: the file that is left behind harms nobody. */
function removeLockFile(path: string): void {
  try {
    unlinkSync(join(path, LOCK_NAME))
  } catch {
    // What refused the directory is what counts.
  }
}

function lockedError(path: string, descriptor: number): TidewheelError {
  const holder = readHolder(descriptor)
  const who = holder === process.pid ? 'this process' : holderName(holder)
  return new TidewheelError(
    'ENGINE_LOCKED',
    `the journal ${path} is open in ${who}; close it there, or end that process, and open again (do not remove the lock file)`,
    { file: LOCK_NAME },
  )
}

function holderName(pid: number | undefined): string {
  return pid === undefined ? 'another process' : `another process, pid ${pid}`
}

function readHolder(descriptor: number): number | undefined {
  // The holder may not have written it yet, or only a part of it.
  const match = /^(\d+)\n/.exec(readText(descriptor))
  return match === null ? undefined : Number(match[1])
}

function readText(descriptor: number): string {
  const bytes = Buffer.alloc(LOCK_TEXT_BYTES_MAX)
  const lengthBytes = readSync(descriptor, bytes, 0, LOCK_TEXT_BYTES_MAX, 0)
  return bytes.toString('latin1', 0, lengthBytes)
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}

function unusableError(path: string, cause: unknown): TidewheelError {
  return new TidewheelError(
    'JOURNAL_UNREADABLE',
    `the journal ${path} cannot be locked (${causeOf(cause)}); check that the directory exists and that this process may create and write files in it`,
    { file: LOCK_NAME, cause },
  )
}
