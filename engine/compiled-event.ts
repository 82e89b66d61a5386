/**
 * What an engine does with the events of one type, generated once for each type: emitting one into
 * the running transaction, and applying the record of one to the state.
 *
 * All that is the same for each event of a type (codec, store, flyweight, `evolve`) is a constant in
 * the generated code, so V8 sees one target at each call and one shape at each access, in a domain
 * with two events as well as in one with a hundred. The same steps written once for all events cost
 * a transfer 70 ns more (docs/decisions/0014). What is generated for record state of one `int`:
 *
 *   return class extends EventRuntime {
 *     emit(tx, id, value) {
 *       if (typeof value !== 'object' || value === null) refuseValue(value)
 *       const written = this.write(tx, id, value.amount)
 *       if (written < -1) refuseFields(written, value)
 *     }
 *     write(sink, id, v0) {
 *       if (sink.rejected) return 0
 *       if (sink.ended) refuseEnded()
 *       if (!Number.isSafeInteger(v0)) return refused(0, v0)
 *       const found = ids.find(id), slot = found !== 0 ? found : sink.openStream(store, id)
 *       if (slot === 0) return 0
 *       const length = 8
 *       const view = sink.view, record = sink.offset, o = record + 16, end = o + ((length + 7) & ~7)
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
 *       view.setUint32(record + 4, this.number + high, true)
 *       view.setUint32(record + 8, slot, true)
 *       view.setUint32(record + 12, version, true)
 *       sink.eventIndexes[count] = 0
 *       sink.records[count] = record
 *       sink.eventCount = count + 1
 *       sink.offset = end
 *       return length
 *     }
 *     replay(view, record, lengthBytes) {
 *       if (codec.check(view, record + 16, lengthBytes - 16) !== undefined) return false
 *       const slot = view.getUint32(record + 8, true)
 *       if (slot === 0 || slot > ids.count) return false
 *       const low = words[slot * 4]
 *       if (low === -1 || words[slot * 4 + 1] !== 0 || view.getUint16(record + 6, true) !== 0) {
 *         if (readRecordVersion(view, record) !== store.version(slot) + 1) return false
 *       } else if (view.getInt32(record + 12, true) !== ((low + 1) | 0)) return false
 *       this.apply(view, record)
 *       return true
 *     }
 *     apply(view, record) {
 *       const slot = view.getUint32(record + 8, true)
 *       const fields = slot * 4 + 2
 *       if (undo.isKept) {
 *         const saved = undo.words, to = undo.wordCount
 *         saved[to + 0] = words[fields + 0]
 *         saved[to + 1] = words[fields + 1]
 *         undo.wordCount = to + 2
 *       }
 *       state.$wrap(slot * 16 + 8, slot)
 *       flyweight.$wrap(record + 16)
 *       const result = evolve(state, flyweight, meta)
 *       if (result !== undefined) refuseResult(name, result)
 *       flyweight.$poison()
 *       state.$poison()
 *       words[slot * 4] = view.getInt32(record + 12, true)
 *       words[slot * 4 + 1] = view.getUint16(record + 6, true)
 *     }
 *   }
 *
 * As with codecs, `emit` only reads the value and is small, so that V8 inlines it into the handler
 * and a literal that is emitted never comes to exist; `write` is too large for that, on purpose.
 */
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
import { readRecordVersion } from '../journal/record-version.js'
import { PAST_LIMIT } from '../journal/schema/codec.js'
import { encodingConstants, encodingOf } from '../journal/schema/compiled-codec.js'
import { createFlyweight } from '../journal/schema/flyweight.js'
import { generate } from '../journal/schema/generated-code.js'
import type { AggregateStore } from './aggregate-store.js'
import type { EventType } from './domain.js'
import type { EventMetaView } from './event-meta.js'
import { EventRuntime, refuseEnded, refuseResult } from './event-runtime.js'
import { RecordStore } from './record-store.js'
import {
  SLOT_FIELDS,
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

export function compileEvent(
  type: EventType,
  store: AggregateStore,
  undo: UndoLog,
  meta: EventMetaView,
): EventRuntime {
  const flyweight = createFlyweight(type.$codec.layout)
  const source = `return class extends EventRuntime {
  ${emitCode(type, store)}
  ${replayCode(store)}
  ${applyCode(store)}
}`
  const Generated = generate<
    new (
      ...given: ConstructorParameters<typeof EventRuntime>
    ) => EventRuntime
  >(source, {
    EventRuntime,
    ...encodingConstants(type.$codec.layout),
    codec: type.$codec,
    columns: store instanceof RecordStore ? store.columns : undefined,
    evolve: type.evolve,
    flyweight,
    ids: store.ids,
    meta,
    name: type.name,
    readRecordVersion,
    refuseEnded,
    refuseResult,
    state: store instanceof RecordStore ? store.writer : undefined,
    store,
    undo,
    words: store.words,
  })
  return new Generated(type, store, flyweight)
}

function emitCode(type: EventType, store: AggregateStore): string {
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
    `const view = sink.view, record = sink.offset, o = record + ${RECORD_HEADER_BYTES}`,
    'const end = o + ((length + 7) & ~7), count = sink.eventCount',
    `if (end > sink.payloadLimit || count === ${EVENTS_A_TRANSACTION_MAX}) return sink.refuseSize()`,
    // It may throw, since a value may be an odd object: the stream is pending only behind it.
    ...writing,
    ...versionCode(store),
    `view.setUint32(record + ${RECORD_LENGTH}, ${RECORD_HEADER_BYTES} + length, true)`,
    `view.setUint32(record + ${RECORD_TYPE}, this.number + high, true)`,
    `view.setUint32(record + ${RECORD_SLOT}, slot, true)`,
    `view.setUint32(record + ${RECORD_VERSION}, version, true)`,
    `sink.eventIndexes[count] = ${type.index}`,
    'sink.records[count] = record',
    'sink.eventCount = count + 1',
    'sink.offset = end',
    'return length',
  ]
  return `emit(tx, id, value) {
    if (typeof value !== 'object' || value === null) refuseValue(value)
    const written = this.write(${['tx', 'id', reads].filter(Boolean).join(', ')})
    if (written < ${PAST_LIMIT}) refuseFields(written, value)
  }
  write(${['sink', 'id', parameters].filter(Boolean).join(', ')}) {
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

/** A checksum proves that a record is as it was written, not that it was written by us. */
function replayCode({ strideWords }: AggregateStore): string {
  const payload = `record + ${RECORD_HEADER_BYTES}, lengthBytes - ${RECORD_HEADER_BYTES}`
  const recordHigh = `view.getUint16(record + ${RECORD_VERSION_HIGH}, true)`
  return `replay(view, record, lengthBytes) {
    if (codec.check(view, ${payload}) !== undefined) return false
    const slot = view.getUint32(record + ${RECORD_SLOT}, true)
    if (slot === 0 || slot > ids.count) return false
    const at = slot * ${strideWords}, low = words[at + ${SLOT_VERSION_WORD}]
    if (low === -1 || words[at + ${SLOT_PENDING_WORD}] !== 0 || ${recordHigh} !== 0) {
      if (readRecordVersion(view, record) !== store.version(slot) + 1) return false
    } else if (view.getInt32(record + ${RECORD_VERSION}, true) !== ((low + 1) | 0)) return false
    this.apply(view, record)
    return true
  }`
}

function applyCode(store: AggregateStore): string {
  const isRecord = store instanceof RecordStore
  const lines = [
    `const slot = view.getUint32(record + ${RECORD_SLOT}, true)`,
    ...(isRecord ? recordStateCode(store) : ['const state = store.writable(slot, undo)']),
    `flyweight.$wrap(record + ${RECORD_HEADER_BYTES})`,
    'const result = evolve(state, flyweight, meta)',
    'if (result !== undefined) refuseResult(name, result)',
    'flyweight.$poison()',
    ...(isRecord ? ['state.$poison()'] : []),
    `const at = slot * ${store.strideWords}`,
    `words[at + ${SLOT_VERSION_WORD}] = view.getInt32(record + ${RECORD_VERSION}, true)`,
    // Nothing is pending any more.
    `words[at + ${SLOT_PENDING_WORD}] = view.getUint16(record + ${RECORD_VERSION_HIGH}, true)`,
  ]
  return `apply(view, record) {
    ${lines.join('\n    ')}
  }`
}

/** Saves the fields of the slot, and moves the view of `evolve` to them. */
function recordStateCode(store: RecordStore): string[] {
  const { columns, fieldWords, strideBytes, strideWords } = store
  const lines = [`const fields = slot * ${strideWords} + ${SLOT_FIELDS_WORD}`]
  lines.push('if (undo.isKept) {')
  if (fieldWords > WORDS_UNROLLED_MAX) lines.push(`  undo.saveWords(words, fields, ${fieldWords})`)
  else if (fieldWords > 0) {
    lines.push('  const saved = undo.words, to = undo.wordCount')
    for (let i = 0; i < fieldWords; i++) lines.push(`  saved[to + ${i}] = words[fields + ${i}]`)
    lines.push(`  undo.wordCount = to + ${fieldWords}`)
  }
  if (columns.length > 0) lines.push('  undo.saveColumns(columns, slot)')
  lines.push('}', `state.$wrap(slot * ${strideBytes} + ${SLOT_FIELDS}, slot)`)
  return lines
}
