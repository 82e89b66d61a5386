/**
 * Walks the records of a journal from its first block on and stands on one event after the other.
 * On the way it takes in what events need to be understood without the application: catalogues and
 * the ids of streams. A block's checksum proves that its bytes are those that were written, not that
 * they make sense, so every event is checked before it is decoded.
 *
 *   walk.enterBlock(block)
 *   while (walk.nextEvent()) { … walk.sequence, walk.type, walk.decode() … }
 */
import { TidewheelError } from './errors.js'
import { FrameCursor } from './frames.js'
import type { JournalBlock } from './journal-reader.js'
import { type JournalEventType, JournalTypes } from './journal-types.js'
import {
  CATALOGUE_RECORD,
  KEYED_OUTCOME_KIND,
  KEYED_OUTCOME_RECORD,
  OUTCOME_ACCEPTED,
  RECORD_SLOT,
  STREAM_OPENED_AGGREGATE,
  STREAM_OPENED_ID,
  STREAM_OPENED_ID_BYTES,
  STREAM_OPENED_RECORD,
  SYSTEM_COMMAND,
} from './record-layout.js'
import type { IdReader } from './schema/codec.js'
import type { IdValue } from './schema/id-type.js'
import { segmentName } from './segment-layout.js'
import { StreamDirectory } from './stream-directory.js'

/** An event as it is read back, in the shape that the engine gives it too. */
export interface JournalEvent {
  readonly sequence: number
  /** Microseconds since 1970. */
  readonly time: number
  /** Name of the event type. */
  readonly type: string
  /** Name of the aggregate. */
  readonly stream: string
  readonly id: IdValue
  readonly version: number
  readonly data: Readonly<Record<string, unknown>>
}

const COMMAND_TYPES = 0x1_0000

export class EventWalk implements IdReader {
  readonly types = new JournalTypes()
  readonly streams = new StreamDirectory()
  /** Of the event that the walk stands on. */
  sequence = 0
  /** Microseconds since 1970. */
  timeUs = 0

  /** Counted so far: transactions by the number of their command, and outcomes kept under a key. */
  readonly transactions = new Float64Array(COMMAND_TYPES)
  keyedAccepted = 0
  keyedRejected = 0

  private readonly cursor = new FrameCursor()
  private eventType: JournalEventType | undefined
  /** Whether the cursor stands inside a frame that may have more records. */
  private hasFrame = false
  private file = ''
  private fileOffset = 0

  /** Blocks are entered one after the other, from the journal's first one on; none is left out. */
  enterBlock(block: JournalBlock): void {
    const { header } = block
    this.cursor.reset(block.view, block.frameOffset, block.payloadBytes)
    this.sequence = header.baseSequence - 1
    this.file = segmentName(header.segmentNumber)
    this.fileOffset = header.fileOffset
    this.hasFrame = false
  }

  /**
   * Goes to the next event of the block; false when there is none.
   * @throws TidewheelError JOURNAL_DAMAGED for records that do not fit together
   */
  nextEvent(): boolean {
    const { cursor } = this
    try {
      for (;;) {
        if (!this.hasFrame && !this.nextFrame()) return false
        while (cursor.nextRecord()) {
          if (cursor.isEvent) {
            this.enterEvent()
            return true
          }
          this.takeRecord()
        }
        this.hasFrame = false
      }
    } catch (error) {
      throw this.withPlace(error)
    }
  }

  get type(): JournalEventType {
    return this.eventType as JournalEventType
  }

  get id(): IdValue {
    return this.idOf(this.type.aggregateNumber, this.cursor.slot)
  }

  /** @throws TidewheelError JOURNAL_DAMAGED when the payload is not one of the event's type. */
  check(): void {
    const { cursor, type, streams } = this
    const { view, payloadOffset, payloadBytes } = cursor
    const damage = type.codec.check(view, payloadOffset, payloadBytes)
    if (damage !== undefined)
      this.refuse(`the payload of event ${type.name} is not valid: ${damage}`)
    for (const { name, offset, reference } of type.codec.layout.references) {
      const slot = view.getUint32(payloadOffset + offset, true)
      if (reference !== undefined && slot > streams.count(reference.aggregateIndex)) {
        this.refuse(`field ${name} of event ${type.name} names a stream that was never opened`)
      }
    }
  }

  /** Number of the aggregate and slot: of the event's stream, and of each that its fields name. */
  streamsOfEvent(): (readonly [aggregateNumber: number, slot: number])[] {
    const { cursor, type } = this
    const named = type.codec.layout.references.flatMap(({ offset, reference }) => {
      const slot = cursor.view.getUint32(cursor.payloadOffset + offset, true)
      return reference === undefined || slot === 0
        ? []
        : [[reference.aggregateIndex, slot] as const]
    })
    return [[type.aggregateNumber, cursor.slot], ...named]
  }

  /** @throws TidewheelError JOURNAL_DAMAGED when the payload is not one of the event's type. */
  decode(): JournalEvent {
    this.check()
    const { cursor, type, sequence, timeUs: time, id } = this
    const { view, payloadOffset, payloadBytes, version } = cursor
    const data = type.codec.decode(view, payloadOffset, payloadBytes, this)
    return { sequence, time, type: type.name, stream: type.aggregate, id, version, data }
  }

  /** For codecs, of a stream that {@link check} has seen to be open. */
  idOf(aggregateNumber: number, slot: number): IdValue {
    const id = this.streams.idOf(aggregateNumber, slot)
    return id ?? this.refuse('an event names a stream that was never opened')
  }

  private nextFrame(): boolean {
    const { cursor } = this
    if (!cursor.nextFrame()) return false
    this.hasFrame = true
    this.transactions[cursor.commandType]! += 1
    if (cursor.commandType === SYSTEM_COMMAND) return true
    const { timeUs } = cursor
    if (!Number.isSafeInteger(timeUs)) this.refuse('a transaction has an impossible time')
    this.timeUs = timeUs
    return true
  }

  private enterEvent(): void {
    const { cursor, streams } = this
    if (cursor.commandType === SYSTEM_COMMAND) this.refuse('an event lies in a system frame')
    this.sequence++
    const type = this.types.event(cursor.recordType)
    const { slot, version } = cursor
    this.eventType = type
    if (slot === 0 || slot > streams.count(type.aggregateNumber)) {
      this.refuse(`event ${type.name} is of a stream that was never opened`)
    }
    const expected = streams.versionOf(type.aggregateNumber, slot) + 1
    if (version !== expected) {
      this.refuse(`event ${type.name} has version ${version}, where ${expected} is next`)
    }
    streams.setVersion(type.aggregateNumber, slot, version)
  }

  private takeRecord(): void {
    const { cursor } = this
    const { view, recordOffset, recordType } = cursor
    if (recordType === CATALOGUE_RECORD) {
      this.types.take(view, cursor.payloadOffset, cursor.payloadBytes)
    } else if (recordType === STREAM_OPENED_RECORD) {
      const number = view.getUint16(recordOffset + STREAM_OPENED_AGGREGATE, true)
      const aggregate = this.types.aggregate(number)
      const slot = view.getUint32(recordOffset + RECORD_SLOT, true)
      const idBytes = view.getUint16(recordOffset + STREAM_OPENED_ID_BYTES, true)
      const idOffset = recordOffset + STREAM_OPENED_ID
      const { idType, name } = aggregate
      const problem = this.streams.open(number, idType, slot, view, idOffset, idBytes)
      if (problem !== '') this.refuse(`a stream of ${name} cannot be opened: ${problem}`)
    } else if (recordType === KEYED_OUTCOME_RECORD) {
      const kind = view.getUint8(recordOffset + KEYED_OUTCOME_KIND)
      if (kind === OUTCOME_ACCEPTED) this.keyedAccepted++
      else this.keyedRejected++
    }
  }

  private refuse(problem: string): never {
    const { file, fileOffset: offset, sequence } = this
    throw new TidewheelError(
      'JOURNAL_DAMAGED',
      `${problem}. The journal does not fit together: restore it from a backup or a replica`,
      { file, offset, sequence },
    )
  }

  /** Errors of those who know bytes only. */
  private withPlace(error: unknown): unknown {
    if (!(error instanceof TidewheelError) || error.file !== undefined) return error
    const { file, fileOffset: offset } = this
    return new TidewheelError(error.code, error.reason, { file, offset, cause: error })
  }
}
