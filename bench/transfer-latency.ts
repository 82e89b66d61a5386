/**
 * Open loop: transfers are due on a schedule, whether the engine keeps up or not, and latency counts
 * from the time at which one was due to its receipt.
 */
import { rmSync } from 'node:fs'
import { build } from 'hdr-histogram-js'
import { Engine } from '../engine/index.js'
import ledger, { Transfer } from './ledger.js'
import { openAccounts } from './transfer-engine.js'
import { AMOUNT, type TransferOptions, TransferWorkload } from './transfer-workload.js'

export interface LatencyOptions extends TransferOptions {
  /** Transfers offered a second. */
  readonly rate: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface Latencies {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
  /** Answered a second while measuring: below the offered rate, the engine did not keep up. */
  readonly answeredPerSecond: number
}

/** More in one turn would keep receipts waiting. */
const BURST_MAX = 2048
const LATENCY_US_MAX = 60_000_000

export async function measure(options: LatencyOptions): Promise<Latencies> {
  const { directory, accounts, rate, warmUpSeconds, seconds, seed } = options
  rmSync(directory, { recursive: true, force: true })
  const engine = await Engine.open(directory, ledger)
  await openAccounts(engine, accounts)
  const histogram = build({
    highestTrackableValue: LATENCY_US_MAX,
    numberOfSignificantValueDigits: 3,
  })
  const workload = new TransferWorkload(seed, accounts)
  const firstTicket = accounts + 1
  const total = Math.round(rate * (warmUpSeconds + seconds))
  const counted = Math.round(rate * warmUpSeconds)
  let answered = 0
  const startedMs = performance.now()
  engine.onReceipts((_first, _last, view) => {
    const elapsedMs = performance.now() - startedMs
    while (view.next()) {
      const index = view.ticket - firstTicket
      answered++
      if (index < counted) continue
      const latencyUs = Math.round((elapsedMs - (index * 1000) / rate) * 1000)
      histogram.recordValue(Math.min(LATENCY_US_MAX, Math.max(0, latencyUs)))
    }
  })
  let sent = 0
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) * rate) / 1000))
    const until = Math.min(due, sent + BURST_MAX)
    while (sent < until) {
      const from = workload.nextAccount()
      const to = workload.nextAccount()
      if (engine.submit(Transfer, { from, to, amount: AMOUNT }) === 0) break
      sent++
    }
    await new Promise(setImmediate)
  }
  await engine.synced()
  const elapsedSeconds = (performance.now() - startedMs) / 1000
  if (answered !== total) throw new Error(`${answered} of ${total} transfers were answered`)
  await engine.close()
  rmSync(directory, { recursive: true, force: true })
  return {
    p50: histogram.getValueAtPercentile(50),
    p90: histogram.getValueAtPercentile(90),
    p99: histogram.getValueAtPercentile(99),
    p999: histogram.getValueAtPercentile(99.9),
    p9999: histogram.getValueAtPercentile(99.99),
    max: histogram.maxValue,
    answeredPerSecond: total / elapsedSeconds,
  }
}
