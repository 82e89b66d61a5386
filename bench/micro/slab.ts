/** Record state: one field of a random slot read, and changed, through the generated views. */
import { int } from '../../journal/schema/field-types.js'
import { layOut, stateBytes } from '../../journal/schema/payload-layout.js'
import { createColumns, createStateViews } from '../../journal/schema/state-view.js'
import { assertEqual, type MicroGroup, OPERATIONS } from './micro-group.js'

const SLOTS = 65_536

interface Account {
  balance: number
}

export const addSlab: MicroGroup = (tasks) => {
  const layout = layOut('Account', { balance: int }, 'state')
  const strideBytes = stateBytes(layout)
  const slab = new DataView(new ArrayBuffer(SLOTS * strideBytes))
  const columns = createColumns(layout)
  const { Writable, ReadOnly } = createStateViews(layout)
  const writer = new Writable()
  const reader = new ReadOnly()
  writer.$attach(slab, columns)
  reader.$attach(slab, columns)
  let x = 1
  const nextSlot = (): number => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    return x >>> 16
  }
  let written = 0
  tasks.add('slab.write', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      const slot = nextSlot()
      writer.$wrap(slot * strideBytes, slot)
      const account = writer as unknown as Account
      account.balance += 1
    }
    written += OPERATIONS
  })
  let read = 0
  tasks.add('slab.read', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      const slot = nextSlot()
      reader.$wrap(slot * strideBytes, slot)
      read += (reader as unknown as Account).balance
    }
  })
  return () => {
    let sum = 0
    for (let slot = 0; slot < SLOTS; slot++) {
      reader.$wrap(slot * strideBytes, slot)
      sum += (reader as unknown as Account).balance
    }
    assertEqual('what was written', sum, written)
    assertEqual('whether something was read', read > 0, true)
  }
}
