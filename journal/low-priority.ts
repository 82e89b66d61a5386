/**
 * Lets the rest of the process go first: what is made in the background may take its time, and where
 * there are fewer cores than busy threads, the processor and the journaler must not wait for it.
 *
 * Linux gives each thread a priority of its own; elsewhere it is the process's, and stays.
 */
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'

const { PRIORITY_BELOW_NORMAL } = constants.priority

/** Of the calling thread, for the rest of its life. */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux') return
  try {
    // "PID/task/TID"; Node has no other name for a thread that the system knows.
    const threadId = Number(readlinkSync('/proc/thread-self').split('/')[2])
    setPriority(threadId, PRIORITY_BELOW_NORMAL)
  } catch {
    // Without /proc, or where the system forbids it: it is made all the same.
  }
}
