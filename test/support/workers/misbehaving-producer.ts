/**
 * A producer that writes where it should not, or does not take its receipts: workerData says which,
 * messages say how it went.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Producer, type ProducerHandle, type TidewheelError } from '../../../engine/index.js'
import { RING_LENGTH } from '../../../engine/ring/byte-ring.js'
import { CURSOR_STRIDE } from '../../../journal/cursor.js'
import probe, { Count, Run } from '../domains/probe.js'
import { seededRandom } from '../seeded-random.js'

export interface MisbehaviourTask {
  readonly handle: ProducerHandle
  readonly kind: 'overwrite' | 'overwriteRing' | 'overwriteReceipts' | 'late' | 'unheeding'
  /** The seed, or the counter of this producer. */
  readonly id: number
  readonly count: number
  /** Int32: 0 until the test lets it go. */
  readonly signal: SharedArrayBuffer
}

const { handle, kind, id, count, signal } = workerData as MisbehaviourTask
const signalled = new Int32Array(signal)

/** Random words over all that it shares with the engine, until it is let go. */
function overwrite(): void {
  const { commands, receipts, ...others } = handle.memory
  const parts = [commands.control, commands.data, receipts.control, receipts.data]
  const memories = [...parts, ...Object.values(others)].map((memory) => new Int32Array(memory))
  const random = seededRandom(id)
  // Pairs with the store of the test.
  while (Atomics.load(signalled, 0) === 0) {
    for (const memory of memories) {
      // Of the rings' data, the start is where a fresh lane has its records.
      const at = random.below(Math.min(memory.length, 1024))
      memory[at] = random.below(4) === 0 ? random.below(5) : random.below(2 ** 32) | 0
    }
  }
}

/** Cells of a byte ring's control, which no producer has any business with. */
const PUBLISHED = 0
const CONSUMED = CURSOR_STRIDE

const codeOf = (error: TidewheelError): unknown => [error.code, error.outcome]

/** Good commands, and then bytes that are no records where the next ones were. */
async function overwriteRing(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  let told = 0
  producer.onReceipts((_first, last) => {
    told = last
  })
  const before = Array.from({ length: count }, (_, i) =>
    producer.execute(Count, { counter: id, by: i + 1 }),
  )
  const pending = [1, 2, 3].map(() => producer.execute(Count, { counter: id, by: 0 }))
  const { data } = handle.memory.commands
  const view = new DataView(data)
  let offset = 0
  for (let i = 0; i < count; i++) offset += view.getUint32(offset + RING_LENGTH, true)
  new Uint8Array(data).fill(3, offset)
  // Published with those before: while they are written to disk, the engine sees what follows.
  const synced = producer.synced()
  const receipts = await Promise.all(before)
  const refused = await Promise.all([...pending, synced].map((promise) => promise.catch(codeOf)))
  const late = await producer.execute(Count, { counter: id, by: 0 }).catch(codeOf)
  const closed = await producer.close().catch(codeOf)
  return {
    answered: receipts.filter(({ accepted }) => accepted).length,
    told,
    refused,
    late,
    closed,
  }
}

/** Bytes that are no receipts, where the engine has put one. */
async function overwriteReceipts(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  const executed = producer.execute(Count, { counter: id, by: 1 })
  await Promise.resolve()
  const { control, data } = handle.memory.receipts
  // Pairs with the store of RingProducer.publish.
  while (Atomics.load(new Int32Array(control), PUBLISHED) === 0);
  new Uint8Array(data).fill(3)
  const refused = await executed.catch(codeOf)
  return [refused, await producer.close().catch(codeOf)]
}

/** Counts, has `count` − 2 commands rejected at length, counts; and looks when it is let go. */
async function late(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  let answered = 0
  producer.onReceipts((_first, last) => {
    answered = last
  })
  const executed = producer.execute(Count, { counter: id, by: 1 })
  for (let i = 2; i < count; i++) {
    producer.submit(Run, { scenario: 'reject with a detail of bytes', with: 4000 })
  }
  producer.submit(Count, { counter: id, by: 2 })
  // They are published; and nothing is polled, for want of a turn of the event loop.
  await Promise.resolve()
  parentPort?.postMessage('submitted')
  // Pairs with the store and notification of the test.
  Atomics.wait(signalled, 0, 0)
  const synced = await producer.synced().catch(codeOf)
  const first = await executed
  const refused = await producer.execute(Count, { counter: id, by: 0 }).catch(codeOf)
  await producer.close().catch(() => undefined)
  return { first: first.accepted, answered, synced, refused }
}

/** Publishes for ever: it does not care how the engine is, and makes room for receipts unread. */
function unheeding(): never {
  const producer = Producer.connect(handle, probe)
  const status = new Int32Array(handle.memory.status)
  const receipts = new Int32Array(handle.memory.receipts.control)
  // The condition pairs with the store of the test.
  for (let by = 1; Atomics.load(signalled, 0) === 0; ) {
    // Pairs with nothing: it forges what the engine and its own port would write.
    Atomics.store(status, 0, 0)
    Atomics.store(receipts, CONSUMED, Atomics.load(receipts, PUBLISHED))
    try {
      if (producer.submit(Count, { counter: id, by }) !== 0) by++
    } catch {
      // The status was written again in between.
    }
    if (by === count) parentPort?.postMessage('submitted')
  }
  process.exit(0)
}

const tasks = { overwrite, overwriteRing, overwriteReceipts, late, unheeding }
const result = await tasks[kind]()
parentPort?.postMessage(result)
