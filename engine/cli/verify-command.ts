/**
 * `tidewheel verify`: the report of a verification, as text or as one JSON object; with `--replay`
 * also of what the user's domain makes of the journal (replay-check.ts).
 */
import { headText } from '../../journal/chain-head.js'
import type { TidewheelError } from '../../journal/errors.js'
import { checkEvents } from '../../journal/event-reader.js'
import { type VerifyOptions, type VerifyReport, verifyJournal } from '../../journal/verify.js'
import type { VerifyProblemCode } from '../../journal/verify-segment.js'
import { checkReplay, describeDifference, type ReplayCheck } from '../replay-check.js'
import { loadUserDomain } from '../user-module.js'
import { count, plural, size, table } from './human.js'
import type { LineOutput } from './line-output.js'
import { printable } from './printable.js'

/** What `--replay` asks for. */
export interface ReplayOptions {
  /** Path of the module that exports the domain. */
  readonly domain: string
  /** The digest that the state must have; undefined: any. */
  readonly expect: string | undefined
}

interface Problem {
  readonly code: VerifyProblemCode | 'EVENT_DAMAGED'
  readonly message: string
  readonly file: string
  readonly offset: number
}

interface ReplayReport {
  readonly events: number
  readonly digest: string
  /** Snapshots whose state is the one that the journal gives. */
  readonly snapshots: readonly string[]
  /** Those that were not compared: a sentence each. */
  readonly skipped: readonly string[]
  /** What is wrong; undefined: all states agree, with each other and with what was expected. */
  readonly problem?: string
  /** Where the two states part. */
  readonly aggregate?: string
  readonly id?: string
}

type Report = Omit<VerifyReport, 'problems'> & {
  readonly problems: readonly Problem[]
  readonly replay?: ReplayReport
}

/**
 * Returns the exit code: 1 when anything is wrong with the journal. A wrong index or snapshot is told,
 * and is none of it: the exit code is what a backup is judged by, and nothing is lost with a cache.
 * @throws TidewheelError when there is nothing to verify
 */
export async function verifyCommand(
  path: string,
  json: boolean,
  options: VerifyOptions,
  replay: ReplayOptions | undefined,
  output: LineOutput,
): Promise<number> {
  // First, because a wrong path is found out at once, and verifying may take minutes.
  const domain = replay === undefined ? undefined : await loadUserDomain(replay.domain)
  const verified = await verify(path, options)
  const isReplayed = domain !== undefined && verified.ok
  const replayed = isReplayed
    ? judgeReplay(await checkReplay(path, domain, verified.snapshots), replay?.expect)
    : undefined
  const report: Report =
    replayed === undefined
      ? verified
      : { ...verified, ok: replayed.problem === undefined, replay: replayed }
  await output.writeAll(json ? [printable(JSON.stringify(report))] : describe(path, report))
  return report.ok ? 0 : 1
}

async function verify(path: string, options: VerifyOptions): Promise<Report> {
  const report = await verifyJournal(path, options)
  // Events of damaged blocks cannot be told from damaged events.
  if (!report.ok) return report
  const started = performance.now()
  const { problem } = await checkEvents(path)
  const seconds = report.seconds + (performance.now() - started) / 1000
  if (problem === undefined) return { ...report, seconds }
  return { ...report, seconds, ok: false, problems: [problemOf(problem)] }
}

function problemOf(error: TidewheelError): Problem {
  const { reason: message, file = '', offset = 0 } = error
  return { code: 'EVENT_DAMAGED', message, file, offset }
}

/** `expected` is a digest that the user noted. */
function judgeReplay(check: ReplayCheck, expected: string | undefined): ReplayReport {
  const { difference, ...rest } = check
  if (difference !== undefined) {
    const { aggregate, id } = difference
    const problem = describeDifference(difference)
    return { ...rest, problem, ...(aggregate === undefined ? {} : { aggregate, id: String(id) }) }
  }
  if (expected === undefined || expected === check.digest) return rest
  const problem =
    `the digest is not ${expected}. Both replays agree, so this is another state: the journal has ` +
    'more or fewer events than when it was noted, an evolve was changed, or the window of keys'
  return { ...rest, problem }
}

/** What `--head` asked for. */
function notedRow({ notedBlock }: Report): string[][] {
  if (notedBlock === undefined) return []
  const upTo = notedBlock === 0 ? 'of an empty journal' : `block ${count(notedBlock)}`
  return [['noted head', `${upTo}: everything up to it is what it was`]]
}

function describe(path: string, report: Report): string[] {
  const { problems, warnings, events, lastSequence, replay } = report
  const range = events === 0 ? '' : ` (the last has sequence ${count(lastSequence)})`
  const lines = [
    `Journal ${printable(path)}`,
    ...table(
      [
        ['id', report.journalId === '' ? 'unknown' : report.journalId],
        ['segments', `${count(report.segments)}, ${plural(report.indexes, 'index', 'indexes')}`],
        ...(report.snapshots.length === 0 ? [] : [['snapshots', snapshotsText(report)]]),
        ['blocks', `${count(report.blocks)} in ${size(report.bytes)}`],
        ['events', `${count(events)}${range}`],
        ['head', headText({ sequence: lastSequence, hash: report.headHash })],
        ...notedRow(report),
        ...(replay === undefined
          ? []
          : [['state digest', `${replay.digest} after ${plural(replay.events, 'event')}`]]),
        ['time', `${report.seconds.toFixed(2)} s`],
      ],
      [],
    ),
  ]
  if (report.live)
    lines.push('  The journal was being written: it was verified up to the end that was seen.')
  for (const { code, message, file, offset } of [...problems, ...warnings]) {
    lines.push(`${file}, offset ${offset}: ${code}: ${printable(message)}`)
  }
  for (const sentence of replay?.skipped ?? []) lines.push(printable(`${sentence}.`))
  if (replay?.problem !== undefined) {
    return [...lines, `REPLAY: ${printable(replay.problem)}.`, 'FAILED: 1 problem.']
  }
  if (report.ok && warnings.length > 0) return [...lines, 'OK: nothing is wrong with the journal.']
  if (report.ok) return [...lines, 'OK: nothing is wrong.']
  return [...lines, `FAILED: ${plural(problems.length, 'problem')}.`]
}

/** `2, up to event 1,234,567; the state in 2 is the journal's` */
function snapshotsText({ snapshots, replay }: Report): string {
  const [newest] = snapshots
  const text = `${count(snapshots.length)}, up to event ${count(newest?.sequence ?? 0)}`
  const same = replay?.problem === undefined ? (replay?.snapshots.length ?? 0) : 0
  return same === 0 ? text : `${text}; the state in ${count(same)} is the journal's`
}
