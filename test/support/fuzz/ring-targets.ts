/** Records that another thread has written into shared memory: commands, and receipts. */
import { CommandBatch } from '../../../engine/command-batch.js'
import { COMMAND_PAYLOAD_BYTES, COMMAND_TYPE } from '../../../engine/command-layout.js'
import { DomainRuntime } from '../../../engine/domain-runtime.js'
import { createLaneMemory, Lane } from '../../../engine/lane.js'
import { ReceiptView, writeAccepted, writeRejected } from '../../../engine/receipt.js'
import {
  createByteRing,
  RING_LENGTH,
  RingConsumer,
  RingProducer,
} from '../../../engine/ring/byte-ring.js'
import { assert } from '../../../journal/errors.js'
import { alignWord } from '../../../journal/layout.js'
import { FixedSink } from '../../../journal/schema/codec.js'
import { packPlain } from '../../../journal/schema/plain-data.js'
import probe, { Count, Credit, Run } from '../domains/probe.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import { lastOf } from './journal-sample.js'

export function ringTargets(): FuzzTarget[] {
  return [commandTarget(), receiptTarget()]
}

/** Of the command ring that is written over: what a few commands take. */
const COMMANDS_BYTES_MAX = 4096
const COMMAND_HEADER = 16

/**
 * A lane whose ring holds these bytes, published; the words of the cursors are the input's too, now
 * and then.
 */
function commandTarget(): FuzzTarget {
  const runtime = new DomainRuntime(probe)
  const batch = new CommandBatch(runtime)
  const memory = createLaneMemory()
  const control = new Int32Array(memory.commands.control)
  const data = new Uint8Array(memory.commands.data)
  const commands = validCommands(runtime)
  return {
    name: 'command ring',
    inputs: EVERY_DECODER,
    makeValid: () => commands.slice(),
    mend(bytes, random) {
      // Lengths that lead from one record to the next.
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      for (let at = 0; at + COMMAND_HEADER <= bytes.length; ) {
        const payloadBytes = view.getUint32(at + COMMAND_PAYLOAD_BYTES, true)
        const left = Math.min(bytes.length - at, 0xff8)
        const length = alignWord(COMMAND_HEADER + (payloadBytes & 0xff)) & ~7
        view.setUint32(at + RING_LENGTH, Math.min(length, left & ~7), true)
        if (random.below(2) === 0) view.setUint16(at + COMMAND_TYPE, 1 + random.below(8), true)
        at += Math.max(8, Math.min(length, left & ~7))
      }
    },
    decode(bytes) {
      control.fill(0)
      data.fill(0, 0, COMMANDS_BYTES_MAX)
      data.set(bytes.subarray(0, COMMANDS_BYTES_MAX))
      const isCursorOdd = lastOf(bytes) === 0xff
      const used = Math.min(bytes.length, COMMANDS_BYTES_MAX)
      control[0] = (isCursorOdd ? new DataView(data.buffer).getInt32(0, true) : used) | 0
      const lane = new Lane(memory, false)
      for (let round = 0; round < 64 && batch.take(lane); round++) {
        batch.sweep()
        for (let i = 0; i < batch.count; i++) {
          const command = batch.commands[i]
          if (command === undefined) {
            assert(batch.problem(i) !== '', 'what is refused has a reason')
            continue
          }
          command.flyweight.$attach(batch.view)
          command.codec.decode(batch.view, batch.payloads[i]!, batch.payloadBytes[i]!, runtime)
        }
      }
      assert(lane.condemned !== undefined || lane.isDrained || isCursorOdd, 'taken, or condemned')
    },
  }
}

function validCommands(runtime: DomainRuntime): Uint8Array {
  const values = [
    [Count, { counter: 3, by: 1 }],
    [Credit, { account: 'alice', amount: 5 }],
    [Run, { scenario: 'nothing', with: { list: [1, 'two'] } }],
  ] as const
  const bytes = new Uint8Array(COMMANDS_BYTES_MAX)
  const view = new DataView(bytes.buffer)
  let end = 0
  for (const [type, value] of values) {
    const number = runtime.commands.findIndex(({ name }) => name === type.name) + 1
    const { codec } = runtime.commands[number - 1]!
    const sink = new FixedSink(view, runtime).at(end + COMMAND_HEADER, COMMANDS_BYTES_MAX)
    const payloadBytes = codec.encode(value, sink)
    view.setUint32(end + RING_LENGTH, COMMAND_HEADER + alignWord(payloadBytes), true)
    view.setUint16(end + COMMAND_TYPE, number, true)
    view.setUint32(end + COMMAND_PAYLOAD_BYTES, payloadBytes, true)
    end += COMMAND_HEADER + alignWord(payloadBytes)
  }
  return bytes.slice(0, end)
}

const RECEIPT_RING_BYTES = 16 * 1024

function receiptTarget(): FuzzTarget {
  const memory = createByteRing(RECEIPT_RING_BYTES)
  const control = new Int32Array(memory.control)
  const data = new Uint8Array(memory.data)
  const producer = new RingProducer(memory)
  const detail = packPlain({ balance: 5, texts: ['a', 'b'] })
  assert(typeof detail !== 'string', 'the detail is plain data')
  writeAccepted(producer, 3, 2, 17, 1_700_000_000_000_000, 0)
  writeRejected(producer, Buffer.from('NO_FUNDS'), detail, 17, 1_700_000_000_000_000, 1)
  writeAccepted(producer, 1, 0, 17, 1_700_000_000_000_000, 1)
  const receipts = data.slice(0, producer.claimed)
  return {
    name: 'receipt ring',
    inputs: EVERY_DECODER,
    makeValid: () => receipts.slice(),
    decode(bytes) {
      control.fill(0)
      data.fill(0, 0, receipts.length * 2)
      const used = Math.min(bytes.length & ~7, RECEIPT_RING_BYTES)
      data.set(bytes.subarray(0, used))
      control[0] = used
      const ring = new RingConsumer(memory)
      const view = new ReceiptView(ring)
      view.$span(0, 5)
      ring.refresh()
      for (let receipt = 0; view.next(); receipt++) {
        assert(receipt < 5, 'no more receipts than there are commands')
        view.toReceipt()
      }
    },
  }
}
