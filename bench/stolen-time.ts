/** What the host of a virtual machine has taken of its time: nothing on it ran meanwhile. */
import { readFileSync } from 'node:fs'

/** The system counts in hundredths of a second. */
const MS_A_TICK = 10
/** Of the line `cpu user nice system idle iowait irq softirq steal …`. */
const STEAL = 8

/** Milliseconds since the machine started, of all cores together; 0 where none are counted. */
export function stolenMs(): number {
  let counts: string
  try {
    counts = readFileSync('/proc/stat', 'utf8')
  } catch {
    // Only Linux counts it there.
    return 0
  }
  const ticks = Number(counts.split('\n', 1)[0]?.split(/\s+/)[STEAL])
  return Number.isNaN(ticks) ? 0 : ticks * MS_A_TICK
}
