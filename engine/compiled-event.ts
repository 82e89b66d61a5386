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
 *       const found = ids.find(id), slot = found !== 0 ? found : tx.openStream(store, id)
 *       if (slot !== 0) tx.append(this, slot, codec.encode(value, tx))
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
 *       store.reachVersion(slot, view, record)
 *     }
 *   }
 */
import { RECORD_HEADER_BYTES, RECORD_SLOT } from '../journal/record-layout.js'
import { createFlyweight } from '../journal/schema/flyweight.js'
import { generate } from '../journal/schema/generated-code.js'
import type { AggregateStore } from './aggregate-store.js'
import type { EventType } from './domain.js'
import type { EventMetaView } from './event-meta.js'
import { EventRuntime, refuseResult } from './event-runtime.js'
import { RecordStore } from './record-store.js'
import { SLOT_FIELDS, SLOT_FIELDS_WORD } from './slab-layout.js'
import type { UndoLog } from './undo-log.js'

/** Slots of more words are saved in a loop, which costs less than the code would. */
const WORDS_UNROLLED_MAX = 32

export function compileEvent(
  type: EventType,
  store: AggregateStore,
  undo: UndoLog,
  meta: EventMetaView,
): EventRuntime {
  const flyweight = createFlyweight(type.$codec.layout)
  const find = store.hasHashedIds ? 'tx.find(store, id)' : 'ids.find(id)'
  const source = `return class extends EventRuntime {
  emit(tx, id, value) {
    const found = ${find}, slot = found !== 0 ? found : tx.openStream(store, id)
    if (slot !== 0) tx.append(this, slot, codec.encode(value, tx))
  }
  apply(view, record) {
    const slot = view.getUint32(record + ${RECORD_SLOT}, true)
    ${store instanceof RecordStore ? recordStateCode(store) : 'const state = store.writable(slot, undo)'}
    flyweight.$wrap(record + ${RECORD_HEADER_BYTES})
    const result = evolve(state, flyweight, meta)
    if (result !== undefined) refuseResult(name, result)
    flyweight.$poison()
    ${store instanceof RecordStore ? 'state.$poison()' : ''}
    store.reachVersion(slot, view, record)
  }
}`
  const Generated = generate<
    new (
      ...given: ConstructorParameters<typeof EventRuntime>
    ) => EventRuntime
  >(source, {
    EventRuntime,
    codec: type.$codec,
    columns: store instanceof RecordStore ? store.columns : undefined,
    evolve: type.evolve,
    flyweight,
    ids: store.ids,
    meta,
    name: type.name,
    refuseResult,
    state: store instanceof RecordStore ? store.writer : undefined,
    store,
    undo,
    words: store.words,
  })
  return new Generated(type, store, flyweight)
}

/** Saves the fields of the slot, and moves the view of `evolve` to them. */
function recordStateCode({ columns, fieldWords, strideBytes, strideWords }: RecordStore): string {
  const lines: string[] = [`const fields = slot * ${strideWords} + ${SLOT_FIELDS_WORD}`]
  lines.push('if (undo.isKept) {')
  if (fieldWords > WORDS_UNROLLED_MAX) lines.push(`  undo.saveWords(words, fields, ${fieldWords})`)
  else if (fieldWords > 0) {
    lines.push('  const saved = undo.words, to = undo.wordCount')
    for (let i = 0; i < fieldWords; i++) lines.push(`  saved[to + ${i}] = words[fields + ${i}]`)
    lines.push(`  undo.wordCount = to + ${fieldWords}`)
  }
  if (columns.length > 0) lines.push('  undo.saveColumns(columns, slot)')
  lines.push('}', `state.$wrap(slot * ${strideBytes} + ${SLOT_FIELDS}, slot)`)
  return lines.join('\n    ')
}
