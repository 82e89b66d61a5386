/** `tidewheel restore`: makes a journal of a backup, and says where it ends and what is not in it. */
import { type RestoreOptions, type RestoreReport, restoreJournal } from '../../journal/backup.js'
import { describeCopy } from './backup-command.js'
import { count, plural } from './human.js'
import { isoTime } from './json-lines.js'
import type { LineOutput } from './line-output.js'
import { printable } from './printable.js'

/** @throws TidewheelError when nothing was restored */
export async function restoreCommand(
  path: string,
  target: string,
  options: RestoreOptions,
  output: LineOutput,
): Promise<number> {
  const report = await restoreJournal(path, target, options)
  await output.writeAll([
    `Journal ${printable(report.directory)}, from ${printable(path)}`,
    ...describeCopy(report),
    ...describeRest(report, options),
    'OK: it is on disk, and was verified. Open it with the engine.',
  ])
  return 0
}

function describeRest(
  { leftOut, sequence }: RestoreReport,
  { toSequence }: RestoreOptions,
): string[] {
  if (leftOut === undefined) return ['  Nothing of the backup was left out.']
  const { events, timeUs, firstSequence } = leftOut
  const time = isoTime(timeUs)
  if (events === 0) {
    return [`  No event was left out, only answers to commands with a key, from ${time} on.`]
  }
  const first = `sequence ${count(firstSequence)}, of ${time}`
  const lines = [`  Left out: ${plural(events, 'event')}, from ${first}, on.`]
  if (toSequence !== undefined && toSequence > sequence) {
    const wanted = count(toSequence)
    lines.push(
      `  Sequence ${wanted} is in the middle of a transaction, which was left out as a whole.`,
    )
  }
  return lines
}
