/**
 * The process that the drill kills: opens the engine, offers the commands of a flow on schedule, and
 * writes an acknowledgement for each receipt. Latency counts from the time at which a command was
 * due, not from when it was sent.
 */
import { causeOf, TidewheelError } from '../../journal/errors.js'
import { verifyJournal } from '../../journal/verify.js'
import type { Domain } from '../domain.js'
import { Engine } from '../engine.js'
import { defaultLogger } from '../logger.js'
import { checkReplay, describeDifference } from '../replay-check.js'
import { AcknowledgementWriter } from './acknowledgements.js'
import { DrillError } from './drill-error.js'
import type { DrillCommand, DrillFlow } from './drill-flow.js'
import type {
  ChildMessage,
  ChildStart,
  ExaminedMessage,
  ReplayedMessage,
  StopMessage,
} from './drill-messages.js'
import { LatencyHistogram } from './latency-histogram.js'

/** File descriptor of the acknowledgements' pipe. */
const ACKNOWLEDGEMENTS_FD = 4
const PROGRESS_MS = 250
/** Offered in one turn at most, so that receipts are seen in time. */
const BURST_MAX = 4096
/** Latencies of the first second, while V8 compiles, are not counted. */
const WARM_UP_MS = 1000

class DrillChild {
  private readonly engine: Engine
  private readonly next: () => DrillCommand | undefined
  private readonly start: ChildStart
  private readonly acknowledgements = new AcknowledgementWriter(ACKNOWLEDGEMENTS_FD)
  private readonly latencies = new LatencyHistogram()
  private rejections = new Map<string, number>()
  private pending: DrillCommand | undefined
  /** Commands taken in this process. */
  private taken = 0
  private answered = 0
  private startedMs = 0
  private stopped = false
  private isBlocked = false
  private failure: DrillError | undefined

  constructor(engine: Engine, next: () => DrillCommand | undefined, start: ChildStart) {
    this.engine = engine
    this.next = next
    this.start = start
  }

  async run(): Promise<void> {
    const { engine, start } = this
    engine.onReceipts((_first, _last, view) => {
      const nowMs = performance.now()
      while (view.next()) {
        const { ticket, accepted, code } = view
        if (code !== '') this.noteRejection(code, ticket)
        this.acknowledgements.add(start.acknowledged + ticket, accepted, view.sequence)
        this.recordLatency(ticket, nowMs)
        this.answered = ticket
      }
      this.acknowledgements.flush()
    })
    const progress = setInterval(() => this.report(), PROGRESS_MS)
    this.startedMs = performance.now()
    this.pending = this.next()
    while (this.pending !== undefined && !this.stopped && this.failure === undefined) {
      this.offer()
      // Where the ring is full, whatever more is due waits, and counts as latency.
      await (this.isBlocked ? engine.room() : new Promise(setImmediate))
    }
    await engine.synced()
    clearInterval(progress)
    this.report()
    if (this.failure !== undefined) throw this.failure
  }

  stop(): void {
    this.stopped = true
  }

  /** Submits what is due. */
  private offer(): void {
    const { rate } = this.start
    const elapsedMs = performance.now() - this.startedMs
    const due = rate === 0 ? this.taken + BURST_MAX : Math.floor((elapsedMs * rate) / 1000)
    const until = Math.min(due, this.taken + BURST_MAX)
    this.isBlocked = false
    while (this.taken < until && this.pending !== undefined) {
      if (this.submit(this.pending) === 0) {
        this.isBlocked = true
        return
      }
      this.taken++
      this.pending = this.next()
    }
  }

  /** The key makes it safe to send again what was in flight when the process was killed. */
  private submit({ command, value }: DrillCommand): number {
    const number = this.start.acknowledged + this.taken + 1
    try {
      return this.engine.submit(command, value, { key: `c${number}` })
    } catch (error) {
      if (!(error instanceof TidewheelError) || !REFUSALS.has(error.code)) throw error
      throw new DrillError(
        `command ${number} of the load cannot be sent: ${error.reason}. Mend what makes the commands`,
      )
    }
  }

  private noteRejection(code: string, ticket: number): void {
    this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1)
    if (code !== 'KEY_REUSED') return
    // Keys are the drill's own, and count; so this can only mean one thing.
    this.failure ??= new DrillError(
      `command ${this.start.acknowledged + ticket} of the load was another one after the kill than before; what makes the commands must take all randomness from its argument, and nothing from the clock`,
    )
  }

  private recordLatency(ticket: number, nowMs: number): void {
    const { rate } = this.start
    // Without a rate nothing is ever due, so there is nothing to count from.
    if (rate === 0) return
    const dueAfterMs = ((ticket - 1) * 1000) / rate
    if (dueAfterMs < WARM_UP_MS) return
    this.latencies.record((nowMs - this.startedMs - dueAfterMs) * 1000)
  }

  private report(): void {
    const { segmentNumber, fileOffset } = this.engine.journalPosition()
    const { rejections } = this
    this.rejections = new Map()
    send({
      kind: 'progress',
      answered: this.answered,
      journalBytes: (segmentNumber - 1) * this.start.segmentBytes + fileOffset,
      latencies: this.latencies.take(),
      rejections,
    })
  }
}

/** Of `submit`: what is wrong is the command. */
const REFUSALS: ReadonlySet<string> = new Set(['INVALID_COMMAND', 'UNKNOWN_COMMAND', 'INVALID_ID'])

/** What it would say is in the report. */
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }

let hasToldError = false

/** A handler that fails at what was made up fails often, and the report counts that: one stack is enough. */
const FIRST_ERROR = {
  ...defaultLogger,
  error: (text: string) => {
    if (!hasToldError) defaultLogger.error(text)
    hasToldError = true
  },
}

function send(message: ChildMessage): void {
  process.send?.(message)
}

async function main(start: ChildStart): Promise<void> {
  const { flow } = (await import(start.flow.moduleUrl)) as {
    readonly flow: (options: unknown) => Promise<DrillFlow>
  }
  const { domain, open } = await flow(start.flow.options)
  if (start.mode === 'examine') return send(await examine(start, domain))
  if (start.mode === 'snapshot') return send(await makeSnapshot(start, domain))
  if (start.mode === 'replay') return send(await compareStates(start, domain))
  const next = start.mode === 'load' ? await open() : undefined
  for (let i = 0; i < start.acknowledged; i++) next?.()
  const { directory, segmentBytes } = start
  const engine = await Engine.open(directory, domain, { segmentBytes, logger: FIRST_ERROR })
  const { events, seconds } = engine.report
  send({ kind: 'opened', events, seconds, digest: await engine.digest() })
  if (next !== undefined) {
    const child = new DrillChild(engine, next, start)
    process.on('message', (message: StopMessage) => {
      if (message.kind === 'stop') child.stop()
    })
    await child.run()
  }
  const digest = await engine.digest()
  await engine.close()
  send({ kind: 'finished', digest })
}

async function examine({ directory }: ChildStart, domain: Domain): Promise<ExaminedMessage> {
  let engine: Engine
  try {
    engine = await Engine.open(directory, domain, { logger: QUIET })
  } catch (error) {
    if (!(error instanceof TidewheelError)) throw error
    const { code, message } = error
    return { kind: 'examined', refused: { code, message } }
  }
  const { seconds, cut, snapshotsSkipped = [], repaired } = engine.report
  const cuts =
    cut === undefined ? [] : [`cut at offset ${cut.offset} of ${cut.file}: ${cut.reason}`]
  const told = [...cuts, ...snapshotsSkipped, ...repaired].join('; ')
  const digest = await engine.digest()
  await engine.close()
  return { kind: 'examined', opened: { seconds, digest, told } }
}

async function makeSnapshot(
  { directory, segmentBytes }: ChildStart,
  domain: Domain,
): Promise<ExaminedMessage> {
  const engine = await Engine.open(directory, domain, { segmentBytes, logger: QUIET })
  const snapshot = await engine.snapshot()
  await engine.close()
  return { kind: 'examined', ...(snapshot === undefined ? {} : { snapshot }) }
}

/** As `tidewheel verify --replay`, of a journal that has a snapshot wherever it can have one. */
async function compareStates(start: ChildStart, domain: Domain): Promise<ReplayedMessage> {
  const { directory } = start
  await makeSnapshot(start, domain)
  const { snapshots } = await verifyJournal(directory)
  const check = await checkReplay(directory, domain, snapshots)
  const message = { kind: 'replayed', snapshots: check.snapshots.length } as const
  if (check.difference === undefined) return message
  return { ...message, problem: describeDifference(check.difference) }
}

function fail(error: unknown): void {
  const reason = error instanceof TidewheelError ? error.message : causeOf(error)
  const exit = (): never => process.exit(1)
  if (process.send === undefined) exit()
  else process.send({ kind: 'failed', reason } satisfies ChildMessage, exit)
}

process.once('uncaughtException', fail)
process.once('message', (start: ChildStart) => {
  // The domain may hold the process open with what it started when it was loaded.
  main(start).then(() => process.disconnect?.(), fail)
  process.once('disconnect', () => process.exit())
})
