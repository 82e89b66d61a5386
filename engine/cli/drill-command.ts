/**
 * `tidewheel drill`: runs the user's domain under load, kills it again and again, and reports what
 * was lost. The drill itself is in engine/drill/; this is its plan and its report.
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { causeOf } from '../../journal/errors.js'
import type { DrillFault } from '../drill/drill-damage.js'
import { withDrillDirectory } from '../drill/drill-directory.js'
import { DrillError } from '../drill/drill-error.js'
import type { FaultOutcome } from '../drill/drill-faults.js'
import { type DrillResult, isRight, type Kill, runDrill } from '../drill/drill-run.js'
import type { UserFlowOptions } from '../drill/user-flow.js'
import { drillPage } from './drill-page.js'
import { count, table } from './human.js'
import type { LineOutput } from './line-output.js'
import { printable } from './printable.js'

export interface DrillOptions {
  /** Path of the module that exports the domain. */
  readonly domain: string
  /** Of the module that makes commands; undefined: they are made up from their declarations. */
  readonly commands: string | undefined
  readonly kills: number
  readonly faults: readonly DrillFault[]
  /** Of load, in all lives together. */
  readonly seconds: number
  /** Kept; undefined: a temporary directory that is removed. */
  readonly dataDirectory: string | undefined
  readonly json: boolean
  readonly htmlFile: string | undefined
}

/** What a report shows. */
export interface DrillReport {
  readonly title: string
  readonly isRight: boolean
  readonly rows: readonly (readonly [string, string])[]
  readonly killRows: readonly (readonly string[])[]
  readonly faultRows: readonly (readonly string[])[]
  readonly rejectionRows: readonly (readonly string[])[]
}

/** Offered a second: what most machines can do, so that a kill meets commands at every stage. */
const RATE = 20_000
/** Small, so that some kills meet the change from one segment to the next, and snapshots can be made. */
const SEGMENT_BYTES = 2 * 1024 * 1024

/** Returns the exit code. @throws DrillError, ModuleError */
export async function drillCommand(options: DrillOptions, output: LineOutput): Promise<number> {
  const { htmlFile } = options
  // Before minutes of load, not after.
  if (htmlFile !== undefined) writePage(htmlFile, '')
  const result = await withDrillDirectory(options.dataDirectory, (directory) =>
    run(options, directory),
  )
  const report = reportOf(options, result)
  await output.writeAll(describe(report))
  if (htmlFile !== undefined) {
    writePage(htmlFile, drillPage(report))
    await output.writeAll([`The page is in ${printable(htmlFile)}`])
  }
  if (options.json) {
    await output.writeAll([printable(JSON.stringify({ ok: report.isRight, ...result }))])
  }
  return report.isRight ? 0 : 1
}

function run(options: DrillOptions, directory: string): Promise<DrillResult> {
  const { kills, faults, seconds, domain, commands } = options
  const flow: UserFlowOptions = {
    domain: resolve(domain),
    commands: commands === undefined ? undefined : resolve(commands),
  }
  const lifeMs = (seconds * 1000) / (kills + 1)
  // On average the lives share the time evenly.
  const killAfterMs = Array.from({ length: kills }, () => Math.random() * 2 * lifeMs)
  return runDrill(
    {
      directory,
      flow: { moduleUrl: new URL('../drill/user-flow.js', import.meta.url).href, options: flow },
      segmentBytes: SEGMENT_BYTES,
      rate: RATE,
      killAfterMs,
      endAfterMs: lifeMs,
      faults,
    },
    // On stderr, so that stdout has the report alone.
    { onLine: () => undefined, onNote: (text) => console.error(printable(text)) },
  )
}

function writePage(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new DrillError(
      `the page cannot be written: ${causeOf(error)}; give --html a file in a folder that is there`,
    )
  }
}

function reportOf(options: DrillOptions, result: DrillResult): DrillReport {
  const { acknowledged, digest, digestMatches, kills, rejections } = result
  const sameDigest = digestMatches
    ? 'the same after every recovery'
    : 'DIFFERS: tidewheel verify --replay names the stream'
  return {
    title: `Drill of ${options.domain}`,
    isRight: isRight(result),
    rows: [
      ['commands in the journal', count(result.commands)],
      ['acknowledged', count(acknowledged)],
      ['events', count(result.events)],
      ['rate under load', `${count(result.commandsPerSecond)} commands/s`],
      ['latency p50 / p99 / p99.9 *', latencyText(result)],
      ['state digest', `${digest.slice(0, 16)}… ${sameDigest}`],
      ['replay', replayText(result)],
      ['acknowledged and lost', count(result.lost)],
      ['applied twice', count(result.duplicated)],
    ],
    killRows: kills.map(killRow),
    faultRows: result.faults.map(faultRow),
    rejectionRows: Object.entries(rejections).map(([code, times]) => [code, count(times)]),
  }
}

function replayText({ replay: { problem, snapshots } }: DrillResult): string {
  if (problem !== undefined) return `DIFFERS: ${problem}`
  const from = snapshots === 0 ? 'no segment was full, so there was none' : 'the same'
  return `twice the same; from a snapshot: ${from}`
}

function killRow(kill: Kill, index: number): string[] {
  const { afterSeconds, acknowledged, recovery, digestMatches } = kill
  return [
    String(index + 1),
    `${afterSeconds.toFixed(2)} s`,
    count(acknowledged),
    count(recovery.events),
    `${recovery.seconds.toFixed(3)} s`,
    digestMatches ? 'the same' : 'DIFFERS',
  ]
}

export const KILL_HEAD = [
  'kill',
  'after load of',
  'acknowledged so far',
  'events recovered',
  'in',
  'second recovery',
] as const

export const FAULT_HEAD = [
  'fault',
  'harm',
  'outcome',
  'in',
  'lost',
  'state',
  'right',
  'why',
] as const

function faultRow(each: FaultOutcome): string[] {
  const { digestMatches, seconds } = each
  const state = digestMatches === undefined ? '' : digestMatches ? 'the same' : 'DIFFERS'
  return [
    each.fault,
    each.harm,
    each.outcome,
    seconds === undefined ? '' : `${seconds.toFixed(3)} s`,
    each.outcome === 'not tried' ? '' : count(each.lost),
    state,
    each.outcome === 'not tried' ? '' : each.isRight ? 'yes' : 'NO',
    each.said,
  ]
}

/** Sentences do not fit a table of a terminal. */
function describeFaults(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return []
  const lines = rows.flatMap(
    ([fault = '', harm = '', outcome, seconds, lost, state, right, why]) => {
      if (outcome === 'not tried') return [`  ${fault}: not tried: ${harm}`]
      const opened = state === '' ? '' : ` in ${seconds}, state ${state}`
      const verdict = `${outcome}${opened}, acknowledged and lost: ${lost}; right: ${right}`
      return [`  ${fault}: ${harm}`, `    ${verdict}`, ...(why === '' ? [] : [`    ${why}`])]
    },
  )
  return [FAULTS, ...lines.map(printable), '']
}

export const FAULTS = 'Faults, each on a copy of the journal'

function describe(report: DrillReport): string[] {
  const { rejectionRows } = report
  return [
    printable(report.title),
    ...table(report.rows, []).map(printable),
    '',
    'Kills',
    ...table([KILL_HEAD, ...report.killRows], [0, 1, 2, 3, 4]),
    '',
    ...describeFaults(report.faultRows),
    REJECTED,
    ...(rejectionRows.length === 0 ? ['  none'] : table(rejectionRows, [1]).map(printable)),
    '',
    FOOTNOTE,
    verdictOf(report),
  ]
}

export const FOOTNOTE =
  '* from the time a command was due to its receipt; without the first second of each life'

/** Codes come with the reports of the process, a few a second; the last one dies with it. */
export const REJECTED = 'Rejected, by code (not in the last quarter of a second before a kill)'

export function verdictOf({ isRight, faultRows }: DrillReport): string {
  return isRight
    ? `PASS: nothing that was acknowledged is lost or applied twice, and every recovery and replay came to the same state${faultRows.length === 0 ? '' : '; every fault was met as it must be'}.`
    : 'FAIL: see above for what was lost, applied twice, differs, or was not refused.'
}

function latencyText({ latencyUs: { p50, p99, p999 } }: DrillResult): string {
  if (p50 === 0) return 'none: the first second of each life is not counted; give more --seconds'
  return [p50, p99, p999].map(latency).join(' / ')
}

function latency(us: number): string {
  return us >= 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${us} µs`
}
