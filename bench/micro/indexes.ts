/** Ids of each type and idempotency keys, looked up at random among many. */
import { createIdIndex } from '../../engine/memory/id-index.js'
import { KeyTable } from '../../engine/memory/key-table.js'
import { ScatteredId, textId } from '../ids.js'
import { assertEqual, type MicroGroup, type MicroTasks, OPERATIONS } from './micro-group.js'

const IDS = 65_536

export const addIndexes: MicroGroup = (tasks) => {
  const dense = createIdIndex('u32')
  const scattered = createIdIndex('u64')
  const textual = createIdIndex('text')
  const id = new ScatteredId()
  const texts = Array.from({ length: IDS }, (_, account) => textId(account))
  const bigints = texts.map((_, account) => {
    id.set(account)
    return id.bigint
  })
  for (let i = 0; i < IDS; i++) {
    dense.add(i)
    scattered.add(bigints[i])
    textual.add(texts[i])
  }
  let x = 1
  const random = (): number => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    return x >>> 16
  }
  let found = 0
  let asked = 0
  const add = (name: string, find: (i: number) => number): void => {
    tasks.add(`index.find-${name}`, () => {
      for (let i = 0; i < OPERATIONS; i++) if (find(random()) !== 0) found++
      asked += OPERATIONS
    })
  }
  add('u32', (i) => dense.find(i))
  add('u64', (i) => scattered.find(bigints[i]))
  add('text', (i) => textual.find(texts[i]))
  const checkKeys = addKeys(tasks)
  return () => {
    assertEqual('ids found', found, asked)
    checkKeys()
  }
}

/** Each call looks new keys up, and adds them to a full window. */
function addKeys(tasks: MicroTasks): () => void {
  const countMax = 10_000
  const keys = new KeyTable({ countMax, ageMaxUs: Number.MAX_SAFE_INTEGER })
  const view = new DataView(new ArrayBuffer(16))
  let added = 0
  const addNext = (): void => {
    view.setUint32(0, ++added, true)
    if (keys.find(view, 0, 16, added) !== 0) throw new Error('a new key was found')
    keys.addAccepted(view, 0, 16, 1, 2, added, 1, added)
  }
  while (added < countMax) addNext()
  tasks.add('keys.find-and-add', () => {
    for (let i = 0; i < OPERATIONS; i++) addNext()
  })
  return () => assertEqual('keys held', keys.count, countMax)
}
