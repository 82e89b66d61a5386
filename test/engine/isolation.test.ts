/** One producer's misbehaviour, whatever it writes or leaves undone, is not the others' affair. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { type Engine, Producer } from '../../engine/index.js'
import probe, { Account, Counter, Credit } from '../support/domains/probe.js'
import { accepted, describeModes } from '../support/engine-fixture.js'
import type { MisbehaviourTask } from '../support/workers/misbehaving-producer.js'

class Misbehaving {
  readonly worker: Worker
  /** What it says in the end. */
  readonly result: Promise<unknown>
  private readonly signal = new SharedArrayBuffer(4)

  constructor(engine: Engine, kind: MisbehaviourTask['kind'], id: number, count: number) {
    const handle = engine.producer()
    this.worker = new Worker(
      new URL('../support/workers/misbehaving-producer.js', import.meta.url),
      {
        workerData: { handle, kind, id, count, signal: this.signal } satisfies MisbehaviourTask,
        transferList: [handle.life],
      },
    )
    this.result = new Promise((resolve, reject) => {
      this.worker.on('message', (message) => message !== 'submitted' && resolve(message))
      this.worker.once('error', reject)
    })
  }

  /** It may go on; or end, if it does not wait. */
  release(): void {
    const cells = new Int32Array(this.signal)
    // Publishes the word; pairs with the load and the wait of the worker.
    Atomics.store(cells, 0, 1)
    Atomics.notify(cells, 0)
  }
}

describeModes('isolation', (bench) => {
  it('a producer that writes over all that it shares: others go on, and it is cut off', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    const seed = Date.now() % 100_000
    const hostile = [1, 2].map((i) => new Misbehaving(engine, 'overwrite', seed + i, 0))
    await Promise.all(hostile.map(({ worker }) => once(worker, 'online')))
    const honest = [engine, Producer.connect(engine.producer(), probe)]
    const cutOff = () => bench.log.filter((line) => line.startsWith('a producer is cut off')).length
    const before = cutOff()
    let rounds = 0
    // And some more after that: they go on writing.
    for (let roundsAfter = 0; roundsAfter < 20; rounds++) {
      if (cutOff() - before === hostile.length) roundsAfter++
      const receipts = await Promise.all(
        honest.map((producer) => producer.execute(Credit, { account: 'honest', amount: 1 })),
      )
      for (const receipt of receipts) {
        expect(receipt, `seed ${seed}`).toMatchObject({ accepted: true, ticket: rounds + 1 })
      }
    }
    for (const one of hostile) one.release()
    await Promise.all(hostile.map(({ worker }) => once(worker, 'exit')))
    expect((await engine.query(Account, 'honest'))?.balance).toBe(2 * rounds)
    engine = await bench.reopen(engine, path)
    await bench.close(engine)
  })

  it('PRODUCER_CONDEMNED: what it had published before is answered, what is pending is unknown', async () => {
    const engine = await bench.open(bench.path())
    const { result } = new Misbehaving(engine, 'overwriteRing', 5, 20)
    const condemned = ['PRODUCER_CONDEMNED', 'unknown']
    expect(await result).toEqual({
      answered: 20,
      told: 20,
      refused: Array(4).fill(condemned),
      // This one was certainly not taken.
      late: ['PRODUCER_CONDEMNED', undefined],
      closed: condemned,
    })
    await accepted(engine, Credit, { account: 'a', amount: 1 })
    expect((await engine.query(Counter, 5))?.value).toBe(210)
    await bench.close(engine)
  })

  it('PRODUCER_CONDEMNED: a producer that has written over its receipts', async () => {
    const engine = await bench.open(bench.path())
    const { result } = new Misbehaving(engine, 'overwriteReceipts', 9, 0)
    const condemned = ['PRODUCER_CONDEMNED', 'unknown']
    expect(await result).toEqual([condemned, condemned])
    expect((await engine.query(Counter, 9))?.value).toBe(1)
    await bench.close(engine)
  })

  it('close: a producer that looks late gets its receipts, and then ENGINE_CLOSED', async () => {
    const engine = await bench.open(bench.path())
    const late = new Misbehaving(engine, 'late', 6, 500)
    await once(late.worker, 'message')
    await bench.close(engine)
    late.release()
    expect(await late.result).toEqual({
      first: true,
      answered: 500,
      synced: undefined,
      refused: ['ENGINE_CLOSED', undefined],
    })
  })

  it('close: does not wait for a producer that takes no receipts, and says what it leaves', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    // Their receipts take three times the room that there is.
    const count = 3000
    const late = new Misbehaving(engine, 'late', 7, count)
    await once(late.worker, 'message')
    const startedMs = performance.now()
    await bench.close(engine)
    expect(performance.now() - startedMs).toBeLessThan(5000)
    const left = bench.log.flatMap(
      (line) => /: (\d+) of its commands were not run/.exec(line) ?? [],
    )
    expect(left).toHaveLength(2)
    const answered = count - Number(left[1])
    late.release()
    expect(await late.result).toEqual({
      first: true,
      answered,
      synced: ['ENGINE_CLOSED', undefined],
      refused: ['ENGINE_CLOSED', undefined],
    })
    // What has no receipt has not happened.
    engine = await bench.open(path)
    expect(await engine.query(Counter, 7)).toEqual({ value: 1 })
    await bench.close(engine)
  })

  it('close: ends, though a producer goes on publishing (endless)', async () => {
    const engine = await bench.open(bench.path(), { segmentBytes: 16 * 1024 * 1024 })
    const endless = new Misbehaving(engine, 'unheeding', 8, 1000)
    await once(endless.worker, 'message')
    await accepted(engine, Credit, { account: 'a', amount: 1 })
    await bench.close(engine)
    endless.release()
    await once(endless.worker, 'exit')
  })
})
