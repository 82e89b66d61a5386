/** `tidewheel backup`: copies a journal, and says what its owner should note. */
import { type BackupReport, backupJournal } from '../../journal/backup.js'
import { causeOf } from '../../journal/errors.js'
import { count, plural, size, table } from './human.js'
import { isoTime } from './json-lines.js'
import { type LineOutput, OutputError } from './line-output.js'
import { printable } from './printable.js'

/** @throws TidewheelError when there is no backup */
export async function backupCommand(
  path: string,
  target: string,
  output: LineOutput,
): Promise<number> {
  const report = await backupJournal(path, target)
  const lines = [`Backup of ${printable(path)} in ${printable(report.directory)}`]
  lines.push(...describeCopy(report), 'OK: it is on disk, and was verified.')
  try {
    await output.writeAll(lines)
  } catch (error) {
    const { directory } = report
    throw new OutputError(
      `${causeOf(error)}. The backup in ${directory} is on disk, and was verified`,
    )
  }
  return 0
}

/** Of a backup, or of a journal that was made from one. */
export function describeCopy(report: BackupReport): string[] {
  const { sequence, timeUs, headHash, segments, bytes } = report
  const time = timeUs === 0 ? '' : `, of ${isoTime(timeUs)}`
  const last = sequence === 0 ? 'none' : `sequence ${count(sequence)}${time}`
  return table(
    [
      ['last event', last],
      ['head hash', headHash],
      ['copied', `${size(bytes)}, ${plural(segments, 'segment')}`],
    ],
    [],
  )
}
