import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { domain as declare, type Engine, Producer, text } from '../../engine/index.js'
import probe, { Account, Counted, Counter, Credit } from '../support/domains/probe.js'
import { accepted, all, describeModes, failureOf, run } from '../support/engine-fixture.js'
import type { ProducerTask } from '../support/workers/producer-worker.js'

function start(engine: Engine, kind: ProducerTask['kind'], id: number, count = 0): Worker {
  const handle = engine.producer()
  return new Worker(new URL('../support/workers/producer-worker.js', import.meta.url), {
    workerData: { handle, kind, id, count } satisfies ProducerTask,
    transferList: [handle.life],
    stderr: false,
  })
}

async function resultOf(worker: Worker): Promise<unknown> {
  const exited = once(worker, 'exit')
  const [result] = (await once(worker, 'message')) as [unknown]
  await exited
  return result
}

describeModes('producers', (bench) => {
  it('four threads: every command once, in its producer’s order, nothing lost (500,000)', async () => {
    const path = bench.path()
    let engine = await bench.open(path, { segmentBytes: 16 * 1024 * 1024 })
    const each = 125_000
    for (let i = 0; i < 50; i++) {
      engine.submit(Credit, { account: `m${i}`, amount: 1000 })
    }
    await engine.synced()
    const counters = [1, 2, 3, 4].map((id) => resultOf(start(engine, 'count', id, each)))
    const movers = [11, 12].map((seed) => resultOf(start(engine, 'move', seed, 5000)))
    for (const result of await Promise.all(counters)) {
      expect(result).toEqual({ answered: each, problems: 0 })
    }
    await Promise.all(movers)
    const next = [0, 1, 1, 1, 1]
    let sequence = 0
    let problems = 0
    for await (const event of engine.readAll()) {
      if (event.sequence !== ++sequence) problems++
      if (!Counted.is(event)) continue
      if (event.data.by !== next[event.id] || event.version !== event.data.by) problems++
      next[event.id]!++
    }
    expect({ next, problems }).toEqual({ next: [0, ...Array(4).fill(each + 1)], problems: 0 })
    let sum = 0
    for (let i = 0; i < 50; i++) sum += (await engine.query(Account, `m${i}`))?.balance ?? 0
    expect(sum).toBe(50_000)
    engine = await bench.reopen(engine, path)
    await bench.close(engine)
  })

  it('execute on another thread: receipts, keys and errors as on this one', async () => {
    const engine = await bench.open(bench.path())
    const result = (await resultOf(start(engine, 'execute', 1, 20))) as { receipts: unknown[] }
    expect(result).toMatchObject({ error: 'INVALID_COMMAND', late: 'ENGINE_CLOSED' })
    expect(result.receipts).toHaveLength(20)
    result.receipts.forEach((receipt, i) => {
      expect(receipt).toMatchObject({ accepted: true, ticket: i + 1, sequence: i + 1 })
    })
    // Keys are the engine's, not the producer's.
    const again = await engine.execute(Credit, { account: 'e1', amount: 1 }, { key: '1' })
    expect(again).toMatchObject({ accepted: true, repeated: true, sequence: 1 })
    await bench.close(engine)
  })

  it('DOMAIN_MISMATCH: a producer with another domain is refused', async () => {
    const engine = await bench.open(bench.path())
    expect(await resultOf(start(engine, 'mismatch', 1))).toBe('DOMAIN_MISMATCH')
    const other = declare('probe', import.meta.url)
    other.command('Credit', { account: text }, () => undefined)
    expect(() => Producer.connect(engine.producer(), other)).toThrow(/DOMAIN_MISMATCH/)
    await bench.close(engine)
  })

  it('INVALID_OPTION: a handle is connected once; what is no handle or no domain is refused', async () => {
    const engine = await bench.open(bench.path())
    const handle = engine.producer()
    const producer = Producer.connect(handle, probe)
    const again = { ...handle, memory: { ...handle.memory } }
    expect(() => Producer.connect(handle, probe)).toThrow(/INVALID_OPTION.*connected already/)
    expect(() => Producer.connect(again, probe)).toThrow(/INVALID_OPTION.*connected already/)
    const receipt = await producer.execute(Credit, { account: 'p', amount: 1 })
    expect(receipt).toMatchObject({ accepted: true, ticket: 1 })
    for (const wrong of [undefined, null, 5, {}, { memory: {}, life: handle.life }]) {
      const connect = () => Producer.connect(wrong as never, probe)
      expect(connect).toThrow(/INVALID_OPTION.*is not a producer's handle/)
    }
    for (const wrong of [undefined, null, 5, { name: 'probe' }]) {
      const connect = () => Producer.connect(engine.producer(), wrong as never)
      expect(connect).toThrow(/INVALID_OPTION.*is not a domain/)
    }
    await producer.close()
    await bench.close(engine)
  })

  it('terminate(): a producer that dies at any moment leaves the others alone', async () => {
    const path = bench.path()
    let engine = await bench.open(path, { segmentBytes: 16 * 1024 * 1024 })
    const steady = start(engine, 'count', 1, 60_000)
    const finished = resultOf(steady)
    for (let round = 0; round < 6; round++) {
      const victim = start(engine, 'endless', 100 + round, 1001 + round * 400)
      await once(victim, 'message')
      await victim.terminate()
      await accepted(engine, Credit, { account: 'between', amount: 1 })
    }
    expect(await finished).toEqual({ answered: 60_000, problems: 0 })
    for (let round = 0; round < 6; round++) {
      const events = await all(engine.read(Counter, 100 + round))
      expect(events.length).toBeGreaterThan(0)
      // What it published is there from the first on, without a gap.
      events.forEach(({ data }, i) => {
        expect(data).toEqual({ by: i + 1 })
      })
    }
    engine = await bench.reopen(engine, path)
    await bench.close(engine)
  })

  it('a producer that dies with a full ring: what it published is processed', async () => {
    const engine = await bench.open(bench.path(), { segmentBytes: 16 * 1024 * 1024 })
    const flooding = start(engine, 'flood', 7)
    await once(flooding, 'exit')
    const value = async (): Promise<number> => (await engine.query(Counter, 7))?.value ?? 0
    // What the ring has room for.
    const least = 20_000
    await expect.poll(value, { timeout: 10_000 }).toBeGreaterThanOrEqual((least * (least + 1)) / 2)
    await accepted(engine, Credit, { account: 'after', amount: 1 })
    await bench.close(engine)
  })

  it('hostile producers: no crash, no wrong record, others unaffected', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    const seed = Date.now() % 100_000
    const hostile = Array.from({ length: 6 }, (_, i) => start(engine, 'scribble', seed + i, 150))
    const endings = hostile.map((worker) => once(worker, 'exit'))
    for (let i = 1; i <= 300; i++) {
      const receipt = await engine.execute(Credit, { account: 'honest', amount: i })
      expect(receipt, `seed ${seed}`).toMatchObject({ accepted: true, ticket: i })
    }
    const steady = start(engine, 'count', 1, 5000)
    expect(await resultOf(steady), `seed ${seed}`).toEqual({ answered: 5000, problems: 0 })
    await Promise.all(endings)
    await accepted(engine, Credit, { account: 'honest', amount: 0 })
    const events = await all(engine.read(Account, 'honest'))
    expect(events.map(({ data }) => (data as { amount: number }).amount)).toEqual([
      ...Array.from({ length: 300 }, (_, i) => i + 1),
      0,
    ])
    // Every record can be read, and gives the same state again.
    let sequence = 0
    for await (const event of engine.readAll()) expect(event.sequence).toBe(++sequence)
    engine = await bench.reopen(engine, path)
    expect(await run(engine, 'nothing')).toMatchObject({ accepted: true })
    await bench.close(engine)
  })

  it('close: producers learn of it, and what they had published is answered', async () => {
    const engine = await bench.open(bench.path())
    const producer = Producer.connect(engine.producer(), probe)
    const receipts = Array.from({ length: 500 }, () =>
      producer.execute(Credit, { account: 'p', amount: 1 }),
    )
    expect((await Promise.all(receipts)).every((receipt) => receipt.accepted)).toBe(true)
    const late = Array.from({ length: 500 }, () =>
      producer.execute(Credit, { account: 'p', amount: 1 }),
    )
    await new Promise(setImmediate)
    const closed = bench.close(engine)
    // They were published before: taken, so answered.
    expect((await Promise.all(late)).every((receipt) => receipt.accepted)).toBe(true)
    await closed
    const error = await failureOf(producer.execute(Credit, { account: 'p', amount: 1 }))
    expect(error.code).toBe('ENGINE_CLOSED')
    await producer.close()
  })
})
