/**
 * Reads events back: history from the journal's files, the present from the event ring. Only what is
 * synced is ever seen, in order, without gap or duplicate where the two meet.
 *
 *   files ──────────────────────────▶│ synced edge: (segment, offset) = ring position = sequence
 *                        ring ───────┼──────────────────▶ synced cursor
 *
 * A subscription reads files up to the edge, goes on in the ring at the edge's position, and falls
 * back to the files when the ring has overwritten what it wanted (it was too slow). It never holds
 * up the writer.
 */

import { setImmediate } from 'node:timers/promises'
import type { ChainHead } from '../../journal/chain-head.js'
import { TidewheelError } from '../../journal/errors.js'
import type { EventRingMemory } from '../../journal/event-ring.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { FrameCursor } from '../../journal/frames.js'
import { JournalReader } from '../../journal/journal-reader.js'
import { KnownSegments } from '../../journal/known-segments.js'
import { asReadError, reading } from '../../journal/opening-errors.js'
import type { Storage } from '../../journal/storage.js'
import type { StreamIndexTask } from '../../journal/stream-index-task.js'
import { StreamIndexes, type StreamPlace } from '../../journal/stream-indexes.js'
import { type SyncedEdge, SyncedEdgeReader } from '../../journal/synced-edge.js'
import { TaskPool } from '../../journal/task-pool.js'
import type { RecordedEvent } from '../domain.js'
import type { EventDecoder } from './event-decoder.js'
import { RingTail } from './ring-tail.js'

/** Which events a read wants; the cursor stands on an event record. */
export type EventFilter = (cursor: FrameCursor, sequence: number) => boolean

export interface EventLogOptions {
  /** Of the journal's directory; undefined at durability `none`. */
  readonly path: string | undefined
  readonly ring: EventRingMemory
  readonly edge: SharedArrayBuffer
  readonly decoder: EventDecoder
  /** Why reading has to end, once the engine has stopped. */
  readonly stopReason: () => TidewheelError | undefined
  /** What the owner of the journal should know of its indexes. */
  readonly report: (message: string) => void
}

/** What all reads of the files share. */
interface JournalFiles {
  readonly storage: Storage
  readonly known: KnownSegments
  readonly indexes: StreamIndexes
}

const WAIT_MS_MAX = 1000

export class EventLog {
  private readonly options: EventLogOptions
  private readonly edge: SyncedEdgeReader
  private readonly files: JournalFiles | undefined

  constructor(options: EventLogOptions) {
    this.options = options
    this.edge = new SyncedEdgeReader(options.edge)
    const { path, report } = options
    if (path !== undefined) this.files = openFiles(path, report)
  }

  position(): SyncedEdge {
    return this.edge.read()
  }

  /** The head of the chain over all that is synced now: its last block is hashed any moment. */
  async head(): Promise<ChainHead> {
    const { blockNumber } = this.edge.read()
    for (;;) {
      const head = this.edge.readHead()
      if (head.block >= blockNumber) return head
      const reason = this.options.stopReason()
      if (reason !== undefined) throw reason
      await setImmediate()
    }
  }

  /** Events from sequence `from` on that are synced now. */
  history(from: number, filter?: EventFilter): AsyncGenerator<RecordedEvent> {
    return this.historyTo(this.edge.read(), from, filter)
  }

  /**
   * Events that are synced now and that the filter wants: it wants none of another stream. What
   * indexes tell is passed over.
   */
  ofStream(stream: StreamPlace, filter: EventFilter): AsyncGenerator<RecordedEvent> {
    return this.historyTo(this.edge.read(), 1, filter, stream)
  }

  /** Events from sequence `from` on, for ever: ends only when the consumer or the engine does. */
  async *live(from: number, filter?: EventFilter): AsyncGenerator<RecordedEvent> {
    try {
      yield* this.follow(from, filter)
    } catch (error) {
      // An engine that was closed has no more to tell, wherever that was noticed.
      if (!(error instanceof TidewheelError && error.code === 'ENGINE_CLOSED')) throw error
    }
  }

  private async *follow(
    from: number,
    filter: EventFilter | undefined,
  ): AsyncGenerator<RecordedEvent> {
    let next = from
    let tail: RingTail | undefined
    while (true) {
      if (tail === undefined) {
        const edge = this.edge.read()
        if (next <= edge.sequence) {
          yield* this.historyTo(edge, next, filter)
          next = edge.sequence + 1
        }
        tail = new RingTail(this.options.ring, edge.ringPosition, edge.sequence + 1)
      }
      // Asked first, so that what was synced before the end is still seen.
      const stopped = this.options.stopReason()
      const isPassed = tail.isPassedBy(this.edge.read().ringPosition)
      const piece = isPassed ? 'overrun' : tail.copyNext()
      if (piece === 'overrun') {
        if (this.options.path === undefined) throw tooSlow(next)
        tail = undefined
        continue
      }
      if (piece === undefined) {
        if (stopped !== undefined) throw stopped
        await waitFor(tail)
        continue
      }
      const { cursor, firstSequence } = piece
      yield* this.eventsOf(cursor, firstSequence, next, filter)
      next = Math.max(next, tail.nextSequence)
    }
  }

  private async *historyTo(
    edge: SyncedEdge,
    from: number,
    filter: EventFilter | undefined,
    stream?: StreamPlace,
  ): AsyncGenerator<RecordedEvent> {
    if (this.files === undefined) throw noHistory()
    const { storage, known, indexes } = this.files
    const reader = new JournalReader(storage, { direct: true, known, indexes })
    const cursor = new FrameCursor()
    const bound = { segmentNumber: edge.segmentNumber, fileOffset: edge.fileOffset }
    const wanted = stream === undefined ? {} : { stream }
    try {
      for await (const block of reader.blocks({ fromSequence: from, bound, ...wanted })) {
        cursor.reset(block.view, block.frameOffset, block.payloadBytes)
        yield* this.eventsOf(cursor, block.header.baseSequence, from, filter)
      }
    } catch (error) {
      throw asReadError(storage, error)
    } finally {
      reader.close()
    }
  }

  private async *eventsOf(
    cursor: FrameCursor,
    firstSequence: number,
    from: number,
    filter: EventFilter | undefined,
  ): AsyncGenerator<RecordedEvent> {
    let sequence = firstSequence
    while (cursor.nextFrame()) {
      while (cursor.nextRecord()) {
        if (!cursor.isEvent) continue
        const own = sequence++
        if (own < from) continue
        if (filter !== undefined && !filter(cursor, own)) continue
        yield this.options.decoder.decode(cursor, own) ?? (await this.decodeLater(cursor, own))
      }
    }
  }

  /** Some id is not on this thread yet. */
  private async decodeLater(cursor: FrameCursor, sequence: number): Promise<RecordedEvent> {
    const { decoder } = this.options
    for (;;) {
      await decoder.fetchMissing()
      const event = decoder.decode(cursor, sequence)
      if (event !== undefined) return event
    }
  }

  /** Breaks off what is being indexed. Reads go on. */
  async close(): Promise<void> {
    await this.files?.indexes.close()
  }
}

function openFiles(path: string, report: (message: string) => void): JournalFiles {
  const storage = reading({ path }, () => openFileStorage(path))
  const known = new KnownSegments(storage, true)
  const builder = new TaskPool<StreamIndexTask, void>(
    new URL('../../journal/stream-index-task.js', import.meta.url),
    'the engine was closed before all indexes were made; what is there of one bears a temporary name',
  )
  return { storage, known, indexes: new StreamIndexes(storage, builder, report) }
}

function noHistory(): TidewheelError {
  return new TidewheelError(
    'NO_JOURNAL',
    "durability 'none' keeps no history; open the engine with 'disk' or 'os' to read back",
  )
}

/** A consumer that waits for events is work in progress: the process stays alive for it. */
async function waitFor(tail: RingTail): Promise<void> {
  const hold = setInterval(() => {}, 2 ** 30)
  try {
    await tail.changed(WAIT_MS_MAX)
  } finally {
    clearInterval(hold)
  }
}

function tooSlow(next: number): TidewheelError {
  return new TidewheelError(
    'NO_JOURNAL',
    "this subscriber fell behind by more than the event ring holds, and durability 'none' keeps no files to catch up from",
    { sequence: next },
  )
}
