/**
 * What an engine does with the events of one type, generated once for each type: emitting one into
 * the running transaction, and applying the record of one to the state.
 *
 * All that is the same for each event of a type (codec, store, flyweight, `evolve`) is a constant in
 * the generated code, so V8 sees one target at each call and one shape at each access, in a domain
 * with two events as well as in one with a hundred. The same steps written once for all events cost
 * a transfer 60 ns more (docs/decisions/0014). What is generated for record state of one `int`:
 *
 *   return class extends EventRuntime {
 *     emit(tx, id, value) {
 *       const found = ids.find(id), slot = found !== 0 ? found : tx.openStream(store, id)
 *       if (slot !== 0) tx.append(this, slot, codec.encode(value, tx))
 *     }
 *     apply(view, record) {
 *       const slot = view.getUint32(record + 8, true), at = slot * 4
 *       if (undo.isKept) {
 *         const saved = undo.roomFor(6), to = undo.wordCount
 *         saved[to] = words[at]; saved[to + 1] = words[at + 1]; …
 *         saved[to + 4] = 0; saved[to + 5] = slot
 *         undo.wordCount = to + 6
 *       }
 *       state.$wrap(slot * 16 + 8, slot)
 *       flyweight.$wrap(record + 16)
 *       const result = evolve(state, flyweight, meta)
 *       if (result !== undefined) refuseResult(name, result)
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
import { SLOT_FIELDS } from './slab-layout.js'
import { UNDO_ENTRY_WORDS, type UndoLog } from './undo-log.js'

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

/** Saves the slot, and moves the view of `evolve` to it. */
function recordStateCode({ columns, index, strideBytes, strideWords }: RecordStore): string {
  const lines: string[] = []
  if (strideWords > WORDS_UNROLLED_MAX || columns.length > 0) lines.push('undo.save(store, slot)')
  else {
    const entryWords = strideWords + UNDO_ENTRY_WORDS
    lines.push('if (undo.isKept) {')
    lines.push(`  const saved = undo.roomFor(${entryWords}), to = undo.wordCount`)
    lines.push(`  const at = slot * ${strideWords}`)
    for (let i = 0; i < strideWords; i++) lines.push(`  saved[to + ${i}] = words[at + ${i}]`)
    lines.push(`  saved[to + ${strideWords}] = ${index}`)
    lines.push(`  saved[to + ${strideWords + 1}] = slot`)
    lines.push(`  undo.wordCount = to + ${entryWords}`, '}')
  }
  lines.push(`state.$wrap(slot * ${strideBytes} + ${SLOT_FIELDS}, slot)`)
  return lines.join('\n    ')
}
