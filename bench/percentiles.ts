/** Percentiles of latencies in microseconds, by an HdrHistogram: exact to three digits. */
import { build, type Histogram } from 'hdr-histogram-js'

export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
}

export const PERCENTILES = ['p50', 'p90', 'p99', 'p999', 'p9999', 'max'] as const

/** In tenths of a microsecond, so that a fast one keeps its three digits. */
const TICKS_A_US = 10
const LATENCY_US_MAX = 600_000_000

export class LatencyHistogram {
  private readonly histogram: Histogram = build({
    highestTrackableValue: LATENCY_US_MAX * TICKS_A_US,
    numberOfSignificantValueDigits: 3,
  })

  record(latencyUs: number): void {
    const limited = Math.min(LATENCY_US_MAX, Math.max(0, latencyUs))
    this.histogram.recordValue(Math.round(limited * TICKS_A_US))
  }

  percentiles(): Percentiles {
    const { histogram } = this
    const at = (percentile: number): number =>
      histogram.getValueAtPercentile(percentile) / TICKS_A_US
    return {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      p9999: at(99.99),
      max: histogram.maxValue / TICKS_A_US,
    }
  }
}

export function percentilesOf(latenciesUs: Float64Array): Percentiles {
  const histogram = new LatencyHistogram()
  for (const latencyUs of latenciesUs) histogram.record(latencyUs)
  return histogram.percentiles()
}
