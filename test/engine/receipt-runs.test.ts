/** Answers as they lie in a receipt ring: what is alike is written once, and read as it was meant. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Receipt, ReceiptView, writeAccepted } from '../../engine/receipt.js'
import { RECEIPT_COUNT, RECEIPT_OUTCOME } from '../../engine/receipt-layout.js'
import { ReceiptWriter } from '../../engine/receipt-writer.js'
import { CORRUPT, createByteRing, RingConsumer, RingProducer } from '../../engine/ring/byte-ring.js'

const RING_BYTES = 64 * 1024
const CODE = Buffer.from('REFUSED')
const NOTHING = new Uint8Array(0)

type Step =
  | { kind: 'accepted'; eventCount: number; jump: number; timeJump: number }
  | { kind: 'before'; eventCount: number; sequence: number }
  | { kind: 'rejected' }
  | { kind: 'end' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('accepted' as const),
      eventCount: fc.nat(2),
      // Other lanes' commands may have taken sequences in between.
      jump: fc.constantFrom(0, 0, 0, 1),
      timeJump: fc.constantFrom(0, 0, 0, 0, 5),
    }),
  },
  fc.record({
    kind: fc.constant('before' as const),
    eventCount: fc.nat(2),
    sequence: fc.nat(50),
  }),
  fc.record({ kind: fc.constant('rejected' as const) }),
  fc.record({ kind: fc.constant('end' as const) }),
)

/** Writes the steps, and says what the receipts must be. */
function write(steps: readonly Step[], ring: RingProducer): Receipt[] {
  const writer = new ReceiptWriter(ring)
  const expected: Receipt[] = []
  let sequence = 0
  let time = 1_000
  writer.begin(time)
  for (const each of steps) {
    const ticket = expected.length + 1
    if (each.kind === 'end') writer.endRun()
    else if (each.kind === 'rejected') {
      writer.rejected(CODE, NOTHING, sequence)
      const code = 'REFUSED'
      expected.push({ accepted: false, ticket, sequence, time, repeated: false, code })
    } else if (each.kind === 'before') {
      const { eventCount, sequence: first } = each
      writer.acceptedBefore(eventCount, first, time)
      expected.push({ accepted: true, ticket, sequence: first, time, repeated: true, eventCount })
    } else {
      const { eventCount } = each
      sequence += each.jump + eventCount
      time += each.timeJump
      if (each.timeJump > 0) writer.begin(time)
      writer.accepted(eventCount, sequence)
      expected.push({ accepted: true, ticket, sequence, time, repeated: false, eventCount })
    }
  }
  writer.endRun()
  return expected
}

function readAll(view: ReceiptView): Receipt[] {
  const receipts: Receipt[] = []
  while (view.next()) receipts.push(view.toReceipt())
  return receipts
}

describe('ReceiptWriter and ReceiptView', () => {
  it('receipts: what is read is what was answered (random answers, read twice)', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = createByteRing(RING_BYTES)
        const producer = new RingProducer(memory)
        const expected = write(steps, producer)
        producer.publish()
        const consumer = new RingConsumer(memory)
        const view = new ReceiptView(consumer)
        consumer.refresh()
        for (let round = 0; round < 2; round++) {
          consumer.rewind(0)
          view.$span(0, expected.length)
          expect(readAll(view)).toEqual(expected)
          expect(view.$isInRun).toBe(false)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('receipts: answers that are alike take one record (1,000), others one each', () => {
    const ring = new RingProducer(createByteRing(RING_BYTES))
    const writer = new ReceiptWriter(ring)
    writer.begin(7)
    for (let i = 1; i <= 1_000; i++) writer.accepted(2, 2 * i)
    writer.endRun()
    const run = ring.claimed
    expect(run).toBe(32)
    writer.accepted(2, 2_002)
    writer.accepted(1, 2_003)
    writer.accepted(1, 2_005)
    writer.begin(8)
    writer.accepted(1, 2_006)
    writer.endRun()
    expect(ring.claimed).toBe(5 * run)
  })

  it.each([
    ['no command at all', 0, 0, false],
    ['more commands than there are', 4, 3, true],
  ])('receipts: a run of %s is found out', (_case, count, answered, isInRun) => {
    const memory = createByteRing(RING_BYTES)
    const producer = new RingProducer(memory)
    writeAccepted(producer, 3, 1, 1, 0, 0)
    producer.view.setUint32(RECEIPT_COUNT, count, true)
    producer.publish()
    const consumer = new RingConsumer(memory)
    consumer.refresh()
    const view = new ReceiptView(consumer)
    view.$span(0, 3)
    expect(readAll(view)).toHaveLength(answered)
    expect(view.$isInRun).toBe(isInRun)
  })

  it.each([
    ['accepted', 1, 8],
    ['accepted', 1, 24],
    ['rejected', 0, 24],
  ])(
    'receipts: a record that is too short is found out, at the end of the ring (%s)',
    (_kind, outcome, lengthBytes) => {
      const memory = createByteRing(RING_BYTES)
      const producer = new RingProducer(memory)
      const offset = RING_BYTES - lengthBytes
      producer.view.setUint32(offset, lengthBytes, true)
      producer.view.setUint8(offset + RECEIPT_OUTCOME, outcome)
      producer.publish(RING_BYTES)
      const consumer = new RingConsumer(memory)
      consumer.refresh()
      consumer.rewind(offset)
      const view = new ReceiptView(consumer)
      view.$span(0, 1)
      expect(view.next()).toBe(false)
      expect(consumer.next()).toBe(CORRUPT)
    },
  )
})
