/**
 * What `tx.get` does for one aggregate with record state, generated once for each aggregate and
 * transaction: both, with its tables and its first two views, are constants of the code, so that V8 has one target at each call
 * in a domain of many aggregates too (as for events, docs/decisions/0014). Most commands read one or
 * two streams of an aggregate; whatever is not so simple goes to `readOther`. What is generated for
 * slots of 16 bytes:
 *
 *   return class {
 *     read(id) {
 *       if (tx.ended) refuseEnded()
 *       const slot = ids.find(id)
 *       if (slot !== 0 && words[slot * 4 + 1] >>> 16 === 0) {
 *         const used = store.readersUsed
 *         if (used === 0) {
 *           store.readersUsed = 1
 *           tx.noteViews(store)
 *           first.$wrap(slot * 16 + 8, slot)
 *           return first
 *         }
 *         if (used === 1 && first.$slot !== slot) {
 *           store.readersUsed = 2
 *           second.$wrap(slot * 16 + 8, slot)
 *           return second
 *         }
 *       }
 *       return tx.readOther(store, slot, id)
 *     }
 *   }
 */
import { generate } from '../journal/schema/generated-code.js'
import type { AggregateStore } from './aggregate-store.js'
import { refuseEnded } from './event-runtime.js'
import { RecordStore } from './record-store.js'
import { SLOT_FIELDS, SLOT_PENDING_SHIFT, SLOT_PENDING_WORD } from './slab-layout.js'

/** The running transaction, as generated code reads for it. */
export interface ReadingTransaction {
  /** The handler has returned. */
  readonly ended: boolean
  /** Slot of an id that costs a hash to find, or 0. */
  find(store: AggregateStore, id: unknown): number
  /** The views of `store` end with the handler. */
  noteViews(store: AggregateStore): void
  /** @throws TidewheelError READ_AFTER_EMIT, INVALID_ID */
  readOther(store: AggregateStore, slot: number, id: unknown): unknown
}

export interface StreamReader {
  /** The state of a stream, as it was when the command began. */
  read(id: unknown): unknown
}

export function compileReader(store: AggregateStore, tx: ReadingTransaction): StreamReader {
  const { hasHashedIds, strideBytes, strideWords } = store
  const isRecord = store instanceof RecordStore
  const fields = `slot * ${strideBytes} + ${SLOT_FIELDS}, slot`
  const fast = `if (slot !== 0 && words[slot * ${strideWords} + ${SLOT_PENDING_WORD}] >>> ${SLOT_PENDING_SHIFT} === 0) {
      const used = store.readersUsed
      if (used === 0) {
        store.readersUsed = 1
        tx.noteViews(store)
        first.$wrap(${fields})
        return first
      }
      if (used === 1 && first.$slot !== slot) {
        store.readersUsed = 2
        second.$wrap(${fields})
        return second
      }
    }`
  const source = `return class {
  read(id) {
    if (tx.ended) refuseEnded()
    const slot = ${hasHashedIds ? 'tx.find(store, id)' : 'ids.find(id)'}
    ${isRecord ? fast : ''}
    return tx.readOther(store, slot, id)
  }
}`
  const [first, second] = isRecord ? store.firstReaders : []
  const Generated = generate<new () => StreamReader>(source, {
    first,
    ids: store.ids,
    refuseEnded,
    second,
    store,
    tx,
    words: store.words,
  })
  return new Generated()
}
