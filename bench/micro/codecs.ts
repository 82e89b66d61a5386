/** Payloads: values encoded into bytes, read through a flyweight, and decoded into objects. */
import { FixedSink, NO_REFERENCES } from '../../journal/schema/codec.js'
import { compileCodec } from '../../journal/schema/compiled-codec.js'
import { int, text, u32 } from '../../journal/schema/field-types.js'
import { createFlyweight } from '../../journal/schema/flyweight.js'
import { layOut } from '../../journal/schema/payload-layout.js'
import { assertEqual, type MicroGroup, OPERATIONS } from './micro-group.js'

/** Payloads lie behind one another, so that none is read or written twice in a row. */
const PAYLOADS = 64
const PAYLOAD_BYTES = 32
const BUFFER_BYTES = PAYLOADS * PAYLOAD_BYTES

export const addCodecs: MicroGroup = (tasks) => {
  const layout = layOut('Transfer', { from: u32, to: u32, amount: int }, 'command')
  const codec = compileCodec(layout)
  const view = new DataView(new ArrayBuffer(BUFFER_BYTES))
  const sink = new FixedSink(view)
  const value = { from: 0, to: 1, amount: 0 }
  const encode = (i: number): void => {
    const offset = (i % PAYLOADS) * PAYLOAD_BYTES
    value.from = i
    value.amount = i % PAYLOADS
    codec.encode(value, sink.at(offset, BUFFER_BYTES))
  }
  for (let i = 0; i < PAYLOADS; i++) encode(i)
  tasks.add('codec.encode', () => {
    for (let i = 0; i < OPERATIONS; i++) encode(i)
  })
  // Flyweights are typed by their layout, which is made at run time here.
  const flyweight = createFlyweight(layout) as ReturnType<typeof createFlyweight> & {
    amount: number
  }
  flyweight.$attach(view)
  let expected = 0
  for (let i = 0; i < OPERATIONS; i++) expected += i % PAYLOADS
  let read = 0
  let reads = 0
  tasks.add('flyweight.read', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      flyweight.$wrap((i % PAYLOADS) * PAYLOAD_BYTES)
      read += flyweight.amount
    }
    reads += expected
  })
  let decoded = 0
  let decodes = 0
  tasks.add('codec.decode', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      const offset = (i % PAYLOADS) * PAYLOAD_BYTES
      decoded += codec.decode(view, offset, layout.fixedBytes, NO_REFERENCES)['amount'] as number
    }
    decodes += expected
  })
  addText(tasks)
  return () => {
    assertEqual('what the flyweight has read', read, reads)
    assertEqual('what was decoded', decoded, decodes)
  }
}

function addText(tasks: Parameters<MicroGroup>[0]): void {
  const codec = compileCodec(layOut('Note', { note: text, amount: int }, 'command'))
  const sink = new FixedSink(new DataView(new ArrayBuffer(BUFFER_BYTES)))
  const value = { note: 'account-12345', amount: 0 }
  tasks.add('codec.encode-text', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      value.amount = i
      codec.encode(value, sink.at((i % PAYLOADS) * PAYLOAD_BYTES, BUFFER_BYTES))
    }
  })
}
