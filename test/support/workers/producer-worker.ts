/**
 * A producer on a thread of its own, as the tests want it: workerData says what it does, a message
 * says how it went.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Producer, type ProducerHandle, TidewheelError } from '../../../engine/index.js'
import probe, { Count, Credit, Move } from '../domains/probe.js'
import { seededRandom } from '../seeded-random.js'

export interface ProducerTask {
  readonly handle: ProducerHandle
  readonly kind: 'count' | 'move' | 'endless' | 'flood' | 'scribble' | 'mismatch' | 'execute'
  /** The counter, account or seed of this producer. */
  readonly id: number
  readonly count: number
}

const { handle, kind, id, count } = workerData as ProducerTask

/** Commands 1, 2, 3 … to the producer's own counter; receipts must come in order. */
async function countUp(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  let answered = 0
  let problems = 0
  producer.onReceipts((first, last, view) => {
    if (first !== answered + 1) problems++
    while (view.next()) if (!view.accepted || view.eventCount !== 1) problems++
    answered = last
  })
  for (let by = 1; by <= count; by++) {
    while (producer.submit(Count, { counter: id, by }) === 0) await producer.room()
  }
  await producer.synced()
  await producer.close()
  return { answered, problems }
}

async function move(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  const random = seededRandom(id)
  for (let i = 0; i < count; i++) {
    const from = `m${random.below(50)}`
    const to = `m${random.below(50)}`
    const amount = random.below(20)
    while (producer.submit(Move, { from, to, amount }) === 0) await producer.room()
  }
  await producer.close()
  return {}
}

async function execute(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  const receipts = []
  for (let i = 1; i <= count; i++) {
    receipts.push(await producer.execute(Credit, { account: `e${id}`, amount: i }, { key: `${i}` }))
  }
  const error = await producer
    .execute(Credit, { account: '', amount: 1 })
    .catch((reason: TidewheelError) => reason.code)
  await producer.close()
  await producer.close()
  const late = await producer
    .execute(Credit, { account: 'a', amount: 1 })
    .catch((reason: TidewheelError) => reason.code)
  return { receipts, error, late }
}

/** Until it is terminated. */
async function endless(): Promise<unknown> {
  const producer = Producer.connect(handle, probe)
  for (let by = 1; ; by++) {
    while (producer.submit(Count, { counter: id, by }) === 0) await producer.room()
    if (by === count) parentPort?.postMessage('under way')
    if (by % 1000 === 0) await producer.synced()
  }
}

/** Fills the ring in one go and dies before it has seen a receipt. */
function flood(): never {
  const producer = Producer.connect(handle, probe)
  let by = 1
  while (producer.submit(Count, { counter: id, by }) !== 0) by++
  process.exit(0)
}

function mismatch(): unknown {
  try {
    Producer.connect({ ...handle, fingerprint: 'other' }, probe)
    return 'connected'
  } catch (error) {
    return error instanceof TidewheelError ? error.code : error
  }
}

/** Writes rubbish over its rings: bytes, lengths and cursors, among good commands. */
async function scribble(): Promise<unknown> {
  const random = seededRandom(id)
  const { commands, receipts, processorDoorbell } = handle.memory
  const data = new Uint8Array(commands.data)
  const words = new Int32Array(commands.data)
  const controls = [new Int32Array(commands.control), new Int32Array(receipts.control)]
  const answers = new Uint8Array(receipts.data)
  const bell = new Int32Array(processorDoorbell)
  const producer = Producer.connect(handle, probe)
  for (let round = 0; round < count; round++) {
    for (let i = random.below(40); i > 0; i--) {
      const account = `h${id}-${random.below(5)}`
      try {
        producer.submit(Credit, { account, amount: random.below(9) })
      } catch (error) {
        // It writes on when it has been cut off.
        if ((error as TidewheelError).code !== 'PRODUCER_CONDEMNED') throw error
      }
    }
    // Published now and then before, now and then after the rubbish.
    if (random.below(2) === 0) await Promise.resolve()
    const near = 1 + random.below(4000)
    for (let i = random.below(30); i > 0; i--) data[random.below(near)] = random.below(256)
    for (let i = random.below(4); i > 0; i--)
      words[random.below(near) >> 2] = random.below(2 ** 32) | 0
    if (random.below(4) === 0) answers[random.below(near)] = random.below(256)
    // Late, since a ring whose cursors were moved is seldom read again.
    if (round > count / 2 && random.below(3) === 0) {
      const control = controls[random.below(2)]!
      const cell = 32 * random.below(control.length / 32)
      const small = random.below(2) === 0 ? random.below(1 << 12) : random.below(2 ** 32) | 0
      Atomics.store(control, cell, small)
    }
    Atomics.add(bell, 32, 1)
    Atomics.notify(bell, 32)
    await new Promise(setImmediate)
  }
  // Its own promises may never be answered: it goes without saying goodbye.
  parentPort?.postMessage('scribbled')
  process.exit(0)
}

const tasks = { count: countUp, move, execute, endless, flood, mismatch, scribble }
const result = await tasks[kind]()
parentPort?.postMessage(result)
