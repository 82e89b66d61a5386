/**
 * What the running engine does with the events of one type, generated once for each type and
 * transaction: emitting one into it, and applying what was emitted. The transaction, the memory of the
 * event ring and the tables of the aggregate are constants of the code. V8 then knows where they are
 * and how long, and need not ask after each write (docs/decisions/0027). What is generated for record
 * state of one `int`:
 *
 *   return class extends LiveEvent {
 *     emit(id, value) {
 *       if (typeof value !== 'object' || value === null) refuseValue(value)
 *       const written = this.write(id, value.amount)
 *       if (written < -1) refuseFields(written, value)
 *     }
 *     write(id, v0) {
 *       if (sink.rejected) return 0
 *       if (sink.ended) refuseEnded()
 *       if (!Number.isSafeInteger(v0)) return refused(0, v0)
 *       const found = ids.find(id), slot = found !== 0 ? found : sink.openStream(store, id)
 *       if (slot === 0) return 0
 *       const length = 8
 *       const record = sink.offset, o = record + 16, end = o + ((length + 7) & ~7)
 *       const count = sink.eventCount
 *       if (end > sink.payloadLimit || count === 65535) return sink.refuseSize()
 *       view.setFloat64(o, v0 + 0, true)
 *       const at = slot * 4
 *       let version = words[at] + 1, high = 0
 *       if (words[at + 1] === 0 && version > 0) words[at + 1] = 65536
 *       else {
 *         version = store.addPending(slot)
 *         if (version === 0) return sink.refuseVersion(store, slot)
 *         high = Math.floor(version / 4294967296) * 65536
 *       }
 *       view.setUint32(record, 16 + length, true)
 *       view.setUint32(record + 4, 17 + high, true)
 *       view.setUint32(record + 8, slot, true)
 *       view.setUint32(record + 12, version, true)
 *       eventIndexes[count] = 0
 *       records[count] = record
 *       sink.eventCount = count + 1
 *       sink.offset = end
 *       return length
 *     }
 *     apply(record) {
 *       const slot = view.getUint32(record + 8, true)
 *       const fields = slot * 4 + 2, saved = undo.words, to = undo.wordCount
 *       saved[to + 0] = words[fields + 0]
 *       saved[to + 1] = words[fields + 1]
 *       undo.wordCount = to + 2
 *       …as a replay does
 *     }
 *   }
 *
 * As with codecs, `emit` only reads the value and is small, so that V8 inlines it into the handler
 * and a literal that is emitted never comes to exist; `write` is too large for that, on purpose.
 */
import type { Buffer } from 'node:buffer'
import { assert } from '../journal/errors.js'
import {
  EVENTS_A_TRANSACTION_MAX,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  RECORD_VERSION,
  RECORD_VERSION_HIGH,
} from '../journal/record-layout.js'
import { PAST_LIMIT, type ReferenceResolver } from '../journal/schema/codec.js'
import { encodingConstants, encodingOf } from '../journal/schema/compiled-codec.js'
import { generate } from '../journal/schema/generated-code.js'
import type { AggregateStore } from './aggregate-store.js'
import { applyCode, applyConstants } from './compiled-event.js'
import type { EventType } from './domain.js'
import type { EventMetaView } from './event-meta.js'
import { type EventRuntime, refuseEnded } from './event-runtime.js'
import { RecordStore } from './record-store.js'
import {
  SLOT_FIELDS_WORD,
  SLOT_PENDING_SHIFT,
  SLOT_PENDING_WORD,
  SLOT_VERSION_WORD,
} from './slab-layout.js'
import type { UndoLog } from './undo-log.js'

/** Slots of more words are saved in a loop, which costs less than the code would. */
const WORDS_UNROLLED_MAX = 32

/** The type and the version's high part are two halves of one word. */
const VERSION_HIGH_UNIT = 2 ** (8 * (RECORD_VERSION_HIGH - RECORD_TYPE))
assert(VERSION_HIGH_UNIT === 0x1_0000, 'type and version high lie side by side')

/** The running transaction, as generated code writes an event's record into it. */
export interface EventSink extends ReferenceResolver {
  readonly view: DataView
  readonly bytes: Buffer
  readonly eventIndexes: Uint16Array
  readonly records: Int32Array
  /** Where the next record goes; `slotOf` and `openStream` may move it. */
  offset: number
  eventCount: number
  /** What follows a rejection does not change it. */
  readonly rejected: boolean
  /** The handler has returned. */
  readonly ended: boolean
  /** Where the transaction must end. */
  readonly payloadLimit: number
  /** Slot of an id that costs a hash to find, or 0. */
  find(store: AggregateStore, id: unknown): number
  /** Slot of a stream that is opened now; 0, and the transaction is refused. */
  openStream(store: AggregateStore, id: unknown): number
  refuseSize(): number
  refuseVersion(store: AggregateStore, slot: number): number
}

export abstract class LiveEvent {
  readonly type: EventType
  readonly runtime: EventRuntime

  constructor(runtime: EventRuntime) {
    this.type = runtime.type
    this.runtime = runtime
  }

  /** Adds an event to the running transaction, or has the transaction refused. */
  abstract emit(id: unknown, value: unknown): void

  /** Applies the record at `record`, and keeps what it changes. */
  abstract apply(record: number): void
}

export function compileLiveEvent(
  runtime: EventRuntime,
  sink: EventSink,
  undo: UndoLog,
  meta: EventMetaView,
): LiveEvent {
  const { type, store, flyweight } = runtime
  assert(runtime.number > 0, `event ${runtime.name} is in the catalogue`)
  const { eventIndexes, records, view } = sink
  const source = `return class extends LiveEvent {
  ${emitCode(runtime)}
  apply(record) {
    const slot = view.getUint32(record + ${RECORD_SLOT}, true)
    ${[...undoCode(store), ...applyCode(store)].join('\n    ')}
  }
}`
  const Generated = generate<new (runtime: EventRuntime) => LiveEvent>(source, {
    ...applyConstants(type, store, flyweight, undo, meta),
    ...encodingConstants(type.$codec.layout),
    LiveEvent,
    columns: store instanceof RecordStore ? store.columns : undefined,
    eventIndexes,
    ids: store.ids,
    records,
    refuseEnded,
    sink,
    view,
  })
  return new Generated(runtime)
}

function emitCode({ type, store, number }: EventRuntime): string {
  const { reads, parameters, checks, resolving, measuring, writing } = encodingOf(
    type.$codec.layout,
  )
  const find = store.hasHashedIds ? 'sink.find(store, id)' : 'ids.find(id)'
  const lines = [
    'if (sink.rejected) return 0',
    'if (sink.ended) refuseEnded()',
    ...checks,
    `const found = ${find}, slot = found !== 0 ? found : sink.openStream(store, id)`,
    'if (slot === 0) return 0',
    ...resolving,
    ...measuring,
    `const record = sink.offset, o = record + ${RECORD_HEADER_BYTES}`,
    'const end = o + ((length + 7) & ~7), count = sink.eventCount',
    `if (end > sink.payloadLimit || count === ${EVENTS_A_TRANSACTION_MAX}) return sink.refuseSize()`,
    // It may throw, since a value may be an odd object: the stream is pending only behind it.
    ...writing,
    ...versionCode(store),
    `view.setUint32(record + ${RECORD_LENGTH}, ${RECORD_HEADER_BYTES} + length, true)`,
    `view.setUint32(record + ${RECORD_TYPE}, ${number} + high, true)`,
    `view.setUint32(record + ${RECORD_SLOT}, slot, true)`,
    `view.setUint32(record + ${RECORD_VERSION}, version, true)`,
    `eventIndexes[count] = ${type.index}`,
    'records[count] = record',
    'sink.eventCount = count + 1',
    'sink.offset = end',
    'return length',
  ]
  return `emit(id, value) {
    if (typeof value !== 'object' || value === null) refuseValue(value)
    const written = this.write(${['id', reads].filter(Boolean).join(', ')})
    if (written < ${PAST_LIMIT}) refuseFields(written, value)
  }
  write(${['id', parameters].filter(Boolean).join(', ')}) {
    ${lines.join('\n    ')}
  }`
}

/** One more pending event: the stream's next `version`, and what of it goes beside the type. */
function versionCode({ strideWords }: AggregateStore): string[] {
  return [
    `const at = slot * ${strideWords}`,
    `let version = words[at + ${SLOT_VERSION_WORD}] + 1, high = 0`,
    `if (words[at + ${SLOT_PENDING_WORD}] === 0 && version > 0) {`,
    `  words[at + ${SLOT_PENDING_WORD}] = ${1 << SLOT_PENDING_SHIFT}`,
    '} else {',
    '  version = store.addPending(slot)',
    '  if (version === 0) return sink.refuseVersion(store, slot)',
    `  high = Math.floor(version / ${0x1_0000_0000}) * ${VERSION_HIGH_UNIT}`,
    '}',
  ]
}

/** Keeps the fields of the slot, and what its columns hold. */
function undoCode(store: AggregateStore): string[] {
  if (!(store instanceof RecordStore)) return []
  const { columns, fieldWords, strideWords } = store
  const lines = [`const fields = slot * ${strideWords} + ${SLOT_FIELDS_WORD}`]
  if (fieldWords > WORDS_UNROLLED_MAX) lines.push(`undo.saveWords(words, fields, ${fieldWords})`)
  else if (fieldWords > 0) {
    lines.push('const saved = undo.words, to = undo.wordCount')
    for (let i = 0; i < fieldWords; i++) lines.push(`saved[to + ${i}] = words[fields + ${i}]`)
    lines.push(`undo.wordCount = to + ${fieldWords}`)
  }
  if (columns.length > 0) lines.push('undo.saveColumns(columns, slot)')
  return lines
}
