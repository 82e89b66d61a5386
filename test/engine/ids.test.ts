import { inspect } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  domain as declare,
  type Engine,
  ref,
  TidewheelError,
  text,
  u32,
} from '../../engine/index.js'
import { Account, Counter, Credit, Link, Thing, Wide, WriteLine } from '../support/domains/probe.js'
import { accepted, all, describeModes, failureOf, run, seen } from '../support/engine-fixture.js'

const UUID = '01234567-89ab-cdef-0123-456789abcdef'

const GOOD: Record<string, unknown[]> = {
  Account: [
    '../../x',
    '/etc/passwd',
    'C:\\x',
    '__proto__',
    'constructor',
    'toString',
    '\0',
    ' ',
    '\n',
    'a',
    'x'.repeat(1024),
    'é'.repeat(512),
    '\u{1f600}'.repeat(256),
    '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
    'e\u0301',
    '\u00e9',
    '\ufeff',
    '\u202e',
    '\uffff',
  ],
  Counter: [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
  Wide: [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 7],
  Thing: [UUID, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
}

const BAD: Record<string, unknown[]> = {
  Account: ['', 'x'.repeat(1025), 'x'.repeat(10_000), `${'é'.repeat(512)}a`, '\ud800', 'a\udc00b'],
  Counter: [-1, 2 ** 32, 0.5, Number.NaN, '1', 1n, true],
  Wide: [-1n, 2n ** 64n, -1, 2 ** 53, 1.5, '1'],
  Thing: [UUID.toUpperCase(), UUID.slice(1), `${UUID}0`, `{${UUID}}`, '', 'g'.repeat(36)],
}
const NEITHER = [null, [], {}, true]

describeModes('ids', (bench) => {
  let engine: Engine
  let path: string
  const aggregates = { Account, Counter, Wide, Thing } as const

  beforeAll(async () => {
    path = bench.path()
    engine = await bench.open(path)
  })

  it.each(Object.entries(GOOD))('%s: ids of every good shape are kept apart', async (name, ids) => {
    const aggregate = aggregates[name as 'Account']
    for (const id of ids) {
      for (let times = 0; times < 2; times++) {
        const receipt = await run(engine, 'emit to an id', { aggregate: name, id })
        expect(receipt, String(id)).toMatchObject({ accepted: true })
      }
    }
    for (const id of ids) {
      const events = await all(engine.read(aggregate, id as string))
      expect(events.map(({ version }) => version)).toEqual([1, 2])
      const expected = name === 'Wide' ? BigInt(id as number) : id
      expect(events.map((event) => event.id)).toEqual([expected, expected])
      expect(await engine.query(aggregate, id as string)).toBeDefined()
      expect(await seen(engine, 'ask for an id', { aggregate: name, id })).toEqual([true, 2])
    }
  })

  const bad = Object.entries(BAD).flatMap(([name, ids]) =>
    [...ids, ...NEITHER].map((id) => [name, inspect(id).slice(0, 40), id] as const),
  )
  it.each(bad)('%s: %s is refused wherever it comes in', async (name, _, id) => {
    const aggregate = aggregates[name as 'Account']
    const digest = await engine.digest()
    // What plain data cannot carry cannot reach a handler that way.
    const carried =
      (typeof id !== 'string' || id.isWellFormed()) && !Number.isNaN(id) && id !== 2n ** 64n
    if (carried) {
      for (const scenario of ['emit to an id', 'ask for an id']) {
        const receipt = await run(engine, scenario, { aggregate: name, id })
        expect(receipt).toMatchObject({ accepted: false, code: 'HANDLER_FAILED' })
        expect((receipt as { detail?: unknown }).detail).toContain('INVALID_ID')
      }
    }
    const query = failureOf((async () => engine.query(aggregate, id as string))())
    expect((await query).code).toBe('INVALID_ID')
    const read = failureOf(all(engine.read(aggregate, id as string)))
    expect((await read).code).toBe('INVALID_ID')
    expect(await engine.digest()).toBe(digest)
  })

  it.each([
    ['Account', ''],
    ['Account', '\ud800'],
    ['Account', 'x'.repeat(1025)],
    ['Account', undefined],
    ['Account', 5],
  ])('a command refuses the reference %s %j at the edge', async (_, id) => {
    const error = await failureOf(engine.execute(Credit, { account: id as string, amount: 1 }))
    expect(error.code).toMatch(/^INVALID_/)
    expect(error.message).toContain('account')
  })

  it.each(['get', 'exists', 'version', 'emit'])(
    '%s: an id that is undefined is not the one that the command names',
    async (how) => {
      await accepted(engine, WriteLine, { log: 'named', line: 'x' })
      const receipt = await run(engine, 'no id', how)
      expect(receipt).toMatchObject({ accepted: false, code: 'HANDLER_FAILED' })
      expect((receipt as { detail?: unknown }).detail).toContain('INVALID_ID')
    },
  )

  it('an id of 1024 bytes fits in every place', async () => {
    const owner = `${'\u{1f600}'.repeat(255)}abcd`
    await accepted(engine, Link, { thing: UUID, owner, wide: 2n ** 64n - 1n, counter: 0 }, owner)
    const events = await all(engine.read(Thing, UUID))
    expect(events.at(-1)?.data).toEqual({ owner, wide: 2n ** 64n - 1n, counter: 0 })
    expect(await engine.query(Thing, UUID)).toMatchObject({ owner, counter: 0 })
  })

  it('a reference opens a stream without events: known to events, not to queries', async () => {
    const thing = UUID.replace('0', 'a')
    await accepted(engine, Link, { thing, owner: 'only-named', wide: 12_345, counter: 99 })
    expect(await engine.query(Account, 'only-named')).toBeUndefined()
    expect(await engine.query(Counter, 99)).toBeUndefined()
    expect(await all(engine.read(Account, 'only-named'))).toEqual([])
    expect(await engine.query(Thing, thing)).toMatchObject({
      owner: 'only-named',
      wide: 12_345n,
      counter: 99,
    })
    const asked = { aggregate: 'Account', id: 'only-named' }
    expect(await seen(engine, 'ask for an id', asked)).toEqual([false, 0])
    await accepted(engine, Credit, { account: 'only-named', amount: 3 })
    expect(await engine.query(Account, 'only-named')).toMatchObject({ balance: 3 })
  })

  it('ref: state names a stream of its own aggregate', async () => {
    await accepted(engine, Credit, { account: 'child', amount: 1 })
    const set = { account: 'child', parent: 'parent-of-child' }
    expect(await run(engine, 'set the parent', set)).toMatchObject({ accepted: true })
    expect(await engine.query(Account, 'child')).toMatchObject({ parent: 'parent-of-child' })
    expect(await seen(engine, 'state of', 'child')).toMatchObject({ parent: 'parent-of-child' })
    const self = { account: 'child', parent: 'child' }
    expect(await run(engine, 'set the parent', self)).toMatchObject({ accepted: true })
    expect(await engine.query(Account, 'child')).toMatchObject({ parent: 'child' })
  })

  it('many streams opened by one batch keep their states apart (3,000)', async () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3000; i++) engine.submit(Credit, { account: `batch-${i}`, amount: i })
    }
    await engine.synced()
    for (const i of [0, 1, 255, 256, 257, 1499, 2999]) {
      expect(await engine.query(Account, `batch-${i}`)).toMatchObject({ balance: 2 * i })
    }
  })

  it('replay: all ids are the same', async () => {
    engine = await bench.reopen(engine, path)
    for (const id of GOOD['Account'] as string[]) {
      expect(await engine.query(Account, id)).toMatchObject({ balance: 2 })
    }
  })
})

describe('ids, declared', () => {
  it('ref: names an aggregate that must be declared, with ids of that type', async () => {
    const { Engine } = await import('../../engine/index.js')
    const early = declare('early', import.meta.url)
    early.aggregate('Book', { id: text, state: { later: ref('Later', u32) } })
    const missing = Engine.open('unused', early, { durability: 'none' })
    expect((await failureOf(missing)).message).toMatch(/Later.*not declared/)
    const other = declare('other', import.meta.url)
    other.aggregate('Book', { id: text, state: { later: ref('Later', u32) } })
    other.aggregate('Later', { id: text, state: {} })
    const wrong = Engine.open('unused', other, { durability: 'none' })
    expect((await failureOf(wrong)).message).toMatch(/Later.*text, not u32/)
  })

  it('ids are of four types', () => {
    const odd = declare('odd', import.meta.url)
    const declareOdd = (): unknown =>
      odd.aggregate('A', { id: { kind: 'bool' } as never, state: {} })
    expect(declareOdd).toThrow(TidewheelError)
    expect(() => odd.aggregate('B', { id: text, capacity: 0, state: {} })).toThrow(/capacity/)
    expect(() => odd.aggregate('C', { id: text, capacity: 1.5, state: {} })).toThrow(/capacity/)
  })
})
