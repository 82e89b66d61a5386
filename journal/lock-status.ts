/**
 * Whether a journal is open for writing, and by whom, found out without touching the lock: even a
 * shared lock that is held for an instant could make an engine fail that is just being opened.
 *
 * Linux lists all locks in /proc/locks, each with the inode of its file. Elsewhere only the process
 * id in the lock file is known, and it stays there when its process has ended.
 */
import { closeSync, constants, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { LOCK_NAME, LOCK_TEXT_BYTES_MAX } from './journal-lock.js'

export interface LockStatus {
  /** Of the process that opened the journal last; undefined when the lock file does not tell. */
  readonly pid: number | undefined
  /** Undefined when this system does not tell. */
  readonly isHeld: boolean | undefined
}

/** `1: OFDLCK ADVISORY  WRITE -1 fe:00:2165349 0 EOF`: the last number before the range is the inode. */
const LOCK_LINE = /^\d+: +\S+ +ADVISORY +WRITE +\S+ +[0-9a-f]+:[0-9a-f]+:(\d+) /

/** Of the journal in the directory `path`. Never throws. */
export function readLockStatus(path: string): LockStatus {
  const file = join(path, LOCK_NAME)
  return { pid: readPid(file), isHeld: readIsHeld(file) }
}

function readPid(file: string): number | undefined {
  try {
    // A link, a pipe or a device that a stranger put there is not waited for.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
    const descriptor = openSync(file, flags)
    try {
      const bytes = Buffer.alloc(LOCK_TEXT_BYTES_MAX)
      const lengthBytes = readSync(descriptor, bytes, 0, bytes.length, 0)
      const match = /^(\d{1,15})\n/.exec(bytes.toString('latin1', 0, lengthBytes))
      return match === null ? undefined : Number(match[1])
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return undefined
  }
}

function readIsHeld(file: string): boolean | undefined {
  try {
    const { ino } = statSync(file, { bigint: true })
    const lines = readFileSync('/proc/locks', 'latin1').split('\n')
    return lines.some((line) => LOCK_LINE.exec(line)?.[1] === String(ino))
  } catch {
    return undefined
  }
}
