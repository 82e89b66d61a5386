/** `micro.*`: the parts on their own, by tinybench. Closed loops: times, not latencies. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Bench } from 'tinybench'
import { createIdIndex } from '../engine/memory/id-index.js'
import { createByteRing, RingConsumer, RingProducer } from '../engine/ring/byte-ring.js'
import { FixedSink } from '../journal/schema/codec.js'
import { compileCodec } from '../journal/schema/compiled-codec.js'
import { int, text, u32 } from '../journal/schema/field-types.js'
import { createFlyweight } from '../journal/schema/flyweight.js'
import { layOut } from '../journal/schema/payload-layout.js'
import { packPlain } from '../journal/schema/plain-data.js'
import type { Benchmark, BenchmarkOptions, Row } from './benchmark.js'

/** Operations a call, so that the call itself does not count. */
const OPERATIONS = 1000

export const microBenchmark: Benchmark = {
  name: 'micro',
  async run({ size }: BenchmarkOptions): Promise<Row[]> {
    const time = size === 'smoke' ? 5 : size === 'quick' ? 300 : 2000
    const bench = new Bench({ time, warmupTime: time / 3 })
    const check = addTasks(bench)
    await bench.run()
    check()
    return bench.tasks.map(({ name, result }) => {
      if (result.state !== 'completed') throw new Error(`${name}: ${result.state}`)
      const nanoseconds = (result.latency.mean * 1e6) / OPERATIONS
      const config = { operations: OPERATIONS, samples: result.latency.samplesCount }
      return { name: `micro.${name}`, unit: 'ns', value: nanoseconds, runs: [nanoseconds], config }
    })
  },
}

/** Returns a check of what the tasks have done. */
function addTasks(bench: Bench): () => void {
  const checks = [addRing(bench), addCodec(bench), addIndex(bench), addHashes(bench)]
  return () => {
    for (const check of checks) check()
  }
}

function addRing(bench: Bench): () => void {
  const memory = createByteRing(1024 * 1024)
  const producer = new RingProducer(memory)
  const consumer = new RingConsumer(memory)
  let sent = 0
  let received = 0
  bench.add('ring.claim-publish-consume', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      const offset = producer.claim(32)
      producer.view.setUint32(offset + 4, i, true)
      producer.append(32)
      sent++
    }
    producer.publish()
    consumer.refresh()
    while (consumer.next() >= 0) received++
    consumer.release()
  })
  return () => assertEqual('records through the ring', received, sent)
}

function addCodec(bench: Bench): () => void {
  const fields = { from: u32, to: u32, amount: int }
  const layout = layOut('Transfer', fields, 'command')
  const codec = compileCodec(layout)
  const flyweight = createFlyweight(layout) as ReturnType<typeof createFlyweight> & {
    amount: number
  }
  const view = new DataView(new ArrayBuffer(1024))
  flyweight.$attach(view)
  const sink = new FixedSink(view).at(0, 1024)
  bench.add('codec.encode', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      codec.encode({ from: i, to: i + 1, amount: i }, sink)
    }
  })
  let sum = 0
  bench.add('flyweight.read', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      flyweight.$wrap(0)
      sum += flyweight.amount
    }
  })
  const textual = compileCodec(layOut('Note', { note: text, amount: int }, 'command'))
  bench.add('codec.encode-text', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      textual.encode({ note: 'account-12345', amount: i }, sink)
    }
  })
  bench.add('msgpackr.pack', () => {
    for (let i = 0; i < OPERATIONS; i++) packPlain({ owner: 'Alice', tags: ['a', 'b'], n: i })
  })
  return () => assertEqual('last amount', sum % (OPERATIONS - 1), 0)
}

function addIndex(bench: Bench): () => void {
  const ids = createIdIndex('u32')
  const count = 1_048_576
  for (let id = 0; id < count; id++) ids.add(id)
  let x = 1
  let found = 0
  let asked = 0
  bench.add('index.find-u32', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      x = (Math.imul(x, 1664525) + 1013904223) >>> 0
      if (ids.find(x % count) !== 0) found++
      asked++
    }
  })
  return () => assertEqual('ids found', found, asked)
}

function addHashes(bench: Bench): () => void {
  const block = new Uint8Array(64 * 1024).fill(7)
  const bytes = block.length
  let checksum = 0
  bench.add('crc32.64KiB', () => {
    for (let i = 0; i < OPERATIONS; i++) checksum = crc32(block)
  })
  let digest = ''
  bench.add('sha256.64KiB', () => {
    for (let i = 0; i < OPERATIONS; i++) digest = createHash('sha256').update(block).digest('hex')
  })
  return () => {
    assertEqual('checksum', checksum, crc32(new Uint8Array(bytes).fill(7)))
    assertEqual('digest', digest.length, 64)
  }
}

function assertEqual(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${what}: ${actual} instead of ${expected}`)
}
