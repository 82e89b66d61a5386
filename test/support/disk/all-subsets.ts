/**
 * Every state that a loss of power can leave: all subsets of what is not synced, of sectors, sizes
 * of files and changes of the directory. Where there are more than eight of them, all subsets of
 * eight (the first four, which hold the headers, and the last four), with all others lost and with
 * all others kept.
 */
import type { SimulatedDisk } from './simulated-disk.js'

const FREE_DECISIONS_MAX = 8

/** Hands out a disk of its own for each state; returns how many. */
export function forAllSubsets(before: SimulatedDisk, visit: (disk: SimulatedDisk) => void): number {
  const decisions = before.pendingCount()
  const rests = decisions > FREE_DECISIONS_MAX ? ['lost', 'kept'] : ['lost']
  let states = 0
  for (const rest of rests) {
    const counter: { chosen: number; count: number }[] = []
    do {
      let decision = 0
      let depth = 0
      const disk = before.clone()
      disk.losePower((count) => {
        if (!isFree(decision++, decisions)) return rest === 'kept' ? count - 1 : 0
        if (depth === counter.length) counter.push({ chosen: 0, count })
        return counter[depth++]!.chosen
      })
      visit(disk)
      states++
    } while (advance(counter))
  }
  return states
}

function isFree(decision: number, decisions: number): boolean {
  const half = FREE_DECISIONS_MAX / 2
  return decisions <= FREE_DECISIONS_MAX || decision < half || decision >= decisions - half
}

/** The last digit that can be raised is; false: this was the last state. */
function advance(counter: { chosen: number; count: number }[]): boolean {
  while (counter.length > 0 && counter.at(-1)!.chosen === counter.at(-1)!.count - 1) counter.pop()
  if (counter.length === 0) return false
  counter.at(-1)!.chosen++
  return true
}
