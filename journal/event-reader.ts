/**
 * Reads the events of a journal without the application that wrote it, and without a lock: what the
 * journal says of itself is enough. The journal may be written by an engine meanwhile; it is then
 * read up to the end that was seen.
 *
 * A damaged journal is read up to the damage; then the error is thrown.
 *
 * Reading starts in the first segment even when only late events are wanted, because the ids of
 * streams are given where each was opened.
 *
 * Not for: readers beside a running engine, which have its memory (`engine.readAll`, `subscribe`).
 */
import { TidewheelError } from './errors.js'
import { EventWalk, type JournalEvent } from './event-walk.js'
import { asJournalError, type JournalFolder, openJournalFolder } from './journal-folder.js'
import { type JournalBlock, JournalReader } from './journal-reader.js'

export type { JournalEvent } from './event-walk.js'

export interface ReadEventsOptions {
  /** First sequence wanted, inclusive. Default: 1. */
  readonly from?: number
  /** Last sequence wanted, inclusive. Default: the last there is. */
  readonly to?: number
  /** Name of an aggregate: only events of its streams. */
  readonly stream?: string
  /** Only events of streams with this id, written as text; a UUID in lower case. */
  readonly id?: string
  /** No more events than this. */
  readonly limit?: number
}

export interface EventCheck {
  readonly events: number
  /** What was wrong, if anything; everything before it was right. */
  readonly problem: TidewheelError | undefined
}

/**
 * The events of the journal in the directory `path`, in order.
 * @throws TidewheelError NOT_A_JOURNAL, JOURNAL_UNREADABLE, JOURNAL_DAMAGED, FORMAT_TOO_NEW;
 *   UNKNOWN_AGGREGATE when the journal has no aggregate named `stream`
 */
export async function* readEvents(
  path: string,
  options: ReadEventsOptions = {},
): AsyncGenerator<JournalEvent> {
  const { from = 1, to = Number.POSITIVE_INFINITY, stream, id } = options
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  const walk = new EventWalk()
  let count = 0
  for await (const block of journalBlocks(openJournalFolder(path))) {
    walk.enterBlock(block)
    while (walk.nextEvent()) {
      const { sequence } = walk
      if (sequence > to || count >= limit) return
      if (sequence < from) continue
      if (stream !== undefined && walk.type.aggregate !== stream) continue
      if (id !== undefined && String(walk.id) !== id) continue
      yield walk.decode()
      if (++count >= limit || sequence >= to) return
    }
  }
  if (stream !== undefined) refuseUnknown(stream, walk)
}

/**
 * Checks what only the catalogue can tell: that every event is of a known type and of an open
 * stream, that its payload is valid, and that the versions of each stream have no gap. What blocks
 * are in themselves is for `verifyJournal`.
 * @throws TidewheelError NOT_A_JOURNAL, JOURNAL_UNREADABLE. Damage does not throw.
 */
export async function checkEvents(path: string): Promise<EventCheck> {
  const walk = new EventWalk()
  let events = 0
  try {
    for await (const block of journalBlocks(openJournalFolder(path))) {
      walk.enterBlock(block)
      for (; walk.nextEvent(); events++) walk.check()
    }
    return { events, problem: undefined }
  } catch (error) {
    if (!(error instanceof TidewheelError) || error.code !== 'JOURNAL_DAMAGED') throw error
    return { events, problem: error }
  }
}

/** All blocks that can be read, then the error that says why there are no more, if there is one. */
export async function* journalBlocks(folder: JournalFolder): AsyncGenerator<JournalBlock> {
  const { storage, segments, problem } = folder
  const reader = new JournalReader(storage, { direct: true })
  try {
    if (segments.length > 0) yield* reader.blocks({ fromSequence: 1, fromSegmentStart: true })
  } catch (error) {
    throw asJournalError(storage.path, error)
  } finally {
    reader.close()
  }
  if (problem !== undefined) throw problem
}

function refuseUnknown(stream: string, walk: EventWalk): void {
  const { catalogue } = walk.types
  if (catalogue === undefined || catalogue.find('aggregate', stream) !== undefined) return
  const names = catalogue.entries.filter(({ kind }) => kind === 'aggregate').map(({ name }) => name)
  throw new TidewheelError(
    'UNKNOWN_AGGREGATE',
    `the journal has no streams named ${JSON.stringify(stream)}; it has ${names.join(', ') || 'none'}`,
  )
}
