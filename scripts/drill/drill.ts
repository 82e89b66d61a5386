/**
 * The exchange drill:
 *
 *   first life:  order flow ─▶ engine ─▶ acknowledgements ─▶ recorded here ─ SIGKILL half-way
 *   second life: recovers on the same directory, goes on behind the last acknowledged command
 *   audit:       every acknowledgement against the journal; the live digest against a replay
 *
 * What was in flight at the kill is sent again with the same keys, as a client would.
 */
import { build, decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js'
import { Engine } from '../../engine/index.js'
import exchange from '../../examples/exchange/exchange.js'
import { AcknowledgementLog } from './acknowledgements.js'
import type { DrillArguments } from './drill-arguments.js'
import type { ChildMessage } from './drill-messages.js'
import { EngineProcess } from './engine-process.js'
import { auditJournal } from './journal-audit.js'

export interface DrillResult {
  readonly commands: number
  readonly acknowledged: number
  readonly events: number
  readonly lost: number
  readonly duplicated: number
  readonly digestMatches: boolean
  readonly digest: string
  /** Answered in the time that load was offered. */
  readonly commandsPerSecond: number
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly p999: number }
  /** Of the restart after the kill. */
  readonly recovery: { readonly events: number; readonly seconds: number }
  readonly acknowledgedAtKill: number
}

export interface LiveLine {
  readonly life: 1 | 2
  readonly commandsPerSecond: number
  readonly p50: number
  readonly p99: number
  readonly journalMBPerSecond: number
  readonly acknowledged: number
}

/** Without a rate a recorded feed is spread over the time that there is. */
const RECORDED_RATE_UNKNOWN = -1
const HISTOGRAM = { highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 } as const

export async function runDrill(
  options: DrillArguments,
  directory: string,
  flowCommands: number | undefined,
  onLine: (line: LiveLine) => void,
  onNote: (text: string) => void,
): Promise<DrillResult> {
  const acknowledgements = new AcknowledgementLog()
  const latencies = build(HISTOGRAM)
  const rate =
    options.rate === RECORDED_RATE_UNKNOWN
      ? Math.max(1, Math.ceil((flowCommands ?? 0) / options.seconds))
      : options.rate
  const drill = new DrillRun(options, directory, rate, acknowledgements, onLine)
  await drill.live(1, latencies)
  const acknowledgedAtKill = acknowledgements.count
  onNote(`killed with SIGKILL, ${acknowledgedAtKill} commands acknowledged; starting again`)
  const second = await drill.live(2, latencies)
  onNote('closed; comparing every acknowledgement with the journal, and replaying it')
  const audit = await auditJournal(directory, acknowledgements)
  const replayed = await Engine.open(directory, exchange)
  const digest = await replayed.digest()
  await replayed.close()
  return {
    commands: audit.commands,
    acknowledged: acknowledgements.count,
    events: audit.events,
    lost: audit.lost,
    duplicated: audit.duplicated,
    digestMatches: digest === second.digest,
    digest,
    commandsPerSecond: Math.round(acknowledgements.count / drill.loadSeconds),
    latencyUs: {
      p50: latencies.getValueAtPercentile(50),
      p99: latencies.getValueAtPercentile(99),
      p999: latencies.getValueAtPercentile(99.9),
    },
    recovery: second.recovery,
    acknowledgedAtKill,
  }
}

interface Life {
  readonly digest: string | undefined
  readonly recovery: { readonly events: number; readonly seconds: number }
}

class DrillRun {
  /** Time under load, in both lives. */
  loadSeconds = 0
  private readonly options: DrillArguments
  private readonly directory: string
  private readonly rate: number
  private readonly acknowledgements: AcknowledgementLog
  private readonly onLine: (line: LiveLine) => void

  constructor(
    options: DrillArguments,
    directory: string,
    rate: number,
    acknowledgements: AcknowledgementLog,
    onLine: (line: LiveLine) => void,
  ) {
    this.options = options
    this.directory = directory
    this.rate = rate
    this.acknowledgements = acknowledgements
    this.onLine = onLine
  }

  /** The first life is killed half-way, the second goes on to the end. */
  async live(life: 1 | 2, latencies: Histogram): Promise<Life> {
    const { options, directory, acknowledgements, rate } = this
    const { feed, repeat, seed } = options
    const acknowledged = acknowledgements.count
    const start = { directory, feed, repeat, seed, acknowledged, rate }
    let recovery = { events: 0, seconds: 0 }
    let digest: string | undefined
    let openedMs = 0
    let endedMs = 0
    let endTimer: NodeJS.Timeout | undefined
    let lastLine: { atMs: number; answered: number; journalBytes: number } | undefined
    const child = new EngineProcess(start, acknowledgements, (message: ChildMessage) => {
      if (message.kind === 'opened') {
        recovery = { events: message.recoveredEvents, seconds: message.recoverySeconds }
        openedMs = performance.now()
        endTimer = this.scheduleEnd(life, () => (life === 1 ? child.kill() : child.stop()))
      } else if (message.kind === 'finished') {
        digest = message.digest
      } else {
        endedMs = performance.now()
        const recent = decodeFromCompressedBase64(message.latencies)
        latencies.add(recent)
        lastLine = this.tell(life, message, recent, openedMs, lastLine)
      }
    })
    await child.ended
    clearTimeout(endTimer)
    // Without closing and the final digest; a killed process has load until its end.
    this.loadSeconds += ((life === 1 ? performance.now() : endedMs) - openedMs) / 1000
    if (openedMs === 0) throw new Error('the engine could not be opened; see above')
    if (life === 2 && digest === undefined) throw new Error('the engine failed; see above')
    if (life === 1 && child.exitCode !== null) {
      throw new Error('the flow ended before the kill; give more commands, or fewer seconds')
    }
    return { digest, recovery }
  }

  /** Half of the time for each life; a recorded feed then runs to its end. */
  private scheduleEnd(life: 1 | 2, end: () => void): NodeJS.Timeout | undefined {
    const { seconds, feed } = this.options
    if (life === 2 && feed !== undefined) return undefined
    return setTimeout(end, (seconds * 1000) / 2)
  }

  private tell(
    life: 1 | 2,
    message: Extract<ChildMessage, { kind: 'progress' }>,
    recent: Histogram,
    openedMs: number,
    last: { atMs: number; answered: number; journalBytes: number } | undefined,
  ): { atMs: number; answered: number; journalBytes: number } {
    const atMs = performance.now()
    const { answered, journalBytes } = message
    const before = last ?? { atMs: openedMs, answered: 0, journalBytes }
    const seconds = Math.max(0.001, (atMs - before.atMs) / 1000)
    this.onLine({
      life,
      commandsPerSecond: Math.round((answered - before.answered) / seconds),
      p50: recent.getValueAtPercentile(50),
      p99: recent.getValueAtPercentile(99),
      journalMBPerSecond: (journalBytes - before.journalBytes) / seconds / 1e6,
      acknowledged: this.acknowledgements.count,
    })
    return { atMs, answered, journalBytes }
  }
}
