/**
 * Opens a segment for reading, whether it is there as it was written or as an archive. Where both
 * are there, the plain one counts: an archive takes its place only by its removal (archive.ts).
 *
 * An engine may be archiving meanwhile, so a segment that was plain when its name was looked up may
 * be an archive when it is opened. The archive has its name before the plain file goes: one of the
 * two is always there, and the plain one is asked for first.
 */
import { archivedSegmentOf, archiveName, unfinishedArchiveOf } from './archive-layout.js'
import { ArchivedSegment } from './archived-segment.js'
import { segmentNumberOf } from './segment-layout.js'
import type { OpenOptions, Storage, StorageFile } from './storage.js'

/**
 * @param name of the segment or of its archive; the name of what was opened is that of the file
 * @throws TidewheelError JOURNAL_DAMAGED, FORMAT_TOO_NEW for an archive that cannot be read
 */
export function openSegment(storage: Storage, name: string, options?: OpenOptions): StorageFile {
  if (isArchive(name)) return new ArchivedSegment(storage.open(name, 'read', options))
  try {
    return storage.open(name, 'read', options)
  } catch (error) {
    if (!isMissing(error)) throw error
    const archive = openArchive(storage, segmentNumberOf(name), options)
    if (archive === undefined) throw error
    return archive
  }
}

/** The number in the name of a segment, of its archive or of an unfinished one; 0: none of these. */
export function segmentNumberIn(name: string): number {
  return segmentNumberOf(name) || archivedSegmentOf(name) || unfinishedArchiveOf(name)
}

export function isArchive(name: string): boolean {
  return archivedSegmentOf(name) > 0 || unfinishedArchiveOf(name) > 0
}

/**
 * The names of all segments, one for each, by number. Listed twice: while an engine archives, one
 * listing may miss the archive, which was not there when it began, and the plain file, which was
 * gone when it came to it. The second then finds the archive.
 */
export function segmentNames(storage: Storage): string[] {
  const names = new Map<number, string>()
  for (const name of [...storage.list(), ...storage.list()]) {
    const number = segmentNumberOf(name)
    const archived = archivedSegmentOf(name)
    if (number > 0) names.set(number, name)
    else if (archived > 0 && !names.has(archived)) names.set(archived, name)
  }
  return [...names].sort(([a], [b]) => a - b).map(([, name]) => name)
}

function openArchive(
  storage: Storage,
  number: number,
  options: OpenOptions | undefined,
): StorageFile | undefined {
  let file: StorageFile
  try {
    file = storage.open(archiveName(number), 'read', options)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  return new ArchivedSegment(file)
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
