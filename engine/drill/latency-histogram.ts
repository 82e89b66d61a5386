/**
 * Latencies in counters that are exact below 128 µs and within 1.6 % above. They travel between
 * processes as they are.
 *
 *   µs        0 … 127   128 … 255   256 … 511   …
 *   counter   0 … 127   128 … 191   192 … 255   …    64 for each power of two
 */
const EXACT_BITS = 7
const STEPS = 1 << (EXACT_BITS - 1)
const LATENCY_US_MAX = 2 ** 31 - 1
const COUNTERS = indexOf(LATENCY_US_MAX) + 1

export class LatencyHistogram {
  private counters = new Uint32Array(COUNTERS)

  record(latencyUs: number): void {
    this.counters[indexOf(Math.min(LATENCY_US_MAX, Math.max(0, Math.round(latencyUs))))]!++
  }

  add(counters: Uint32Array): void {
    for (let i = 0; i < COUNTERS; i++) this.counters[i]! += counters[i] ?? 0
  }

  /** Hands out what was counted, and begins anew. */
  take(): Uint32Array {
    const taken = this.counters
    this.counters = new Uint32Array(COUNTERS)
    return taken
  }

  /** In µs, rounded up to what its counter stands for; 0 when nothing was recorded. */
  percentile(percent: number): number {
    let total = 0
    for (const count of this.counters) total += count
    let left = Math.ceil((total * percent) / 100)
    for (let i = 0; i < COUNTERS && left > 0; i++) {
      left -= this.counters[i]!
      if (left <= 0) return highestOf(i)
    }
    return 0
  }
}

function indexOf(us: number): number {
  const shift = Math.max(0, 32 - EXACT_BITS - Math.clz32(us))
  return shift * STEPS + (us >>> shift)
}

function highestOf(index: number): number {
  const shift = Math.max(0, Math.floor(index / STEPS) - 1)
  return (index - shift * STEPS + 1) * 2 ** shift - 1
}
