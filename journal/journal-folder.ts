/**
 * A journal as a reader finds it in a directory: the segments that can be read, from the first one
 * on without a gap, and what is wrong with the rest. It takes no lock, and the storage that it
 * gives cannot be written to.
 */
import { assert, causeOf, TidewheelError } from './errors.js'
import { openFileStorage } from './file-storage.js'
import { type Manifest, readManifest } from './manifest.js'
import { segmentNumberIn } from './open-segment.js'
import { ReadWindow } from './read-window.js'
import { listSegments, type SegmentFile } from './segment-file.js'
import { findSegmentSetProblem, findUnfinished } from './segment-set.js'
import type { Storage, StorageFile } from './storage.js'

export interface JournalFolder {
  /** Shows the readable segments only. */
  readonly storage: Storage
  /** 1, 2, 3 …, up to the first one that is missing or cannot belong here. */
  readonly segments: readonly SegmentFile[]
  /** Why the journal does not go on behind these segments; undefined when it is whole. */
  readonly problem: TidewheelError | undefined
}

/**
 * @throws TidewheelError NOT_A_JOURNAL when there is no journal, JOURNAL_UNREADABLE when it cannot
 *   be read, FORMAT_TOO_NEW
 */
export function openJournalFolder(path: string): JournalFolder {
  try {
    return readJournalFolder(openFileStorage(path))
  } catch (error) {
    throw asJournalError(path, error)
  }
}

/** What the system said, as a sentence; any other error as it is. */
export function asJournalError(path: string, error: unknown): unknown {
  const isFromSystem = error instanceof Error && 'syscall' in error
  if (!isFromSystem) return error
  return new TidewheelError(
    'JOURNAL_UNREADABLE',
    `the journal ${path} cannot be read (${causeOf(error)}); check the path and the permissions of its files`,
    { cause: error },
  )
}

/** @throws as {@link openJournalFolder}, and what the system says */
export function readJournalFolder(storage: Storage): JournalFolder {
  // Before the list: the manifest never knows of a segment that is not there yet.
  const manifest = readManifest(storage)
  const window = new ReadWindow(undefined, true)
  const found = listSegments(storage, window, { direct: true })
  if (found.length === 0 && manifest === undefined) throw notAJournal(storage.path)
  const known = manifest === 'damaged' ? undefined : manifest
  const unfinished = findUnfinished(storage, found, known, window)
  const whole = unfinished === undefined ? found : found.slice(0, -1)
  const problem = problemOf(whole, known)
  const end = problem?.file === undefined ? Number.POSITIVE_INFINITY : segmentNumberIn(problem.file)
  const segments = whole.filter((segment) => segment.number < end)
  return { storage: new ReadOnlyStorage(storage, segments), segments, problem }
}

function problemOf(
  segments: readonly SegmentFile[],
  manifest: Manifest | undefined,
): TidewheelError | undefined {
  const problem = findSegmentSetProblem(segments, manifest)
  if (problem === undefined) return undefined
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `${problem.message}. Bring the file back from a backup or a replica`,
    { file: problem.file },
  )
}

function notAJournal(path: string): TidewheelError {
  return new TidewheelError(
    'NOT_A_JOURNAL',
    `the directory ${path} has no journal; give the directory that the engine was opened with`,
  )
}

/** Lets nothing through that changes a file, whoever asks for it. */
class ReadOnlyStorage implements Storage {
  readonly path: string
  private readonly storage: Storage
  private readonly names: string[]

  constructor(storage: Storage, segments: readonly SegmentFile[]) {
    this.path = storage.path
    this.storage = storage
    this.names = segments.map((segment) => segment.name)
  }

  list(): string[] {
    return [...this.names]
  }

  open(
    name: string,
    mode: 'read' | 'write' | 'create',
    options?: { direct?: boolean },
  ): StorageFile {
    if (mode !== 'read') refuse()
    return this.storage.open(name, mode, options)
  }

  rename(): void {
    refuse()
  }

  remove(): void {
    refuse()
  }

  syncDirectory(): void {
    refuse()
  }

  freeBytes(): number {
    return this.storage.freeBytes()
  }
}

function refuse(): never {
  assert(false, 'a journal that is only read is not written to')
}
