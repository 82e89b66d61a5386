/**
 * Values and errors whose accessors run code at the worst moment: one that submits while its command
 * is being encoded, and thrown things that cannot even be looked at.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { CommandPort } from '../../engine/command-port.js'
import { EngineStatus } from '../../engine/engine-status.js'
import { bytes, domain, Engine, text } from '../../engine/index.js'
import { createLaneMemory } from '../../engine/lane.js'
import { writeAccepted, writeRejected } from '../../engine/receipt.js'
import { RingProducer } from '../../engine/ring/byte-ring.js'
import { TidewheelError } from '../../journal/errors.js'
import probe, { Account, Credit } from '../support/domains/probe.js'
import { describeModes, failureOf } from '../support/engine-fixture.js'

describeModes('submit', (bench) => {
  test('a value that submits another command is refused, and the other one is taken', async () => {
    const engine = await bench.open(bench.path())
    await engine.execute(Credit, { account: 'before', amount: 1 })
    const outer = {
      get account() {
        engine.submit(Credit, { account: 'inner', amount: 2 })
        return 'outer'
      },
      amount: 4,
    }
    expect(() => engine.submit(Credit, outer)).toThrow(/INVALID_COMMAND.*submitted another/)
    await engine.synced()
    expect(await engine.query(Account, 'before')).toMatchObject({ balance: 1 })
    expect(await engine.query(Account, 'inner')).toMatchObject({ balance: 2 })
    expect(await engine.query(Account, 'outer')).toBeUndefined()
    await bench.close(engine)
  })

  test('a value does not lose its key to one that was refused meanwhile', async () => {
    const engine = await bench.open(bench.path())
    const outer = {
      account: 'outer',
      get amount() {
        const wrong = { account: 5, amount: 1 } as never
        expect(() => engine.submit(Credit, wrong, { key: 'b' })).toThrow(/INVALID_COMMAND/)
        return 4
      },
    }
    const failure = await failureOf(engine.execute(Credit, outer, { key: 'a' }))
    expect(failure.code).toBe('INVALID_COMMAND')
    expect(
      await engine.execute(Credit, { account: 'outer', amount: 4 }, { key: 'b' }),
    ).toMatchObject({ accepted: true, repeated: false })
    expect(await engine.query(Account, 'outer')).toMatchObject({ balance: 4 })
    await bench.close(engine)
  })

  test.each(['', 'x\ud800', '\ud800', 5 as never])(
    'a value does not lose its key to a bad one meanwhile (%j)',
    async (key) => {
      const engine = await bench.open(bench.path())
      const outer = {
        account: 'outer',
        get amount() {
          const inner = { account: 'inner', amount: 1 }
          expect(() => engine.submit(Credit, inner, { key })).toThrow(/INVALID_/)
          return 4
        },
      }
      const failure = await failureOf(engine.execute(Credit, outer, { key: 'payment-1' }))
      expect(failure.code).toBe('INVALID_COMMAND')
      const value = { account: 'outer', amount: 4 }
      const again = await engine.execute(Credit, value, { key: 'payment-1' })
      expect(again).toMatchObject({ accepted: true, repeated: false, sequence: 1 })
      await bench.close(engine)
    },
  )

  test('a key whose getter submits is the key of its own command', async () => {
    const engine = await bench.open(bench.path())
    const options = {
      get key() {
        engine.submit(Credit, { account: 'inner', amount: 2 })
        return 'k'
      },
    }
    await engine.execute(Credit, { account: 'outer', amount: 4 }, options)
    expect(await engine.query(Account, 'outer')).toMatchObject({ balance: 4 })
    expect(((await engine.query(Account, 'inner'))?.balance ?? 0) % 2).toBe(0)
    const again = await engine.execute(Credit, { account: 'outer', amount: 4 }, { key: 'k' })
    expect(again.repeated).toBe(true)
    await bench.close(engine)
  })
})

describe('port', () => {
  test('bytes that are no receipt condemn the producer (lengths and counts are right)', async () => {
    const memory = createLaneMemory()
    const status = new EngineStatus(memory.status)
    const reason = new TidewheelError('PRODUCER_CONDEMNED', 'written over')
    const owner = { kick: () => {}, runNow: () => {}, stopReason: () => reason }
    const port = new CommandPort(memory, probe, status, owner, 1000)
    const good = port.execute(Credit, { account: 'a', amount: 1 })
    const bad = port.execute(Credit, { account: 'a', amount: 2 })
    const receipts = new RingProducer(memory.receipts)
    const noPlainData = Uint8Array.of(0xc1)
    writeAccepted(receipts, 1, 1, 1, 0, 0)
    writeRejected(receipts, Buffer.from('CODE'), noPlainData, 1, 0, 0)
    receipts.publishCounted(receipts.claimed, 2)
    expect(port.poll()).toBe(false)
    expect(status.hasEnded).toBe(true)
    expect((await good).sequence).toBe(1)
    port.fail()
    expect((await failureOf(bad)).code).toBe('PRODUCER_CONDEMNED')
    expect((await failureOf(port.synced(2))).code).toBe('PRODUCER_CONDEMNED')
  })
})

describe('port and receipts', () => {
  test('a run of more receipts than were counted condemns the producer', async () => {
    const memory = createLaneMemory()
    const status = new EngineStatus(memory.status)
    const reason = new TidewheelError('PRODUCER_CONDEMNED', 'written over')
    const owner = { kick: () => {}, runNow: () => {}, stopReason: () => reason }
    const port = new CommandPort(memory, probe, status, owner, 1000)
    const both = [1, 2].map((amount) => port.execute(Credit, { account: 'a', amount }))
    const receipts = new RingProducer(memory.receipts)
    writeAccepted(receipts, 3, 1, 1, 0, 0)
    receipts.publishCounted(receipts.claimed, 2)
    expect(port.poll()).toBe(false)
    expect(status.hasEnded).toBe(true)
    expect((await Promise.all(both)).map(({ sequence }) => sequence)).toEqual([1, 2])
    port.fail()
  })
})

describe('processor', () => {
  const hostile = domain('hostile', import.meta.url)
  const Thing = hostile.aggregate('Thing', { id: text, capacity: 10, state: { name: text } })
  const Named = Thing.event('Named', { name: text }, (thing, event) => {
    thing.name = event.name
  })
  let thrown: unknown
  const Throw = hostile.command('Throw', { thing: Thing.id }, (command, tx) => {
    tx.emit(Named, command.thing, { name: 'never' })
    throw thrown
  })
  const Forget = hostile.command('Forget', { thing: Thing.id }, (command, tx) => {
    try {
      tx.emit(undefined as never, command.thing, {} as never)
    } catch {
      // An emit that threw fails the command nevertheless.
    }
    tx.emit(Named, command.thing, { name: 'never' })
  })
  let kept: Parameters<Parameters<typeof hostile.command>[2]>[1] | undefined
  const Echoed = Thing.event('Echoed', { name: text }, (thing, event) => {
    thing.name = event.name
    try {
      kept?.emit(Named, 'echo', { name: 'never' })
    } catch {
      // What an ended transaction refuses is nobody's failure.
    }
  })
  const Echo = hostile.command('Echo', { thing: Thing.id }, (command, tx) => {
    kept = tx
    tx.emit(Echoed, command.thing, { name: 'once' })
  })
  const Held = Thing.event('Held', { data: bytes }, (thing) => {
    thing.name = `${thing.name}.`
  })
  let held = new Uint8Array(4)
  const Hold = hostile.command('Hold', { thing: Thing.id }, (command, tx) => {
    tx.get(Thing, command.thing)
    tx.emit(Held, command.thing, { data: held })
  })
  const refuse = (): never => {
    throw new Error('do not look')
  }
  const unreadable = new Proxy({}, { get: refuse, getPrototypeOf: refuse })
  const withoutText = Object.create(null) as object
  const withoutStack = Object.defineProperty(new Error('why'), 'stack', { get: refuse })
  const engines: Engine[] = []
  // A new one each time: the log tells of one failure a second.
  async function opened(): Promise<Engine> {
    const logger = { info: () => {}, warn: () => {}, error: () => {} }
    const engine = await Engine.open('hostile', hostile, { durability: 'none', logger })
    engines.push(engine)
    return engine
  }
  afterAll(() => Promise.all(engines.map((engine) => engine.close())))

  test.each([
    ['a proxy that throws', unreadable],
    ['an object without text', withoutText],
    ['an error without a stack', withoutStack],
  ])('a handler that throws %s is rejected, and the engine goes on', async (_, what) => {
    const engine = await opened()
    thrown = what
    expect(await engine.execute(Throw, { thing: 'a' })).toMatchObject({ code: 'HANDLER_FAILED' })
    expect(engine.get(Thing, 'a')).toBeUndefined()
  })

  test('a value that throws while it is written leaves nothing behind (its length is read twice)', async () => {
    const engine = await opened()
    class Odd extends Uint8Array {
      reads = 0
      override get length(): number {
        if (++this.reads > 1) throw new Error('no second look')
        return 4
      }
    }
    expect((await engine.execute(Hold, { thing: 'a' })).accepted).toBe(true)
    const good = held
    held = new Odd(4)
    const failed = await engine.execute(Hold, { thing: 'a' })
    held = good
    expect(failed).toMatchObject({ accepted: false, code: 'HANDLER_FAILED' })
    const receipt = await engine.execute(Hold, { thing: 'a' })
    expect(receipt).toMatchObject({ accepted: true, sequence: 2 })
    expect(await engine.query(Thing, 'a')).toEqual({ name: '..' })
  })

  test('an evolve that emits through a kept transaction is answered once', async () => {
    const engine = await opened()
    const receipts = await Promise.all(
      ['a', 'b', 'c'].map((thing) => engine.execute(Echo, { thing })),
    )
    expect(receipts.map(({ accepted, sequence }) => [accepted, sequence])).toEqual([
      [true, 1],
      [true, 2],
      [true, 3],
    ])
    expect(await engine.query(Thing, 'a')).toEqual({ name: 'once' })
    expect(await engine.query(Thing, 'echo')).toBeUndefined()
  })

  test('an emit of what is no event fails the command (also if its error is caught)', async () => {
    const engine = await opened()
    expect(await engine.execute(Forget, { thing: 'a' })).toMatchObject({ code: 'HANDLER_FAILED' })
    expect(engine.get(Thing, 'a')).toBeUndefined()
  })
})
