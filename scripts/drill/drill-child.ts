/**
 * The process that the drill kills: opens the engine, offers the order flow on schedule, and writes
 * an acknowledgement for each receipt. Latency counts from the time at which a command was due, not
 * from when it was sent.
 */
import { build, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js'
import { Engine } from '../../engine/index.js'
import exchange, { CancelOrder, PlaceLimit } from '../../examples/exchange/exchange.js'
import { GeneratedOrderFlow } from '../feeds/generated-order-flow.js'
import type { OrderFlow } from '../feeds/order-flow.js'
import { readBitstampFeed } from '../feeds/recorded-order-flow.js'
import { AcknowledgementWriter } from './acknowledgements.js'
import type { ChildMessage, ChildStart, StopMessage } from './drill-messages.js'

/** File descriptor of the acknowledgements' pipe. */
const ACKNOWLEDGEMENTS_FD = 4
const PROGRESS_MS = 250
/** Offered in one turn at most, so that receipts are seen in time. */
const BURST_MAX = 4096
const LATENCY_US_MAX = 60_000_000
/** Latencies of the first second, while V8 compiles, are not counted. */
const WARM_UP_MS = 1000
const BOOK = 'BTC-USD'

class DrillChild {
  private readonly engine: Engine
  private readonly flow: OrderFlow
  private readonly start: ChildStart
  private readonly acknowledgements = new AcknowledgementWriter(ACKNOWLEDGEMENTS_FD)
  private readonly latencies: Histogram = build({
    highestTrackableValue: LATENCY_US_MAX,
    numberOfSignificantValueDigits: 3,
  })
  /** Commands taken in this process. */
  private taken = 0
  private answered = 0
  private startedMs = 0
  private stopped = false

  constructor(engine: Engine, flow: OrderFlow, start: ChildStart) {
    this.engine = engine
    this.flow = flow
    this.start = start
  }

  async run(): Promise<void> {
    const { engine, start } = this
    engine.onReceipts((_first, _last, view) => {
      const nowMs = performance.now()
      while (view.next()) {
        this.acknowledgements.add(start.acknowledged + view.ticket, view.accepted, view.sequence)
        this.recordLatency(view.ticket, nowMs)
        this.answered = view.ticket
      }
      this.acknowledgements.flush()
    })
    const progress = setInterval(() => this.report(), PROGRESS_MS)
    this.startedMs = performance.now()
    let pending = this.flow.next()
    while (pending && !this.stopped) {
      pending = this.offer()
      // Where the ring is full, whatever more is due waits, and counts as latency.
      await (this.isBlocked ? engine.room() : new Promise(setImmediate))
    }
    await engine.synced()
    clearInterval(progress)
    this.report()
    const digest = await engine.digest()
    await engine.close()
    send({ kind: 'finished', digest })
  }

  stop(): void {
    this.stopped = true
  }

  private isBlocked = false

  /** Submits what is due; false: the flow has ended. */
  private offer(): boolean {
    const { rate } = this.start
    const elapsedMs = performance.now() - this.startedMs
    const due = rate === 0 ? this.taken + BURST_MAX : Math.floor((elapsedMs * rate) / 1000)
    const until = Math.min(due, this.taken + BURST_MAX)
    this.isBlocked = false
    while (this.taken < until) {
      if (this.submit() === 0) {
        this.isBlocked = true
        return true
      }
      this.taken++
      if (!this.flow.next()) return false
    }
    return true
  }

  /** The key makes it safe to send again what was in flight when the process was killed. */
  private submit(): number {
    const { engine, flow, start } = this
    const { order, side, price, quantity } = flow
    const key = { key: `c${start.acknowledged + this.taken + 1}` }
    if (flow.kind === 'cancel') return engine.submit(CancelOrder, { book: BOOK, order }, key)
    const timeInForce = 'goodTillCancelled'
    const value = { book: BOOK, order, side, price, quantity, timeInForce } as const
    return engine.submit(PlaceLimit, value, key)
  }

  private recordLatency(ticket: number, nowMs: number): void {
    const { rate } = this.start
    // Without a rate nothing is ever due, so there is nothing to count from.
    if (rate === 0) return
    const dueAfterMs = ((ticket - 1) * 1000) / rate
    if (dueAfterMs < WARM_UP_MS) return
    const latencyUs = Math.round((nowMs - this.startedMs - dueAfterMs) * 1000)
    this.latencies.recordValue(Math.min(LATENCY_US_MAX, Math.max(0, latencyUs)))
  }

  private report(): void {
    const { sequence, segmentNumber, fileOffset } = this.engine.journalPosition()
    const latencies = encodeIntoCompressedBase64(this.latencies)
    this.latencies.reset()
    const journalBytes = (segmentNumber - 1) * SEGMENT_BYTES + fileOffset
    send({ kind: 'progress', answered: this.answered, sequence, journalBytes, latencies })
  }
}

const SEGMENT_BYTES = 64 * 1024 * 1024

function send(message: ChildMessage): void {
  process.send?.(message)
}

async function openFlow(start: ChildStart): Promise<{ flow: OrderFlow; commands?: number }> {
  if (start.feed === undefined) return { flow: new GeneratedOrderFlow({ seed: start.seed }) }
  const feed = await readBitstampFeed(start.feed)
  for (const { line, reason } of feed.broken) console.error(`${start.feed}:${line}: ${reason}`)
  if (feed.brokenCount > 0) console.error(`${feed.brokenCount} broken lines were passed over`)
  return { flow: feed.flow(start.repeat), commands: feed.commands * start.repeat }
}

async function main(start: ChildStart): Promise<void> {
  const { flow, commands } = await openFlow(start)
  for (let i = 0; i < start.acknowledged; i++) flow.next()
  const engine = await Engine.open(start.directory, exchange, { segmentBytes: SEGMENT_BYTES })
  const { events, seconds } = engine.report
  send({
    kind: 'opened',
    recoveredEvents: events,
    recoverySeconds: seconds,
    flowCommands: commands,
  })
  const child = new DrillChild(engine, flow, start)
  process.on('message', (message: StopMessage) => {
    if (message.kind === 'stop') child.stop()
  })
  await child.run()
  process.disconnect?.()
}

process.once('message', (start: ChildStart) => {
  main(start).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
    process.disconnect?.()
  })
})
