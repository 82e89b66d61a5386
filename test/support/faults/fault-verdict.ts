/**
 * Whether a process behaved as it must when a call of it failed, by what it said:
 *
 *   killed       nothing more to ask of it
 *   refused      opening failed, with a code for that
 *   stopped      everything after the first failure is ENGINE_STOPPED; a close that could not seal
 *   went on      the fault hit what no answer depends on, and the end was in order
 *
 * A failed write or sync of a segment that bears its name is never gone on after.
 */
import type { Fault, Place } from './strace.js'

/** See faulted-process.ts. */
export type Said = readonly [what: string, ...details: unknown[]]

export interface Verdict {
  readonly outcome: 'killed' | 'refused' | 'stopped' | 'went on'
  readonly problem: string | undefined
}

const SEGMENT = /^\d{10}\.segment$/
const MAKES_DURABLE: readonly string[] = ['pwrite64', 'fdatasync']
const REFUSALS: readonly unknown[] = ['JOURNAL_UNREADABLE', 'STORAGE_FAILED', 'DISK_FULL']
const FAILURES: readonly unknown[] = ['ENGINE_STOPPED', 'DISK_FULL']

export function judge(
  said: readonly Said[],
  ended: number | string,
  fault: Fault | undefined,
  place: Place,
): Verdict {
  if (fault === 'KILL') return { outcome: 'killed', problem: undefined }
  const verdict = (outcome: Verdict['outcome'], problem?: string) => ({ outcome, problem })
  const untyped = said.find(([what]) => what === 'untyped')
  if (untyped !== undefined)
    return verdict('stopped', `an error that is none of ours: ${untyped[1]}`)
  if (ended !== 0) return verdict('stopped', `it ended with ${ended}`)
  const refused = said.find(([what]) => what === 'refused')
  if (refused !== undefined) {
    const isRight = fault !== undefined && REFUSALS.includes(refused[1])
    return verdict('refused', isRight ? undefined : `refused with ${refused[1]}`)
  }
  const strange = said.find(([what, , code]) => what === 'failed' && !FAILURES.includes(code))
  if (strange !== undefined) return verdict('stopped', `a command failed with ${strange[2]}`)
  const closed = said.at(-1)
  if (closed?.[0] !== 'closed') return verdict('stopped', 'it did not close')
  const stop = said.findIndex(([what, , code]) => what === 'failed' && code === 'ENGINE_STOPPED')
  if (stop >= 0 && said.slice(stop).some(([what]) => what === 'answered')) {
    return verdict('stopped', 'an answer came after it had stopped')
  }
  const hasStopped = stop >= 0 || closed[1] !== null
  if (fault === undefined)
    return verdict('went on', hasStopped ? 'it stopped by itself' : undefined)
  if (hasStopped) return verdict('stopped')
  const mustStop = SEGMENT.test(place.file) && MAKES_DURABLE.includes(place.call)
  return verdict('went on', mustStop ? 'it went on after a failed write or sync' : undefined)
}
