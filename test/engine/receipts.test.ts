import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Receipt } from '../../engine/index.js'
import { Account, Count, Counter, Credit, Run } from '../support/domains/probe.js'
import { all, describeModes, failureOf, run } from '../support/engine-fixture.js'

const MANY = 200_000
const MIN_RING_BYTES = 2 * 1024 * 1024

describeModes('receipts', (bench) => {
  let engine: Engine
  let path: string

  beforeAll(async () => {
    path = bench.path()
    engine = await bench.open(path)
  })

  it(`onReceipts: all of ${MANY}, in ticket order, each once`, async () => {
    let expected = 0
    let rejected = 0
    let problems = 0
    let sequence = 0
    engine.onReceipts((first, last, view) => {
      if (first !== expected + 1 || last < first) problems++
      while (view.next()) {
        if (view.ticket !== ++expected) problems++
        if (view.accepted) {
          if (view.eventCount !== 1 || view.code !== '' || view.sequence !== ++sequence) problems++
        } else {
          rejected++
          if (view.code !== 'NEGATIVE' || view.sequence !== sequence) problems++
          const detail = view.detail as { by: number }
          if (detail.by !== -view.ticket || view.eventCount !== 0) problems++
        }
      }
      if (view.ticket !== last) problems++
    })
    for (let i = 1; i <= MANY; i++) {
      const command = { counter: i % 1000, by: i % 100 === 0 ? -i : 1 }
      for (;;) {
        const ticket = engine.submit(Count, command)
        if (ticket === i) break
        expect(ticket, 'nothing was taken').toBe(0)
        await engine.room()
      }
    }
    await engine.synced()
    expect({ expected, rejected, problems }).toEqual({
      expected: MANY,
      rejected: MANY / 100,
      problems: 0,
    })
    expect(await engine.query(Counter, 1)).toEqual({ value: MANY / 1000 })
  })

  it('onReceipts: a listener that stops early still gets the next ones', async () => {
    const tickets: number[] = []
    engine.onReceipts((first, _, view) => {
      expect(view.next()).toBe(true)
      expect(view.ticket).toBe(first)
      tickets.push(first)
    })
    let last = 0
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 10; i++) last = engine.submit(Count, { counter: 5, by: 1 })
      await engine.synced()
    }
    expect(tickets.length).toBeGreaterThanOrEqual(5)
    expect(tickets).toEqual(tickets.toSorted((a, b) => a - b))
    expect(tickets.at(-1)).toBeLessThanOrEqual(last)
    engine.onReceipts(() => undefined)
  })

  it('onReceipts: sees executes too, and both get the same answers', async () => {
    const heard = new Map<number, string>()
    engine.onReceipts((_first, _last, view) => {
      while (view.next()) heard.set(view.ticket, view.accepted ? 'accepted' : view.code)
    })
    const executes: Promise<Receipt>[] = []
    const submits: number[] = []
    for (let i = 0; i < 300; i++) {
      submits.push(engine.submit(Count, { counter: 6, by: 1 }))
      executes.push(run(engine, 'reject', { code: `C${i}`, detail: i }))
      executes.push(engine.execute(Count, { counter: 6, by: 1 }))
    }
    const receipts = await Promise.all(executes)
    const tickets = [...submits, ...receipts.map(({ ticket }) => ticket)]
    expect(new Set(tickets).size).toBe(900)
    expect(Math.max(...tickets) - Math.min(...tickets)).toBe(899)
    receipts.forEach((receipt, i) => {
      if (i % 2 === 1) expect(receipt.accepted).toBe(true)
      else expect(receipt).toMatchObject({ code: `C${i / 2}`, detail: i / 2 })
      const said = receipt.accepted ? 'accepted' : receipt.code
      expect(heard.get(receipt.ticket)).toBe(said)
    })
    for (const ticket of submits) expect(heard.get(ticket)).toBe('accepted')
    engine.onReceipts(() => undefined)
  })

  it('onReceipts: may submit and execute from inside', async () => {
    let again = 10
    const inner: Promise<Receipt>[] = []
    engine.onReceipts(() => {
      if (again-- > 0) inner.push(engine.execute(Count, { counter: 7, by: 1 }))
    })
    engine.submit(Count, { counter: 7, by: 1 })
    await expect.poll(() => again).toBeLessThanOrEqual(0)
    await Promise.all(inner)
    await engine.synced()
    expect(await engine.query(Counter, 7)).toMatchObject({ value: 200 + 11 })
    engine.onReceipts(() => undefined)
  })

  it('onReceipts: nothing leaves before it is on disk', async () => {
    let latest = 0
    engine.onReceipts((_first, _last, view) => {
      while (view.next()) latest = view.sequence
      // Whatever was answered is durable now.
      expect(engine.journalPosition().sequence).toBeGreaterThanOrEqual(latest)
    })
    for (let i = 0; i < 500; i++) {
      const { sequence } = await engine.execute(Count, { counter: 8, by: 1 })
      expect(engine.journalPosition().sequence).toBeGreaterThanOrEqual(sequence)
      if (i % 50 === 0) {
        const events = await all(engine.readAll({ from: sequence }))
        expect(events[0]?.sequence).toBe(sequence)
      }
    }
    engine.onReceipts(() => undefined)
  })

  it('synced: waits for a ticket, for all, and not for what is answered', async () => {
    const first = engine.submit(Count, { counter: 9, by: 1 })
    let answered = false
    const waiting = engine.synced(first).then(() => {
      answered = true
    })
    expect(answered).toBe(false)
    await waiting
    await engine.synced(first)
    await engine.synced(0)
    await engine.synced()
    const last = engine.submit(Count, { counter: 9, by: 1 })
    let heard = 0
    engine.onReceipts((_, ticket) => {
      heard = ticket
    })
    await Promise.all([engine.synced(last), engine.synced(), engine.synced(first)])
    expect(heard).toBe(last)
    engine.onReceipts(() => undefined)
  })

  it('submit: throws for a value out of range, and takes nothing', async () => {
    const before = engine.submit(Credit, { account: 'submitted', amount: 1 })
    for (const amount of [Number.NaN, 2 ** 53, '1']) {
      expect(() =>
        engine.submit(Credit, { account: 'submitted', amount: amount as never }),
      ).toThrow(/amount/)
    }
    expect(engine.submit(Credit, { account: 'submitted', amount: 1 })).toBe(before + 1)
    await engine.synced()
    expect(await engine.query(Account, 'submitted')).toMatchObject({ balance: 2 })
  })

  it('submit: a command up to its limit is taken, a larger one is refused', async () => {
    const value = (bytes: number): { scenario: string; with: unknown } => ({
      scenario: 'nothing',
      with: new Uint8Array(bytes),
    })
    expect(await engine.execute(Run, value(255_000))).toMatchObject({ accepted: true })
    const error = await failureOf(engine.execute(Run, value(262_140)))
    expect(error.code).toMatch(/^INVALID_/)
    const tooLarge = await failureOf(engine.execute(Run, value(400_000)))
    expect(tooLarge.code).toMatch(/^INVALID_/)
    expect(await engine.execute(Run, value(1))).toMatchObject({ accepted: true })
  })

  it('submit: large and small commands in turn go round the ring whole', async () => {
    const details: unknown[] = []
    for (let i = 0; i < 200; i++) {
      const detail = `${i}:${'x'.repeat((i * 7919) % 4000)}`
      const padding = new Uint8Array((i * 104_729) % 200_000)
      const receipt = engine.execute(Run, {
        scenario: 'reject',
        with: { code: 'D', detail, padding },
      })
      details.push(
        receipt.then((answer) => ('detail' in answer ? answer.detail === detail : false)),
      )
    }
    expect(new Set(await Promise.all(details))).toEqual(new Set([true]))
  })

  it('back-pressure: a full ring takes nothing, room() comes back, nothing is lost', async () => {
    const slow = await bench.open(bench.path(), { ringBytes: MIN_RING_BYTES })
    const padding = new Uint8Array(10_000)
    let refused = 0
    for (let i = 0; i < 400; i++) {
      // Each makes 240 kB of events, so that batches are held up with commands still to run; the
      // command itself is padded, so that its ring fills too, and goes round.
      const with_ = { account: `blob ${i}`, bytes: 60_000, times: 4, padding }
      while (slow.submit(Run, { scenario: 'emit blobs', with: with_ }) === 0) {
        refused++
        await slow.room()
      }
    }
    await slow.synced()
    expect(refused, 'the journal was behind at least once').toBeGreaterThan(0)
    for (let i = 0; i < 400; i++) {
      expect(await slow.query(Account, `blob ${i}`)).toMatchObject({ balance: 4 })
    }
    await bench.close(slow)
  })

  it('execute: waits for room, and after its limit guarantees that nothing was taken', async () => {
    const path = bench.path()
    const slow = await bench.open(path, { ringBytes: MIN_RING_BYTES, executeWaitMs: 0 })
    const with_ = { account: 'blob', bytes: 60_000, times: 4, padding: new Uint8Array(100_000) }
    const outcomes = await Promise.allSettled(
      Array.from({ length: 300 }, () => slow.execute(Run, { scenario: 'emit blobs', with: with_ })),
    )
    const kept = outcomes.filter(({ status }) => status === 'fulfilled').length
    const refused = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && outcome.reason.code === 'BACKPRESSURE',
    ).length
    expect(kept + refused).toBe(300)
    expect(refused).toBeGreaterThan(0)
    expect(await slow.query(Account, 'blob')).toMatchObject({ balance: kept * 4 })
    await bench.close(slow)
    const waiting = await bench.open(path, { ringBytes: MIN_RING_BYTES, executeWaitMs: 60_000 })
    const patient = await Promise.all(
      Array.from({ length: 100 }, () =>
        waiting.execute(Run, { scenario: 'emit blobs', with: with_ }),
      ),
    )
    expect(patient.every(({ accepted }) => accepted)).toBe(true)
    await bench.close(waiting)
  })

  it('close: everything taken is answered, nothing is taken afterwards', async () => {
    const closing = await bench.open(bench.path())
    const receipts: Promise<Receipt>[] = []
    for (let i = 0; i < 2000; i++) receipts.push(closing.execute(Count, { counter: 1, by: 1 }))
    const query = closing.query(Counter, 1)
    const synced = closing.synced()
    const closed = bench.close(closing)
    expect((await Promise.all(receipts)).every(({ accepted }) => accepted)).toBe(true)
    await synced
    await query
    await closed
    expect(() => closing.submit(Count, { counter: 1, by: 1 })).toThrow(/ENGINE_CLOSED/)
    for (const late of [
      closing.execute(Count, { counter: 1, by: 1 }),
      closing.query(Counter, 1),
      closing.digest(),
    ]) {
      expect((await failureOf(late)).code).toBe('ENGINE_CLOSED')
    }
    await closing.synced()
    await closing.close()
  })

  it('close: 150,000 submitted in one turn are all answered', async () => {
    const path = bench.path()
    const closing = await bench.open(path)
    let heard = 0
    closing.onReceipts((first, last) => {
      heard += last - first + 1
    })
    let taken = 0
    while (taken < 150_000 && closing.submit(Count, { counter: 1, by: 1 }) > 0) taken++
    await bench.close(closing)
    expect(heard).toBe(taken)
    const again = await bench.open(path)
    expect(await again.query(Counter, 1)).toEqual({ value: taken })
    await bench.close(again)
  })

  it('close: a subscription gets what was synced, and ends', async () => {
    const closing = await bench.open(bench.path())
    const sequences: number[] = []
    const following = (async () => {
      for await (const { sequence } of closing.subscribe()) sequences.push(sequence)
    })()
    for (let i = 0; i < 1000; i++) closing.submit(Count, { counter: 1, by: 1 })
    await bench.close(closing)
    await following
    expect(sequences).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1))
  })
})

describe('receipts, of a listener with a bug', () => {
  it('onReceipts: a listener that throws is heard, and harms nobody', async () => {
    const { EngineBench } = await import('../support/engine-fixture.js')
    for (const mode of ['inline', 'thread'] as const) {
      const bench = new EngineBench(mode)
      const engine = await bench.open(bench.path())
      const uncaught: unknown[] = []
      const listeners = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      process.on('uncaughtException', (error) => uncaught.push(error))
      try {
        let calls = 0
        engine.onReceipts(() => {
          calls++
          throw new Error('a bug of the listener')
        })
        for (let i = 0; i < 3; i++) {
          expect(await engine.execute(Count, { counter: 1, by: 1 })).toMatchObject({
            accepted: true,
          })
        }
        await new Promise(setImmediate)
        expect(calls).toBe(3)
        expect(uncaught.map(String)).toEqual(Array(3).fill('Error: a bug of the listener'))
      } finally {
        process.removeAllListeners('uncaughtException')
        for (const listener of listeners) process.on('uncaughtException', listener)
        await bench.clear()
      }
    }
  })
})
