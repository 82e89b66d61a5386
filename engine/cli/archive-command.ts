/** `tidewheel archive`: compresses the sealed segments of a journal that no engine has open. */
import { ArchivePool } from '../../journal/archive-pool.js'
import { openJournalFolder } from '../../journal/journal-folder.js'
import { acquireJournalLock } from '../../journal/journal-lock.js'
import { plural, size } from './human.js'
import type { LineOutput } from './line-output.js'
import { printable } from './printable.js'

/**
 * @param before only segments all of whose events come before this sequence
 * @throws TidewheelError ENGINE_LOCKED, NOT_A_JOURNAL, and what archiving throws
 */
export async function archiveCommand(
  path: string,
  before: number,
  output: LineOutput,
): Promise<number> {
  // Before the lock, which writes a file: a directory that is no journal stays as it is.
  const { storage, problem } = openJournalFolder(path)
  if (problem !== undefined) throw problem
  const lock = acquireJournalLock(storage.path)
  const pool = new ArchivePool()
  try {
    const { segments, plainBytes, archivedBytes } = await pool.run({ path: storage.path, before })
    const what =
      segments === 0
        ? 'no segment to archive'
        : `${plural(segments, 'segment')} archived: ${size(plainBytes)} before, ${size(archivedBytes)} now`
    await output.writeAll([`${printable(path)}: ${what}`])
    return 0
  } finally {
    await pool.close()
    lock.release()
  }
}
