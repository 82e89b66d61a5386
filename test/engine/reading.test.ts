import { isDeepStrictEqual } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import type { AcceptedReceipt, Engine, RecordedEvent } from '../../engine/index.js'
import { Account, Count, Counter, Credit, Run } from '../support/domains/probe.js'
import { accepted, all, describeModes, failureOf, run } from '../support/engine-fixture.js'

const MIN_RING_BYTES = 2 * 1024 * 1024

/** Takes `count` events, then leaves the loop. */
async function take(events: AsyncIterable<RecordedEvent>, count: number): Promise<RecordedEvent[]> {
  const list: RecordedEvent[] = []
  if (count === 0) return list
  for await (const event of events) {
    list.push(event)
    if (list.length === count) break
  }
  return list
}

function sequencesFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}

describeModes('reading', (bench) => {
  let engine: Engine
  let path: string

  beforeAll(async () => {
    path = bench.path()
    engine = await bench.open(path)
  })

  it('readAll: an empty journal has no events', async () => {
    expect(await all(engine.readAll())).toEqual([])
    expect(await all(engine.readAll({ from: 5 }))).toEqual([])
    expect(await all(engine.read(Account, 'nobody'))).toEqual([])
  })

  it('readAll: from any sequence, inclusive, to the end', async () => {
    for (let i = 1; i <= 100; i++) engine.submit(Credit, { account: `a${i % 3}`, amount: i })
    await engine.synced()
    for (const from of [1, 2, 50, 99, 100, 101, 1_000_000, Number.MAX_SAFE_INTEGER]) {
      const events = await all(engine.readAll({ from }))
      const count = Math.max(0, 101 - from)
      expect(events.map(({ sequence }) => sequence)).toEqual(sequencesFrom(from, count))
      expect(events.map(({ data }) => data)).toEqual(
        sequencesFrom(from, count).map((amount) => ({ amount })),
      )
    }
  })

  it('readAll: an event as users see it', async () => {
    const { time } = await engine.execute(Credit, { account: 'shape', amount: -7 })
    const [event] = await all(engine.readAll({ from: 101 }))
    expect(event).toEqual({
      sequence: 101,
      time,
      type: 'Credited',
      stream: 'Account',
      id: 'shape',
      version: 1,
      data: { amount: -7 },
    })
  })

  it.each([0, -1, 1.5, Number.NaN, '1', null, 2 ** 53])('from: refuses %j', async (from) => {
    const options = { from: from as number, fromVersion: from as number }
    const attempts = [
      async () => all(engine.readAll(options)),
      async () => take(engine.subscribe(options), 1),
      async () => all(engine.read(Account, 'a1', options)),
    ]
    for (const attempt of attempts) {
      expect((await failureOf(attempt())).code).toBe('INVALID_OPTION')
    }
  })

  it('read: one stream, from any version, also of u32 ids', async () => {
    const { sequence } = await accepted(engine, Count, { counter: 1, by: 1 })
    expect(sequence).toBe(102)
    const events = await all(engine.read(Account, 'a1'))
    expect(events.map(({ version }) => version)).toEqual(sequencesFrom(1, 34))
    expect(events.every(({ id, stream }) => id === 'a1' && stream === 'Account')).toBe(true)
    const late = await all(engine.read(Account, 'a1', { fromVersion: 33 }))
    expect(late.map(({ version }) => version)).toEqual([33, 34])
    expect(await all(engine.read(Account, 'a1', { fromVersion: 35 }))).toEqual([])
    // Slot 1 of another aggregate is another stream.
    expect(await all(engine.read(Counter, 1))).toHaveLength(1)
  })

  it('readAll: ends at what is synced when it begins', async () => {
    const reading = engine.readAll({ from: 100 })
    const first = await reading.next()
    for (let i = 0; i < 10; i++) await accepted(engine, Count, { counter: 1, by: 1 })
    const rest = await all(reading)
    expect([first.value?.sequence, ...rest.map(({ sequence }) => sequence)]).toEqual([
      100, 101, 102,
    ])
  })

  it('subscribe: history, then what comes, and sees only what is synced', async () => {
    const from = 1
    const end = engine.journalPosition().sequence
    let unsynced = 0
    const following = (async () => {
      const list: number[] = []
      for await (const { sequence } of engine.subscribe({ from })) {
        if (engine.journalPosition().sequence < sequence) unsynced++
        list.push(sequence)
        if (sequence === end + 2000) break
      }
      return list
    })()
    for (let i = 0; i < 2000; i++) {
      engine.submit(Count, { counter: 2, by: 1 })
      if (i % 100 === 0) await engine.synced()
    }
    await engine.synced()
    expect(await following).toEqual(sequencesFrom(from, end + 2000))
    expect(unsynced).toBe(0)
  })

  it('subscribe: at every sequence around the live edge, while a writer runs', async () => {
    let isWriting = true
    const writing = (async () => {
      while (isWriting) {
        for (let i = 0; i < 50; i++) engine.submit(Count, { counter: 3, by: 1 })
        await engine.synced()
        await new Promise(setImmediate)
      }
    })()
    const readers: Promise<void>[] = []
    for (let i = 0; i < 120; i++) {
      const from = engine.journalPosition().sequence - 60 + i
      readers.push(
        take(engine.subscribe({ from }), 150).then((events) => {
          expect(events.map(({ sequence }) => sequence)).toEqual(sequencesFrom(from, 150))
        }),
      )
      if (i % 10 === 0) await new Promise(setImmediate)
    }
    await Promise.all(readers)
    isWriting = false
    await writing
  })

  it('subscribe: leaving the loop leaves the others alone', async () => {
    const from = engine.journalPosition().sequence + 1
    const long = take(engine.subscribe({ from }), 30)
    const short = take(engine.subscribe({ from }), 3)
    for (let i = 0; i < 30; i++) await accepted(engine, Count, { counter: 4, by: i })
    expect((await short).map(({ data }) => data)).toEqual([{ by: 0 }, { by: 1 }, { by: 2 }])
    expect((await long).map(({ data }) => data)).toEqual(
      Array.from({ length: 30 }, (_, by) => ({ by })),
    )
  })

  it('subscribe: from beyond the end waits until that sequence comes', async () => {
    const from = engine.journalPosition().sequence + 10
    const waiting = take(engine.subscribe({ from }), 2)
    for (let i = 0; i < 12; i++) await accepted(engine, Count, { counter: 4, by: 1 })
    expect((await waiting).map(({ sequence }) => sequence)).toEqual([from, from + 1])
  })

  it('subscribe: one that stopped goes on from files, and held nobody up', async () => {
    const own = bench.path()
    const small = await bench.open(own, { ringBytes: MIN_RING_BYTES })
    const slow = small.subscribe()
    for (let i = 0; i < 5; i++)
      await run(small, 'emit blobs', { account: 's', bytes: 10, times: 1 })
    expect((await slow.next()).value?.sequence).toBe(1)
    // Five times round the ring while the subscriber looks at its first event.
    for (let i = 0; i < 40; i++) {
      const written = await run(small, 'emit blobs', { account: 's', bytes: 60_000, times: 4 })
      expect(written.accepted).toBe(true)
    }
    const rest = await take(slow, 164)
    expect(rest.map(({ sequence }) => sequence)).toEqual(sequencesFrom(2, 164))
    expect(rest.map(({ version }) => version)).toEqual(sequencesFrom(2, 164))
    expect(small.report.segments).toBeLessThanOrEqual(1)
    await bench.close(small)
  })

  it('subscribe: events of a subscriber that lags are whole (a writer in its heels)', async () => {
    const small = await bench.open(bench.path(), { ringBytes: MIN_RING_BYTES })
    const count = 3000
    const whole = new Uint8Array(8000).fill(7)
    const following = (async () => {
      let expected = 1
      for await (const { sequence, data, version } of small.subscribe()) {
        expect([sequence, version]).toEqual([expected, expected])
        const { blob } = data as { blob: Uint8Array }
        expect(Buffer.compare(blob, whole)).toBe(0)
        if (expected++ === count) break
        // Slower now and then, so that it is overrun here and there.
        if (expected % 500 === 0) await small.synced()
      }
    })()
    for (let i = 0; i < count / 20; i++) {
      const value = { scenario: 'emit blobs', with: { account: 's', bytes: 8000, times: 20 } }
      while (small.submit(Run, value) === 0) await small.room()
      if (i % 10 === 0) await new Promise(setImmediate)
    }
    await small.synced()
    await following
    await bench.close(small)
  })

  it('read: ids that came in while reading are known (many streams)', async () => {
    const from = engine.journalPosition().sequence + 1
    const following = take(engine.subscribe({ from }), 5000)
    const also = take(engine.subscribe({ from }), 5000)
    for (let i = 0; i < 5000; i++) engine.submit(Credit, { account: `many-${i}`, amount: i })
    await engine.synced()
    for (const events of [await following, await also]) {
      events.forEach((event, i) => {
        expect([event.id, event.data]).toEqual([`many-${i}`, { amount: i }])
      })
    }
  })

  it('reopening: everything is read again as it was', async () => {
    const before = await all(engine.readAll())
    engine = await bench.reopen(engine, path)
    expect(isDeepStrictEqual(await all(engine.readAll()), before)).toBe(true)
    const from = before.length - 5
    const following = take(engine.subscribe({ from }), 8)
    await accepted(engine, Count, { counter: 1, by: 1 })
    await accepted(engine, Count, { counter: 1, by: 1 })
    expect((await following).map(({ sequence }) => sequence)).toEqual(sequencesFrom(from, 8))
  })

  it("durability 'none': the present can be followed, there is no history", async () => {
    const volatile = await bench.open(bench.path(), {
      durability: 'none',
      ringBytes: MIN_RING_BYTES,
    })
    const following = take(volatile.subscribe(), 3)
    await new Promise(setImmediate)
    for (let i = 0; i < 3; i++) await accepted(volatile, Count, { counter: 1, by: i })
    expect((await following).map(({ data }) => data)).toEqual([{ by: 0 }, { by: 1 }, { by: 2 }])
    expect((await failureOf(all(volatile.readAll()))).code).toBe('NO_JOURNAL')
    expect((await failureOf(take(volatile.subscribe(), 1))).code).toBe('NO_JOURNAL')
    const slow = volatile.subscribe({ from: 4 })
    const first = slow.next()
    await accepted(volatile, Count, { counter: 1, by: 3 })
    expect((await first).value?.data).toEqual({ by: 3 })
    for (let i = 0; i < 40; i++) {
      await run(volatile, 'emit blobs', { account: 's', bytes: 60_000, times: 4 })
    }
    const tooSlow = await failureOf(slow.next())
    expect(tooSlow.code).toBe('NO_JOURNAL')
    expect(await volatile.query(Counter, 1)).toEqual({ value: 6 })
    await bench.close(volatile)
  })
})

describeModes('reading what is in memory', (bench) => {
  it('get and events: right after the receipt, inline only', async () => {
    const engine = await bench.open(bench.path(), { ringBytes: MIN_RING_BYTES })
    const receipt = (await run(engine, 'credit each', [
      ['a', 1],
      ['b', 2],
    ])) as AcceptedReceipt
    if (bench.mode === 'thread') {
      expect(() => engine.get(Account, 'a')).toThrow(/INVALID_OPTION.*query/)
      expect(() => engine.events(receipt)).toThrow(/INVALID_OPTION.*readAll/)
      return
    }
    const events = [...engine.events(receipt)]
    expect(events.map(({ id, data }) => [id, data])).toEqual([
      ['a', { amount: 1 }],
      ['b', { amount: 2 }],
    ])
    const nothing = (await run(engine, 'nothing')) as AcceptedReceipt
    expect([...engine.events(nothing)]).toEqual([])
    const copy = engine.get(Account, 'a')
    expect(copy).toMatchObject({ balance: 1 })
    expect(engine.get(Account, 'unknown')).toBeUndefined()
    await accepted(engine, Credit, { account: 'a', amount: 1 })
    expect(copy).toMatchObject({ balance: 1 })
    for (let i = 0; i < 300; i++) {
      const each = await engine.execute(Count, { counter: i, by: i })
      expect([...engine.events(each as AcceptedReceipt)]).toMatchObject([
        { id: i, data: { by: i } },
      ])
    }
    for (let i = 0; i < 40; i++) {
      await run(engine, 'emit blobs', { account: 's', bytes: 60_000, times: 4 })
    }
    expect(() => engine.events(receipt)).toThrow(/EVENTS_NOT_IN_MEMORY/)
    await new Promise((resolve) => setTimeout(resolve, 20))
    const later = (await engine.execute(Count, { counter: 1, by: 7 })) as AcceptedReceipt
    expect([...engine.events(later)]).toMatchObject([{ data: { by: 7 } }])
  })
})
