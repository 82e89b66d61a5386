/**
 * What a call is told that comes while the engine takes no commands: it has stopped, or the disk is
 * full. Of commands that were pending when it stopped nobody knows whether they are kept, and
 * `outcome: 'unknown'` says so; this one is certainly not.
 */
import type { DiskShortage } from '../journal/disk-shortage.js'
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

/** The engine goes on by itself: what was taken before is answered, and reading works. */
export function diskFull({ freeBytes, neededBytes }: DiskShortage): TidewheelError {
  return new TidewheelError(
    'DISK_FULL',
    `the disk has no room for the next file of the journal: ${mebibytes(freeBytes)} are free, and ${mebibytes(neededBytes)} are needed (a quota may allow less than is free). Commands are not taken meanwhile. Free space: the engine sees it within a second and goes on by itself; then send the command again`,
  )
}

function mebibytes(bytes: number): string {
  return `${(bytes / (1024 * 1024)).toFixed(1)} MiB`
}
