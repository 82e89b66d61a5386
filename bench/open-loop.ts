/**
 * Open loop: commands are due on a schedule, whether the engine keeps up or not, and the latency of
 * each counts from the time at which it was due to its receipt. So a pause shows in all commands that
 * were due while it lasted, and beyond saturation latency grows as long as the run lasts.
 *
 * What is noted while it runs is one entry for each call of the receipts' listener; the histogram is
 * made afterwards, so that measuring takes no time from what is measured.
 */
import type { Engine } from '../engine/index.js'
import { LatencyHistogram, type Percentiles } from './percentiles.js'
import { stolenMs } from './stolen-time.js'

export interface Schedule {
  /** Commands offered a second. */
  readonly rate: number
  /** Not counted. */
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface OpenLoopResult extends Percentiles {
  /** Answered a second: below the offered rate, the engine did not keep up. */
  readonly answeredPerSecond: number
  readonly accepted: number
  readonly rejected: number
  /** Taken from the machine by its host meanwhile; see {@link stolenMs}. */
  readonly stolenMs: number
}

/** A load that was answered, before anything is worked out of it, which makes garbage. */
export interface AnsweredLoad {
  readonly log: AnswerLog
  readonly startedMs: number
  readonly elapsedSeconds: number
  readonly rejected: number
}

/** More in one turn of the event loop would keep receipts waiting. */
const BURST_MAX = 2048

export function commandCount({ rate, warmUpSeconds, seconds }: Schedule): number {
  return Math.round(rate * (warmUpSeconds + seconds))
}

/**
 * Offers commands to an engine of which nothing is in flight. `submitNext` submits the next one and
 * returns its ticket, or 0 when nothing was taken: then it is called for the same one again.
 */
export async function offer(
  engine: Engine,
  schedule: Schedule,
  submitNext: () => number,
): Promise<OpenLoopResult> {
  const total = commandCount(schedule)
  const stolenBefore = stolenMs()
  const load = await offerLoad(engine, schedule, submitNext)
  const stolen = stolenMs() - stolenBefore
  const { log, startedMs, elapsedSeconds, rejected } = load
  return {
    ...log.percentiles(schedule, startedMs),
    answeredPerSecond: total / elapsedSeconds,
    accepted: total - rejected,
    rejected,
    stolenMs: stolen,
  }
}

export async function offerLoad(
  engine: Engine,
  schedule: Schedule,
  submitNext: () => number,
): Promise<AnsweredLoad> {
  const { rate, warmUpSeconds, seconds } = schedule
  const total = commandCount(schedule)
  const log = new AnswerLog(Math.ceil((warmUpSeconds + seconds) * ANSWERS_A_SECOND))
  let rejected = 0
  let firstTicket = 0
  engine.onReceipts((_first, last, view) => {
    log.add(last - firstTicket + 1, performance.now())
    while (view.next()) if (!view.accepted) rejected++
  })
  const startedMs = performance.now()
  await new Promise<void>((resolve, reject) => {
    let sent = 0
    const turn = (): void => {
      try {
        const due = Math.min(total, Math.floor(((performance.now() - startedMs) * rate) / 1000))
        const until = Math.min(due, sent + BURST_MAX)
        while (sent < until) {
          const ticket = submitNext()
          if (ticket === 0) break
          if (sent++ === 0) firstTicket = ticket
        }
        if (sent < total) setImmediate(turn)
        else resolve()
      } catch (error) {
        reject(error)
      }
    }
    turn()
  })
  await engine.synced()
  const elapsedSeconds = (performance.now() - startedMs) / 1000
  if (log.answered !== total) throw new Error(`${log.answered} of ${total} were answered`)
  return { log, startedMs, elapsedSeconds, rejected }
}

/** Calls of the receipts' listener, about: one a block or more. */
const ANSWERS_A_SECOND = 50_000

/** When commands were answered: several at once, in the order in which they were due. */
export class AnswerLog {
  /** Commands answered so far. */
  answered = 0
  private count = 0
  private upTo: Float64Array
  private timesMs: Float64Array

  /** @param capacity for so many entries nothing is allocated */
  constructor(capacity = 65_536) {
    this.upTo = new Float64Array(capacity)
    this.timesMs = new Float64Array(capacity)
  }

  /** All commands up to the one with number `upTo`, counted from 1, are answered. */
  add(upTo: number, timeMs: number): void {
    if (this.count === this.upTo.length) {
      this.upTo = doubled(this.upTo)
      this.timesMs = doubled(this.timesMs)
    }
    this.upTo[this.count] = upTo
    this.timesMs[this.count++] = timeMs
    this.answered = upTo
  }

  percentiles({ rate, warmUpSeconds }: Schedule, startedMs: number): Percentiles {
    const histogram = new LatencyHistogram()
    const ignored = Math.round(rate * warmUpSeconds)
    let index = 0
    for (let i = 0; i < this.count; i++) {
      for (; index < this.upTo[i]!; index++) {
        if (index < ignored) continue
        const dueMs = startedMs + (index * 1000) / rate
        histogram.record((this.timesMs[i]! - dueMs) * 1000)
      }
    }
    return histogram.percentiles()
  }
}

function doubled(array: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2)
  larger.set(array)
  return larger
}
