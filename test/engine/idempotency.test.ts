import { afterAll, describe, expect, it } from 'vitest'
import { type Engine, type Receipt, TidewheelError } from '../../engine/index.js'
import { Account, Credit, Debit, Run } from '../support/domains/probe.js'
import {
  all,
  answerOf,
  describeModes,
  EngineBench,
  failureOf,
  run,
} from '../support/engine-fixture.js'
import { seededRandom } from '../support/seeded-random.js'

describeModes('idempotency', (bench) => {
  const cases: [string, (engine: Engine, key: string) => Promise<Receipt>][] = [
    ['accepted', (engine, key) => engine.execute(Credit, { account: 'a', amount: 5 }, { key })],
    ['accepted without events', (engine, key) => run(engine, 'nothing', null, key)],
    [
      'rejected with a detail',
      (engine, key) => run(engine, 'reject', { code: 'NÖ', detail: { a: [1] } }, key),
    ],
    ['rejected without a detail', (engine, key) => run(engine, 'reject', { code: 'NO' }, key)],
    ['HANDLER_FAILED', (engine, key) => run(engine, 'emit, then throw', ['new', 'a'], key)],
    [
      'a value out of range in evolve',
      (engine, key) => run(engine, 'change much, then a value out of range', ['b', 'c'], key),
    ],
    [
      'TRANSACTION_TOO_LARGE',
      (engine, key) => run(engine, 'emit blobs', { account: 'a', bytes: 200_000, times: 3 }, key),
    ],
  ]

  it('the same key gets the same receipt: in flight, later, and after a restart', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    await engine.execute(Credit, { account: 'a', amount: 1 })
    const first = new Map<string, Receipt>()
    for (const [name, send] of cases) {
      const [one, two, three] = await Promise.all([1, 2, 3].map(() => send(engine, `key ${name}`)))
      expect(one).toMatchObject({ repeated: false })
      expect([two?.repeated, three?.repeated]).toEqual([true, true])
      expect(answerOf(two!), name).toEqual(answerOf(one!))
      expect(answerOf(three!), name).toEqual(answerOf(one!))
      first.set(name, one!)
    }
    const digest = await engine.digest()
    for (let opened = 0; opened < 2; opened++) {
      for (const [name, send] of cases) {
        const again = await send(engine, `key ${name}`)
        expect(again.repeated).toBe(true)
        expect(answerOf(again), name).toEqual(answerOf(first.get(name)!))
      }
      expect(await engine.digest()).toBe(digest)
      engine = await bench.reopen(engine, path)
    }
    expect(await engine.query(Account, 'a')).toMatchObject({ balance: 6 })
    expect(await all(engine.readAll())).toHaveLength(2)
  })

  it('KEY_REUSED: other content, or another command with equal bytes', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    const first = await engine.execute(Credit, { account: 'a', amount: 5 }, { key: 'k' })
    for (let opened = 0; opened < 2; opened++) {
      for (const send of [
        () => engine.execute(Credit, { account: 'a', amount: 6 }, { key: 'k' }),
        () => engine.execute(Credit, { account: 'b', amount: 5 }, { key: 'k' }),
        () => engine.execute(Debit, { account: 'a', amount: 5 }, { key: 'k' }),
        () => run(engine, 'nothing', null, 'k'),
      ]) {
        expect(await send()).toMatchObject({ accepted: false, code: 'KEY_REUSED', repeated: false })
      }
      const again = await engine.execute(Credit, { account: 'a', amount: 5 }, { key: 'k' })
      expect(answerOf(again)).toEqual(answerOf(first))
      engine = await bench.reopen(engine, path)
    }
    expect(await engine.query(Account, 'a')).toMatchObject({ balance: 5 })
  })

  it('KEY_REUSED: the order of members inside any is content, that of fields is not', async () => {
    const engine = await bench.open(bench.path())
    await run(engine, 'nothing', { a: 1, b: { c: 2, d: 3 } }, 'k')
    for (const other of [
      { b: { c: 2, d: 3 }, a: 1 },
      { a: 1, b: { d: 3, c: 2 } },
    ]) {
      expect(await run(engine, 'nothing', other, 'k')).toMatchObject({ code: 'KEY_REUSED' })
    }
    const again = await engine.execute(
      Run,
      { with: { a: 1, b: { c: 2, d: 3 } }, scenario: 'nothing' },
      { key: 'k' },
    )
    expect(again).toMatchObject({ accepted: true, repeated: true })
    await bench.close(engine)
  })

  it('keys: 1 to 1024 bytes of any well-formed text, kept apart', async () => {
    const engine = await bench.open(bench.path())
    const keys = [
      'a',
      ' ',
      '\0',
      '__proto__',
      'x'.repeat(1024),
      'é'.repeat(512),
      '\u{1f600}',
      'é',
      'e\u0301',
    ]
    for (const key of keys) {
      const receipt = await engine.execute(Credit, { account: 'k', amount: 1 }, { key })
      expect(receipt).toMatchObject({ accepted: true, repeated: false })
    }
    for (const key of keys) {
      const receipt = await engine.execute(Credit, { account: 'k', amount: 1 }, { key })
      expect(receipt.repeated).toBe(true)
    }
    const bad = ['', 'x'.repeat(1025), `${'é'.repeat(512)}a`, '\ud800', 'a\udc00', 5, null, {}]
    for (const key of bad) {
      const options = { key: key as string }
      const error = await failureOf(engine.execute(Credit, { account: 'k', amount: 1 }, options))
      expect(error.code, JSON.stringify(key)).toBe('INVALID_COMMAND')
      expect(error.message).toContain('key')
    }
    expect(await engine.query(Account, 'k')).toMatchObject({ balance: keys.length })
    await bench.close(engine)
  })

  it('the window by count: the last ones added are remembered, no others', async () => {
    const path = bench.path()
    let engine = await bench.open(path, { keyCountMax: 3 })
    const send = (key: string): Promise<Receipt> =>
      engine.execute(Credit, { account: 'w', amount: 1 }, { key })
    for (const key of ['1', '2', '3']) expect((await send(key)).repeated).toBe(false)
    expect((await send('1')).repeated).toBe(true)
    // Asking again does not make a key younger.
    expect((await send('4')).repeated).toBe(false)
    expect((await send('1')).repeated).toBe(false)
    engine = await bench.reopen(engine, path, { keyCountMax: 3 })
    expect((await send('2')).repeated).toBe(false)
    expect((await send('4')).repeated).toBe(true)
    await bench.close(engine)
    // A larger window: from here on; what is forgotten does not come back.
    engine = await bench.open(path, { keyCountMax: 100 })
    const remembered = []
    for (const key of ['1', '2', '3', '4']) remembered.push((await send(key)).repeated)
    expect(remembered).toEqual([true, true, false, true])
    expect(await engine.query(Account, 'w')).toMatchObject({ balance: 7 })
    engine = await bench.reopen(engine, path)
    for (const key of ['1', '2', '3', '4']) expect((await send(key)).repeated).toBe(true)
    await bench.close(engine)
    engine = await bench.open(path, { keyCountMax: 1 })
    expect((await send('1')).repeated).toBe(false)
    engine = await bench.reopen(engine, path)
    expect((await send('1')).repeated).toBe(true)
    expect((await send('4')).repeated).toBe(false)
    await bench.close(engine)
  })

  it('random duplicates behave as the model says, also across restarts', async () => {
    const seed = Date.now() % 2 ** 32
    const random = seededRandom(seed)
    const path = bench.path()
    const countMax = 10
    let engine = await bench.open(path, { keyCountMax: countMax })
    const model: { key: string; content: number; answer?: unknown }[] = []
    let balance = 0
    for (let round = 0; round < 4; round++) {
      const sent: { wanted: string; entry?: (typeof model)[number]; receipt: Promise<Receipt> }[] =
        []
      for (let i = 0; i < 100; i++) {
        const key = `k${random.below(16)}`
        const content = random.below(20) < 18 ? 1 : 1 + random.below(3)
        const value = { account: 'm', amount: content }
        const receipt = engine.execute(Credit, value, { key })
        const known = model.slice(-countMax).findLast((entry) => entry.key === key)
        if (known === undefined) {
          const entry = { key, content }
          model.push(entry)
          balance += content
          sent.push({ wanted: 'new', entry, receipt })
        } else if (known.content === content)
          sent.push({ wanted: 'repeated', entry: known, receipt })
        else sent.push({ wanted: 'reused', receipt })
        if (random.below(10) === 0) await receipt
      }
      for (const { wanted, entry, receipt: promise } of sent) {
        const receipt = await promise
        if (wanted === 'reused')
          expect(receipt, `seed ${seed}`).toMatchObject({ code: 'KEY_REUSED' })
        else {
          expect([receipt.accepted, receipt.repeated], `seed ${seed}`).toEqual([
            true,
            wanted === 'repeated',
          ])
          entry!.answer ??= answerOf(receipt)
          expect(answerOf(receipt), `seed ${seed}`).toEqual(entry!.answer)
        }
      }
      expect(await engine.query(Account, 'm')).toMatchObject({ balance })
      engine = await bench.reopen(engine, path, { keyCountMax: countMax })
    }
    await bench.close(engine)
  })
})

function throwing(): never {
  throw new Error('no battery')
}

describe('idempotency, with a clock', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  it('the window by age: in journal time, at its exact limit, also after a restart', async () => {
    const path = bench.path()
    let now = 1_700_000_000_000_000
    const options = { clock: () => now, keyAgeMsMax: 10 }
    let engine = await bench.open(path, options)
    const send = (key: string): Promise<Receipt> =>
      engine.execute(Credit, { account: 'w', amount: 1 }, { key })
    expect((await send('a')).repeated).toBe(false)
    now += 10_000
    expect((await send('a')).repeated).toBe(true)
    engine = await bench.reopen(engine, path, options)
    expect((await send('a')).repeated).toBe(true)
    now += 1
    expect((await send('a')).repeated).toBe(false)
    now += 5_000
    // Back: journal time stands still.
    now -= 1_000_000
    expect((await send('a')).repeated).toBe(true)
    engine = await bench.reopen(engine, path, options)
    expect((await send('a')).repeated).toBe(true)
    await bench.close(engine)
    // A longer window: the earlier of the two stays forgotten.
    engine = await bench.open(path, { ...options, keyAgeMsMax: 1_000_000 })
    expect(await send('a')).toMatchObject({ repeated: true, sequence: 2 })
    now += 2_000_000_000
    expect((await send('a')).repeated).toBe(false)
    now += 1_000_000_000
    expect((await send('a')).repeated).toBe(true)
    await bench.close(engine)
  })

  it('time: stands still while the clock is behind, also after a restart, and is reported', async () => {
    const path = bench.path()
    let now = 1_700_000_000_000_000
    const options = { clock: () => now }
    let engine = await bench.open(path, options)
    const time = async (): Promise<number> =>
      (await engine.execute(Credit, { account: 't', amount: 1 })).time
    expect(await time()).toBe(now)
    const high = now
    now -= 500_000
    expect(await time()).toBe(high)
    expect(bench.log.filter((text) => text.includes('clock'))).toHaveLength(0)
    now -= 600_000
    expect(await time()).toBe(high)
    expect(await time()).toBe(high)
    expect(bench.log.filter((text) => text.includes('clock'))).toHaveLength(1)
    engine = await bench.reopen(engine, path, options)
    expect(await time()).toBe(high)
    now = high + 1
    expect(await time()).toBe(high + 1)
    const times = (await all(engine.readAll())).map((event) => event.time)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    await bench.close(engine)
  })

  it('time: a clock that gives no integer gives an integer time', async () => {
    const clocks = [1_700_000_000_000_000.5, Number.NaN, Number.POSITIVE_INFINITY, -5, 2 ** 60]
    for (const reading of clocks) {
      const engine = await bench.open(bench.path(), { clock: () => reading })
      const { time } = await engine.execute(Credit, { account: 't', amount: 1 })
      expect(Number.isSafeInteger(time) && time >= 0, String(reading)).toBe(true)
      await bench.close(engine)
    }
  })

  it.each([
    ['gives NaN', () => Number.NaN, 'the clock gave NaN'],
    ['gives infinity', () => Number.POSITIVE_INFINITY, 'the clock gave Infinity'],
    ['gives a bigint', () => 5n as never, 'the clock gave 5n'],
    ['throws', throwing, 'the clock threw: no battery'],
  ])('time: a clock that %s is reported once, and commands go on', async (_, broken, text) => {
    let clock = (): number => 1_700_000_000_000_000
    const engine = await bench.open(bench.path(), { clock: () => clock() })
    const said = () => bench.log.filter((line) => line.includes(text)).length
    const time = async (): Promise<number> =>
      (await engine.execute(Credit, { account: 't', amount: 1 })).time
    const high = await time()
    clock = broken
    const before = said()
    expect([await time(), await time()]).toEqual([high, high])
    expect(said() - before).toBe(1)
    clock = () => high + 1
    expect(await time()).toBe(high + 1)
    clock = broken
    expect(await time()).toBe(high + 1)
    expect(said() - before).toBe(2)
    await bench.close(engine)
  })
})

describe('idempotency, declared', () => {
  it('a key that is undefined is none', async () => {
    const bench = new EngineBench('inline')
    const engine = await bench.open(bench.path())
    const options = { key: undefined } as never
    const receipt = await engine.execute(Run, { scenario: 'nothing', with: null }, options)
    expect(receipt).toMatchObject({ accepted: true })
    expect(TidewheelError).toBeDefined()
    await bench.clear()
  })
})
