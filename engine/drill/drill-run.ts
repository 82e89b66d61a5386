/**
 * A drill, on any flow of commands:
 *
 *   a life:     flow ─▶ engine ─▶ acknowledgements ─▶ recorded here ─ SIGKILL
 *   recovery:   on the same directory, in a process of its own: the digest of what is left
 *   next life:  recovers once more (the same digest), goes on behind the last acknowledged command
 *   …
 *   last life:  ends in order; its live digest against that of a replay
 *   audit:      every acknowledgement against the journal
 *   faults:     copies of the journal, each harmed and opened (drill-faults.ts)
 *   replay:     two replays, and each snapshot with what follows it, come to one state (replay-check.ts)
 *
 * What was in flight at a kill is sent again with the same keys, as a client would.
 */
import { AcknowledgementLog } from './acknowledgements.js'
import type { DrillFault } from './drill-damage.js'
import { DrillError } from './drill-error.js'
import { type FaultOutcome, runFault } from './drill-faults.js'
import type { FlowReference } from './drill-flow.js'
import type {
  ChildMessage,
  OpenedMessage,
  ProgressMessage,
  ReplayedMessage,
} from './drill-messages.js'
import { EngineProcess } from './engine-process.js'
import { auditJournal } from './journal-audit.js'
import { LatencyHistogram } from './latency-histogram.js'

export interface DrillPlan {
  /** New, or empty. */
  readonly directory: string
  readonly flow: FlowReference
  readonly segmentBytes: number
  /** Commands offered a second; 0: as many as the engine takes. */
  readonly rate: number
  /** When each life but the last is killed, from when its engine was open. */
  readonly killAfterMs: readonly number[]
  /** Of the last life; undefined: the flow runs to its end. */
  readonly endAfterMs: number | undefined
  /** Tried on copies of the journal, when it is closed. */
  readonly faults: readonly DrillFault[]
}

/** One kill, and what came of it. */
export interface Kill {
  /** Load in this life, before the kill. */
  readonly afterSeconds: number
  /** Commands acknowledged until then, in all lives. */
  readonly acknowledged: number
  /** The first restart after the kill. */
  readonly recovery: { readonly events: number; readonly seconds: number }
  readonly digest: string
  /** A second recovery came to the same state. */
  readonly digestMatches: boolean
}

export interface DrillResult {
  /** In the journal. */
  readonly commands: number
  readonly acknowledged: number
  readonly events: number
  readonly lost: number
  readonly duplicated: number
  /** After each kill, and at the end, live against replayed. */
  readonly digestMatches: boolean
  /** At the end, replayed. */
  readonly digest: string
  /** Answered in the time that load was offered. */
  readonly commandsPerSecond: number
  readonly latencyUs: { readonly p50: number; readonly p99: number; readonly p999: number }
  /** Commands that were answered with a rejection, by its code. */
  readonly rejections: Readonly<Record<string, number>>
  readonly kills: readonly Kill[]
  readonly faults: readonly FaultOutcome[]
  readonly replay: ReplayOutcome
}

export type ReplayOutcome = Pick<ReplayedMessage, 'snapshots' | 'problem'>

export interface LiveLine {
  /** From 1. */
  readonly life: number
  readonly commandsPerSecond: number
  readonly p50: number
  readonly p99: number
  readonly journalMBPerSecond: number
  readonly acknowledged: number
}

export interface DrillListener {
  onLine(line: LiveLine): void
  onNote(text: string): void
}

/**
 * Nothing acknowledged was lost or doubled, every recovery, replay and snapshot came to the same state,
 * and every fault was met as it must be.
 */
export function isRight(result: DrillResult): boolean {
  const { lost, duplicated, digestMatches, faults, replay } = result
  const isSame = digestMatches && replay.problem === undefined
  return lost === 0 && duplicated === 0 && isSame && faults.every((each) => each.isRight)
}

/** @throws DrillError when the drill cannot be run to its end */
export async function runDrill(plan: DrillPlan, listener: DrillListener): Promise<DrillResult> {
  const run = new DrillRun(plan, listener)
  const kills: Kill[] = []
  for (const [i, killAfterMs] of plan.killAfterMs.entries()) {
    const life = await run.live(i + 1, killAfterMs)
    run.compareWith(kills.at(-1), life)
    const recovered = await run.recover()
    kills.push(killOf(life, recovered, run.acknowledgements.count))
    const { acknowledged } = kills[i] as Kill
    listener.onNote(
      `killed with SIGKILL, ${acknowledged} commands acknowledged; ${recovered.opened.events} events recovered, starting again`,
    )
  }
  const last = await run.live(kills.length + 1, undefined)
  run.compareWith(kills.at(-1), last)
  listener.onNote('closed; replaying the journal, and comparing every acknowledgement with it')
  const { digest } = (await run.recover()).opened
  const audit = await auditJournal(plan.directory, run.acknowledgements)
  const { directory, flow, segmentBytes } = plan
  const { acknowledgements } = run
  const faults: FaultOutcome[] = []
  for (const fault of plan.faults) {
    listener.onNote(`harming a copy of the journal: ${fault}`)
    faults.push(await runFault({ directory, flow, segmentBytes, acknowledgements, digest }, fault))
  }
  listener.onNote('replaying twice, and from a snapshot')
  const replay = await run.replay()
  const judged = kills.map((kill, i) => ({ ...kill, digestMatches: run.matches[i] === true }))
  return {
    ...audit,
    acknowledged: run.acknowledgements.count,
    digestMatches: digest === last.digest && judged.every(({ digestMatches }) => digestMatches),
    digest,
    commandsPerSecond: Math.round(run.acknowledgements.count / Math.max(0.001, run.loadSeconds)),
    latencyUs: {
      p50: run.latencies.percentile(50),
      p99: run.latencies.percentile(99),
      p999: run.latencies.percentile(99.9),
    },
    rejections: Object.fromEntries([...run.rejections].toSorted(([, a], [, b]) => b - a)),
    kills: judged,
    faults,
    replay,
  }
}

interface Life {
  readonly opened: OpenedMessage
  /** At the end; undefined when it was killed. */
  readonly digest: string | undefined
  readonly loadSeconds: number
}

function killOf(life: Life, { opened }: Life, acknowledged: number): Kill {
  const { events, seconds, digest } = opened
  const recovery = { events, seconds }
  return {
    afterSeconds: life.loadSeconds,
    acknowledged,
    recovery,
    digest,
    digestMatches: false,
  }
}

class DrillRun {
  readonly acknowledgements = new AcknowledgementLog()
  readonly latencies = new LatencyHistogram()
  readonly rejections = new Map<string, number>()
  /** Whether the second recovery after each kill came to the state of the first. */
  readonly matches: boolean[] = []
  /** Time under load, in all lives. */
  loadSeconds = 0
  private readonly plan: DrillPlan
  private readonly listener: DrillListener

  constructor(plan: DrillPlan, listener: DrillListener) {
    this.plan = plan
    this.listener = listener
  }

  /** A life that begins after a kill recovers what was recovered before it. */
  compareWith(kill: Kill | undefined, life: Life): void {
    if (kill !== undefined) this.matches.push(kill.digest === life.opened.digest)
  }

  /** Recovers, and closes. */
  recover(): Promise<Life> {
    return this.run('recover', 0, undefined)
  }

  /** In a process of its own, as the others: the domain is loaded there. */
  async replay(): Promise<ReplayOutcome> {
    const { acknowledgements, plan } = this
    const { directory, flow, segmentBytes } = plan
    const start = {
      mode: 'replay',
      directory,
      flow,
      segmentBytes,
      acknowledged: 0,
      rate: 0,
    } as const
    let replayed: ReplayedMessage | undefined
    await new EngineProcess(start, acknowledgements, (message: ChildMessage) => {
      if (message.kind === 'replayed') replayed = message
    }).ended
    if (replayed === undefined) {
      throw new DrillError(
        'the process that replays ended without a result; what it said, if it did, is above',
      )
    }
    const { kind: _, ...outcome } = replayed
    return outcome
  }

  /** Under load, until it is killed; without a time it ends in order. */
  async live(life: number, killAfterMs: number | undefined): Promise<Life> {
    const ended = await this.run('load', life, killAfterMs)
    this.loadSeconds += ended.loadSeconds
    if (killAfterMs !== undefined && ended.digest !== undefined) {
      throw new DrillError('the flow ended before the kill; give more commands, or fewer seconds')
    }
    return ended
  }

  private async run(
    mode: 'load' | 'recover',
    life: number,
    killAfterMs: number | undefined,
  ): Promise<Life> {
    const { acknowledgements, plan } = this
    const { directory, flow, segmentBytes, rate, endAfterMs } = plan
    const acknowledged = mode === 'load' ? acknowledgements.count : 0
    const start = { mode, directory, flow, segmentBytes, acknowledged, rate }
    let opened: OpenedMessage | undefined
    let digest: string | undefined
    let openedMs = 0
    let endedMs = 0
    let endTimer: NodeJS.Timeout | undefined
    let lastLine: Line | undefined
    const child = new EngineProcess(start, acknowledgements, (message: ChildMessage) => {
      if (message.kind === 'opened') {
        opened = message
        openedMs = performance.now()
        if (killAfterMs !== undefined) endTimer = setTimeout(() => child.kill(), killAfterMs)
        else if (mode === 'load' && endAfterMs !== undefined)
          endTimer = setTimeout(() => child.stop(), endAfterMs)
      } else if (message.kind === 'finished') {
        digest = message.digest
      } else if (message.kind === 'progress') {
        endedMs = performance.now()
        lastLine = this.tell(life, message, openedMs, lastLine)
      }
    })
    try {
      await child.ended
    } finally {
      clearTimeout(endTimer)
    }
    if (opened === undefined || (killAfterMs === undefined && digest === undefined)) {
      throw new DrillError(
        "the engine's process ended before it was done; what it said, if it did, is above",
      )
    }
    // Without closing and the final digest; a killed process has load until its end.
    const untilMs = digest === undefined ? performance.now() : Math.max(endedMs, openedMs)
    return { opened, digest, loadSeconds: (untilMs - openedMs) / 1000 }
  }

  private tell(
    life: number,
    message: ProgressMessage,
    openedMs: number,
    last: Line | undefined,
  ): Line {
    const atMs = performance.now()
    const { answered, journalBytes, latencies, rejections } = message
    this.latencies.add(latencies)
    for (const [code, count] of rejections) {
      this.rejections.set(code, (this.rejections.get(code) ?? 0) + count)
    }
    const recent = new LatencyHistogram()
    recent.add(latencies)
    const before = last ?? { atMs: openedMs, answered: 0, journalBytes }
    const seconds = Math.max(0.001, (atMs - before.atMs) / 1000)
    this.listener.onLine({
      life,
      commandsPerSecond: Math.round((answered - before.answered) / seconds),
      p50: recent.percentile(50),
      p99: recent.percentile(99),
      journalMBPerSecond: (journalBytes - before.journalBytes) / seconds / 1e6,
      acknowledged: this.acknowledgements.count,
    })
    return { atMs, answered, journalBytes }
  }
}

interface Line {
  readonly atMs: number
  readonly answered: number
  readonly journalBytes: number
}
