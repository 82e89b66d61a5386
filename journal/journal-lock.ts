/**
 * One process, and in it one engine, writes a journal. The lock is the kernel's: it belongs to the
 * open file `lock` in the journal's directory, so it is gone the moment its holder is, also after
 * `kill -9`. The file holds the holder's process id as text, for the message to others. The file
 * is never removed: whoever removed it could let two processes lock two different files.
 *
 * Reading takes no lock.
 */
import { closeSync, constants, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from 'fs-native-extensions'
import { causeOf, TidewheelError } from './errors.js'

export const LOCK_NAME = 'lock'

/** More digits than any process id has. */
const PID_BYTES_MAX = 20

export interface JournalLock {
  /** Lets others open the journal. A second call does nothing. */
  release(): void
}

/**
 * Takes the lock of the journal in the directory `path`, which exists.
 * @throws TidewheelError ENGINE_LOCKED when another holder has it, JOURNAL_UNREADABLE when the
 * directory does not exist or must not be written.
 */
export function acquireJournalLock(path: string): JournalLock {
  const fileDescriptor = openLockFile(path)
  try {
    if (!tryLock(fileDescriptor)) throw lockedError(path, fileDescriptor)
    writeHolder(fileDescriptor)
  } catch (error) {
    closeSync(fileDescriptor)
    if (error instanceof TidewheelError) throw error
    throw unusableError(path, error)
  }
  let held = true
  return {
    release() {
      if (!held) return
      held = false
      // Closing the file gives the lock back.
      closeSync(fileDescriptor)
    },
  }
}

function openLockFile(path: string): number {
  // A link is not followed: the file that it names would be overwritten with the process id.
  const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)
  try {
    return openSync(join(path, LOCK_NAME), flags, 0o644)
  } catch (error) {
    throw unusableError(path, error)
  }
}

function writeHolder(fileDescriptor: number): void {
  // Shortened first: half a number would name the wrong process.
  ftruncateSync(fileDescriptor, 0)
  writeSync(fileDescriptor, `${process.pid}\n`, 0)
}

function lockedError(path: string, fileDescriptor: number): TidewheelError {
  const holder = readHolder(fileDescriptor)
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

function readHolder(fileDescriptor: number): number | undefined {
  const bytes = Buffer.alloc(PID_BYTES_MAX)
  const length = readSync(fileDescriptor, bytes, 0, PID_BYTES_MAX, 0)
  // The holder may not have written it yet, or only a part of it.
  const match = /^(\d+)\n/.exec(bytes.toString('latin1', 0, length))
  return match === null ? undefined : Number(match[1])
}

function unusableError(path: string, cause: unknown): TidewheelError {
  return new TidewheelError(
    'JOURNAL_UNREADABLE',
    `the journal ${path} cannot be locked (${causeOf(cause)}); check that the directory exists and that this process may create and write files in it`,
    { file: LOCK_NAME, cause },
  )
}
