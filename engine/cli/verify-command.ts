/** `tidewheel verify`: the report of a verification, as text or as one JSON object. */
import type { TidewheelError } from '../../journal/errors.js'
import { checkEvents } from '../../journal/event-reader.js'
import { type VerifyReport, verifyJournal } from '../../journal/verify.js'
import type { VerifyProblemCode } from '../../journal/verify-segment.js'
import { count, plural, size, table } from './human.js'
import type { LineOutput } from './line-output.js'
import { printable } from './printable.js'

interface Problem {
  readonly code: VerifyProblemCode | 'EVENT_DAMAGED'
  readonly message: string
  readonly file: string
  readonly offset: number
}

type Report = Omit<VerifyReport, 'problems'> & { readonly problems: readonly Problem[] }

/**
 * Returns the exit code: 1 when anything is wrong with the journal. A wrong index is told, and is
 * none of it: the exit code is what a backup is judged by, and nothing is lost with an index.
 * @throws TidewheelError when there is nothing to verify
 */
export async function verifyCommand(
  path: string,
  json: boolean,
  threads: number | undefined,
  output: LineOutput,
): Promise<number> {
  const report = await verify(path, threads)
  await output.writeAll(json ? [printable(JSON.stringify(report))] : describe(path, report))
  return report.ok ? 0 : 1
}

async function verify(path: string, threads: number | undefined): Promise<Report> {
  const report = await verifyJournal(path, threads === undefined ? {} : { threads })
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

function describe(path: string, report: Report): string[] {
  const { problems, warnings, events, lastSequence } = report
  const range = events === 0 ? '' : ` (the last has sequence ${count(lastSequence)})`
  const lines = [
    `Journal ${printable(path)}`,
    ...table(
      [
        ['id', report.journalId === '' ? 'unknown' : report.journalId],
        ['segments', `${count(report.segments)}, ${plural(report.indexes, 'index', 'indexes')}`],
        ['blocks', `${count(report.blocks)} in ${size(report.bytes)}`],
        ['events', `${count(events)}${range}`],
        ['head hash', report.headHash],
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
  if (report.ok && warnings.length > 0) return [...lines, 'OK: nothing is wrong with the journal.']
  if (report.ok) return [...lines, 'OK: nothing is wrong.']
  return [...lines, `FAILED: ${plural(problems.length, 'problem')}.`]
}
