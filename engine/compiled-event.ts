/**
 * What a replay does with the events of one type, generated once for each type: applying a record to
 * the state, when it is known to continue its stream. What the running engine does with them, emitting
 * and applying, is in live-event.ts and shares the steps of {@link applyCode}.
 *
 * All that is the same for each event of a type (codec, store, flyweight, `evolve`) is a constant in
 * the generated code, so V8 sees one target at each call and one shape at each access, in a domain
 * with two events as well as in one with a hundred. The same steps written once for all events cost
 * a transfer 70 ns more (docs/decisions/0014). What is generated for record state of one `int`:
 *
 *   return class extends EventRuntime {
 *     replay(view, record, lengthBytes) {
 *       if (codec.check(view, record + 16, lengthBytes - 16) !== undefined) return false
 *       const slot = view.getUint32(record + 8, true)
 *       if (slot === 0 || slot > ids.count) return false
 *       const low = words[slot * 4]
 *       if (low === -1 || words[slot * 4 + 1] !== 0 || view.getUint16(record + 6, true) !== 0) {
 *         if (readRecordVersion(view, record) !== store.version(slot) + 1) return false
 *       } else if (view.getInt32(record + 12, true) !== ((low + 1) | 0)) return false
 *       state.$wrap(slot * 16 + 8, slot)
 *       flyweight.$wrap(record + 16)
 *       const result = evolve(state, flyweight, meta)
 *       if (result !== undefined) refuseResult(name, result)
 *       flyweight.$poison()
 *       state.$poison()
 *       words[slot * 4] = view.getInt32(record + 12, true)
 *       words[slot * 4 + 1] = view.getUint16(record + 6, true)
 *       return true
 *     }
 *   }
 */
import {
  RECORD_HEADER_BYTES,
  RECORD_SLOT,
  RECORD_VERSION,
  RECORD_VERSION_HIGH,
} from '../journal/record-layout.js'
import { readRecordVersion } from '../journal/record-version.js'
import { createFlyweight, type Flyweight } from '../journal/schema/flyweight.js'
import { generate } from '../journal/schema/generated-code.js'
import type { AggregateStore } from './aggregate-store.js'
import type { EventType } from './domain.js'
import type { EventMetaView } from './event-meta.js'
import { EventRuntime, refuseResult } from './event-runtime.js'
import { RecordStore } from './record-store.js'
import { SLOT_FIELDS, SLOT_PENDING_WORD, SLOT_VERSION_WORD } from './slab-layout.js'
import type { UndoLog } from './undo-log.js'

export function compileEvent(
  type: EventType,
  store: AggregateStore,
  undo: UndoLog,
  meta: EventMetaView,
): EventRuntime {
  const flyweight = createFlyweight(type.$codec.layout)
  const source = `return class extends EventRuntime {
  replay(view, record, lengthBytes) {
    ${[...checkCode(store), ...applyCode(store)].join('\n    ')}
    return true
  }
}`
  const Generated = generate<
    new (
      ...given: ConstructorParameters<typeof EventRuntime>
    ) => EventRuntime
  >(source, {
    ...applyConstants(type, store, flyweight, undo, meta),
    EventRuntime,
    codec: type.$codec,
    ids: store.ids,
    readRecordVersion,
  })
  return new Generated(type, store, flyweight)
}

/** A checksum proves that a record is as it was written, not that it was written by us. */
function checkCode({ strideWords }: AggregateStore): string[] {
  const payload = `record + ${RECORD_HEADER_BYTES}, lengthBytes - ${RECORD_HEADER_BYTES}`
  const recordHigh = `view.getUint16(record + ${RECORD_VERSION_HIGH}, true)`
  return [
    `if (codec.check(view, ${payload}) !== undefined) return false`,
    `const slot = view.getUint32(record + ${RECORD_SLOT}, true)`,
    'if (slot === 0 || slot > ids.count) return false',
    `const at = slot * ${strideWords}, low = words[at + ${SLOT_VERSION_WORD}]`,
    `if (low === -1 || words[at + ${SLOT_PENDING_WORD}] !== 0 || ${recordHigh} !== 0) {`,
    '  if (readRecordVersion(view, record) !== store.version(slot) + 1) return false',
    `} else if (view.getInt32(record + ${RECORD_VERSION}, true) !== ((low + 1) | 0)) return false`,
  ]
}

/** Applies the record at `record` of `view`, to whose bytes the flyweight is attached, to `slot`. */
export function applyCode(store: AggregateStore): string[] {
  const isRecord = store instanceof RecordStore
  return [
    isRecord
      ? `state.$wrap(slot * ${store.strideBytes} + ${SLOT_FIELDS}, slot)`
      : 'const state = store.writable(slot, undo)',
    `flyweight.$wrap(record + ${RECORD_HEADER_BYTES})`,
    'const result = evolve(state, flyweight, meta)',
    'if (result !== undefined) refuseResult(name, result)',
    'flyweight.$poison()',
    ...(isRecord ? ['state.$poison()'] : []),
    `words[slot * ${store.strideWords} + ${SLOT_VERSION_WORD}] = view.getInt32(record + ${RECORD_VERSION}, true)`,
    // Nothing is pending any more.
    `words[slot * ${store.strideWords} + ${SLOT_PENDING_WORD}] = view.getUint16(record + ${RECORD_VERSION_HIGH}, true)`,
  ]
}

/** What {@link applyCode} names. */
export function applyConstants(
  type: EventType,
  store: AggregateStore,
  flyweight: Flyweight,
  undo: UndoLog,
  meta: EventMetaView,
): Record<string, unknown> {
  return {
    evolve: type.evolve,
    flyweight,
    meta,
    name: type.name,
    refuseResult,
    state: store instanceof RecordStore ? store.writer : undefined,
    store,
    undo,
    words: store.words,
  }
}
