import { beforeAll, describe, expect, it } from 'vitest'
import {
  domain as declare,
  type Engine,
  int,
  type RejectedReceipt,
  TidewheelError,
  text,
} from '../../engine/index.js'
import {
  Account,
  Counted,
  Counter,
  Credit,
  Credited,
  Lines,
  Log,
  Move,
  Run,
  WriteLine,
} from '../support/domains/probe.js'
import { accepted, all, describeModes, failureOf, run, seen } from '../support/engine-fixture.js'

describeModes('commands', (bench) => {
  let engine: Engine
  let path: string

  beforeAll(async () => {
    path = bench.path()
    engine = await bench.open(path)
  })

  it('execute: answers with the sequence and number of its events', async () => {
    const first = await engine.execute(Credit, { account: 'receipt', amount: 5 })
    const second = await engine.execute(Move, { from: 'receipt', to: 'receipt-2', amount: 2 })
    expect(first).toMatchObject({ accepted: true, eventCount: 1, repeated: false })
    expect(second).toMatchObject({ accepted: true, eventCount: 2 })
    expect(second.sequence).toBe(first.sequence + 2)
    expect(second.ticket).toBe(first.ticket + 1)
    expect(second.time).toBeGreaterThanOrEqual(first.time)
    expect(Number.isSafeInteger(first.time)).toBe(true)
  })

  it('execute: an accepted command without events changes nothing', async () => {
    const before = await engine.execute(Credit, { account: 'quiet', amount: 5 })
    const receipt = await run(engine, 'nothing')
    expect(receipt).toMatchObject({ accepted: true, eventCount: 0, sequence: before.sequence })
    expect(await engine.query(Account, 'quiet')).toMatchObject({ balance: 5 })
  })

  it('execute: a rejection has a code and a detail, and uses no sequence', async () => {
    const before = await engine.execute(Credit, { account: 'rejected', amount: 1 })
    const detail = { why: ['a', 1, null, true], bytes: new Uint8Array([1, 2]), big: 2n ** 60n }
    const receipt = await run(engine, 'reject', { code: 'NOT_ÄLLOWED', detail })
    expect(receipt).toEqual({
      accepted: false,
      ticket: before.ticket + 1,
      sequence: before.sequence,
      time: expect.any(Number),
      repeated: false,
      code: 'NOT_ÄLLOWED',
      detail,
    })
    const after = await engine.execute(Credit, { account: 'rejected', amount: 1 })
    expect(after.sequence).toBe(before.sequence + 1)
  })

  it('reject: a detail can be null, and can be left out', async () => {
    expect(await run(engine, 'reject', { code: 'C', detail: null })).toMatchObject({ detail: null })
    expect(await run(engine, 'reject', { code: 'C' })).not.toHaveProperty('detail')
  })

  it.each([
    ['reject with a code of bytes', 256, 'c'.repeat(256)],
    ['reject with a code of bytes', 257, 'HANDLER_FAILED'],
    ['reject with a code of bytes', 0, 'HANDLER_FAILED'],
    ['reject with a detail of bytes', 4093, 'D'],
    ['reject with a detail of bytes', 4094, 'HANDLER_FAILED'],
    ['reject with a number as code', null, 'HANDLER_FAILED'],
    ['reject with a function as detail', null, 'HANDLER_FAILED'],
    ['reject with a cycle as detail', null, 'HANDLER_FAILED'],
    ['reject with a detail that throws', null, 'HANDLER_FAILED'],
  ])('%s: %s', async (scenario, given, code) => {
    expect(await run(engine, scenario, given)).toMatchObject({ accepted: false, code })
  })

  it('reject: whatever follows, the first rejection stands', async () => {
    const receipt = await run(engine, 'reject, then emit, reject and return', 'rejected-first')
    expect(receipt).toMatchObject({ accepted: false, code: 'FIRST', detail: 1 })
    expect(await engine.query(Account, 'rejected-first')).toBeUndefined()
  })

  it.each(['emit, then reject', 'emit, then throw'])('%s: nothing happened', async (scenario) => {
    await accepted(engine, Credit, { account: `${scenario} old`, amount: 7 })
    const digest = await engine.digest()
    const ids = [`${scenario} old`, `${scenario} new`, `${scenario} old`, `${scenario} newer`]
    expect(await run(engine, scenario, ids)).toMatchObject({ accepted: false })
    expect(await engine.digest()).toBe(digest)
    expect(await engine.query(Account, `${scenario} new`)).toBeUndefined()
    expect(await engine.query(Counter, 4_000_000_001)).toBeUndefined()
    expect(await all(engine.read(Account, `${scenario} new`))).toEqual([])
    // The slots are free again, for others.
    await accepted(engine, Credit, { account: `${scenario} other`, amount: 1 })
    await accepted(engine, Credit, { account: `${scenario} new`, amount: 2 })
    expect(await engine.query(Account, `${scenario} other`)).toMatchObject({ balance: 1 })
    expect(await engine.query(Account, `${scenario} new`)).toMatchObject({ balance: 2 })
    expect(await engine.query(Account, `${scenario} old`)).toMatchObject({ balance: 7 })
  })

  it('emit: several aggregates in one command, in order, with their versions', async () => {
    const receipt = await run(engine, 'change much', ['x', 'y'])
    expect(receipt).toMatchObject({ code: 'HANDLER_FAILED' })
    const ids: [string, number][] = [
      ['order-b', 1],
      ['order-a', 2],
      ['order-b', 4],
      ['order-c', 8],
      ['order-b', 16],
    ]
    const { sequence } = await run(engine, 'credit each', ids)
    const events = await all(engine.readAll({ from: sequence - 4 }))
    expect(events.map(({ id, version, data }) => [id, version, data])).toEqual([
      ['order-b', 1, { amount: 1 }],
      ['order-a', 1, { amount: 2 }],
      ['order-b', 2, { amount: 4 }],
      ['order-c', 1, { amount: 8 }],
      ['order-b', 3, { amount: 16 }],
    ])
    expect(events.map((event) => event.sequence - sequence)).toEqual([-4, -3, -2, -1, 0])
    expect(await engine.query(Account, 'order-b')).toMatchObject({ balance: 21 })
  })

  it('emit: a transfer from an account to itself', async () => {
    await accepted(engine, Credit, { account: 'narcissus', amount: 10 })
    const receipt = await engine.execute(Move, { from: 'narcissus', to: 'narcissus', amount: 4 })
    expect(receipt).toMatchObject({ accepted: true, eventCount: 2 })
    expect(await engine.query(Account, 'narcissus')).toMatchObject({ balance: 10 })
    const events = await all(engine.read(Account, 'narcissus'))
    expect(events.map(({ version }) => version)).toEqual([1, 2, 3])
  })

  it('emit: evolve learns id, version, sequence and time', async () => {
    const receipt = await run(engine, 'note the meta', 'meta')
    const { sequence, time } = receipt
    expect(await engine.query(Account, 'meta')).toMatchObject({
      note: { id: 'meta', version: 2, sequence, time },
    })
  })

  it('execute: sequences have no gap, whatever is rejected between', async () => {
    const scenarios = ['nothing', 'throw undefined', 'emit, then reject', 'emit, then throw']
    const first = await engine.execute(Credit, { account: 'gapless', amount: 1 })
    const pending = []
    for (let i = 0; i < 200; i++) {
      pending.push(engine.execute(Credit, { account: `gapless-${i % 7}`, amount: 1 }))
      pending.push(run(engine, scenarios[i % 4]!, ['gapless', `never-${i}`]))
    }
    const receipts = (await Promise.all(pending)).filter((_, i) => i % 2 === 0)
    receipts.forEach((receipt, i) => {
      expect(receipt).toMatchObject({ accepted: true, sequence: first.sequence + 1 + i })
    })
  })

  it.each([
    ['throw undefined', 'nothing'],
    ['throw an object without a prototype', ''],
    ['throw an error with a strange message', ''],
    ['throw an error whose message throws', ''],
    ['throw a symbol', 'Symbol(s)'],
    ['throw a long lone surrogate', '\ufffd'],
    ['return a value', 'returned'],
    ['return a promise', 'returned'],
    ['return a promise that fails', 'returned'],
    ['return a thenable', 'returned'],
    ['swallow the error of an emit', 'Credited'],
    ['swallow READ_AFTER_EMIT', 'READ_AFTER_EMIT'],
    ['read after emit', 'READ_AFTER_EMIT'],
    ['there is none of this name', 'no scenario'],
  ])('%s: HANDLER_FAILED, and nothing happened', async (scenario, message) => {
    const digest = await engine.digest()
    const receipt = (await run(engine, scenario, 'failing')) as RejectedReceipt
    expect(receipt).toMatchObject({ accepted: false, code: 'HANDLER_FAILED' })
    expect(receipt.detail).toContain(message)
    expect(String(receipt.detail).length).toBeLessThan(1000)
    expect(await engine.digest()).toBe(digest)
  })

  it('emit: exists and version are as when the command began', async () => {
    await accepted(engine, Credit, { account: 'versions', amount: 1 })
    expect(await seen(engine, 'versions after emit', 'versions')).toEqual({
      exists: true,
      version: 1,
    })
    expect(await seen(engine, 'versions after emit', 'no versions')).toEqual({
      exists: false,
      version: 0,
    })
  })

  it('get: an unknown id has the initial state, and stays unknown', async () => {
    const digest = await engine.digest()
    expect(await seen(engine, 'state of', 'who')).toEqual({
      balance: 0,
      small: 0,
      signed: 0,
      wide: 0n,
      ratio: 0,
      open: false,
      tag: 'red',
      token: '00000000-0000-0000-0000-000000000000',
      owner: '',
      note: null,
      parent: null,
    })
    expect(await engine.query(Account, 'who')).toBeUndefined()
    expect(await engine.digest()).toBe(digest)
  })

  it('get: the same id the same view, different ids different ones (40 of each type)', async () => {
    const ids = Array.from({ length: 40 }, (_, i) => `view-${i}`)
    // Half of them have events.
    for (const id of ids.slice(0, 20)) {
      engine.submit(Credit, { account: id, amount: 1 })
      engine.submit(WriteLine, { log: id, line: 'x' })
    }
    const wides = ids.map((_, i) => BigInt(i) + 2n ** 40n)
    const uuids = ids.map((_, i) => `00000000-0000-4000-8000-0000000000${i + 10}`)
    expect(await seen(engine, 'views of', { ids, wides, uuids })).toEqual({
      same: true,
      different: true,
      logsDiffer: true,
      wideAsNumber: true,
      wideSame: true,
      wideDifferent: true,
      uuidSame: true,
    })
  })

  it('get: a view cannot be written to', async () => {
    await accepted(engine, Credit, { account: 'read-only', amount: 3 })
    const expected = ['TypeError', 'TypeError', 3, '']
    expect(await seen(engine, 'write to a view', 'read-only')).toEqual(expected)
    const initial = ['TypeError', 'TypeError', 0, '']
    expect(await seen(engine, 'write to a view', 'unknown')).toEqual(initial)
  })

  it('decide: the command cannot be written to', async () => {
    const expected = ['TypeError', 'write to the command']
    expect(await seen(engine, 'write to the command')).toEqual(expected)
  })

  it('get: views that were kept are unusable afterwards', async () => {
    await accepted(engine, Credit, { account: 'kept', amount: 3 })
    await run(engine, 'keep a view', 'kept')
    const expected = ['RangeError', 'RangeError', 'use what was kept']
    expect(await seen(engine, 'use what was kept')).toEqual(expected)
  })

  it('tx: a transaction that is used after its handler changes nothing', async () => {
    await accepted(engine, Credit, { account: 'late', amount: 1 })
    expect(await run(engine, 'use the transaction later', 'late')).toMatchObject({ accepted: true })
    await accepted(engine, Credit, { account: 'late', amount: 1 })
    expect(await engine.query(Account, 'late')).toMatchObject({ balance: 3 })
    expect(await engine.query(Account, 'late-new')).toBeUndefined()
    const events = await all(engine.read(Account, 'late'))
    expect(events.map(({ version }) => version)).toEqual([1, 2, 3])
  })

  it('evolve: a value out of range rejects the command and restores all that it changed', async () => {
    const ids = ['range-1', 'range-2']
    await accepted(engine, Run, {
      scenario: 'a new owner',
      with: { account: ids[0], owner: 'before', note: { before: [1] } },
    })
    const digest = await engine.digest()
    const receipt = await run(engine, 'change much, then a value out of range', ids)
    expect(receipt).toMatchObject({ accepted: false, code: 'HANDLER_FAILED' })
    expect((receipt as RejectedReceipt).detail).toContain('small')
    expect(await engine.digest()).toBe(digest)
    expect(await engine.query(Account, 'range-1')).toMatchObject({
      owner: 'before',
      note: { before: [1] },
      balance: 0,
    })
    expect(await engine.query(Account, 'range-2')).toBeUndefined()
    // The engine goes on, and versions go on where they were.
    await accepted(engine, Credit, { account: 'range-1', amount: 1 })
    const events = await all(engine.read(Account, 'range-1'))
    expect(events.map(({ version }) => version)).toEqual([1, 2])
  })

  it.each([
    [0, true],
    [4_294_967_295, true],
    [-1, false],
    [4_294_967_296, false],
  ])('evolve: %s into a u32', async (value, fits) => {
    const receipt = await run(engine, 'set small', { account: 'small', value })
    expect(receipt.accepted).toBe(fits)
  })

  it('time: integer microseconds that never go backwards', async () => {
    const before = Date.now() * 1000
    const times = []
    for (let i = 0; i < 50; i++) times.push((await seen(engine, 'time')) as number)
    expect(times.every(Number.isSafeInteger)).toBe(true)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThan(before - 1_000_000)
    expect(times.at(-1)).toBeLessThan(Date.now() * 1000 + 1_000_000)
  })

  it('random and uuid: differ from call to call', async () => {
    expect(await seen(engine, 'luck')).toMatchObject({
      inRange: true,
      differ: true,
      uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/),
    })
  })

  it('emit: as many events as a transaction holds, and not one more', async () => {
    // 16 bytes of header, 8 of payload each; half a MiB a transaction.
    const most = await run(engine, 'emit times', { counter: 1, times: 21_000 })
    expect(most).toMatchObject({ accepted: true, eventCount: 21_000 })
    const tooMany = await run(engine, 'emit times', { counter: 1, times: 65_536 })
    expect(tooMany).toMatchObject({ accepted: false, code: 'TRANSACTION_TOO_LARGE' })
    expect(await engine.query(Counter, 1)).toEqual({ value: 21_000 })
  })

  it('emit: a transaction that is too large leaves nothing', async () => {
    const digest = await engine.digest()
    const blobs = { account: 'too-large', bytes: 100_000, times: 6 }
    const receipt = await run(engine, 'emit blobs', blobs)
    expect(receipt).toMatchObject({ accepted: false, code: 'TRANSACTION_TOO_LARGE' })
    expect(await engine.digest()).toBe(digest)
    const keyed = await run(engine, 'emit blobs', { ...blobs, times: 5 }, 'large')
    expect(keyed).toMatchObject({ accepted: true })
  })

  it('execute: a command of another domain is unknown', async () => {
    const foreign = declare('foreign', import.meta.url)
    const Foreign = foreign.command('Credit', { account: text, amount: int }, () => undefined)
    const Alien = foreign.aggregate('Account', { id: text, state: { balance: int } })
    const error = await failureOf(engine.execute(Foreign, { account: 'a', amount: 1 }))
    expect(error.code).toBe('UNKNOWN_COMMAND')
    expect(() => engine.submit(Foreign, { account: 'a', amount: 1 })).toThrow(TidewheelError)
    expect(() => engine.query(Alien, 'a')).toThrow(TidewheelError)
    const nothing = await failureOf(engine.execute(undefined as never, {} as never))
    expect(nothing.code).toBe('UNKNOWN_COMMAND')
  })

  it.each([
    [{}],
    [{ account: 'a' }],
    [{ account: 'a', amount: '1' }],
    [{ account: 'a', amount: 1.5 }],
    [{ account: 'a', amount: 2 ** 53 }],
    [{ account: 'a', amount: Number.NaN }],
    [{ account: 1, amount: 1 }],
    [{ account: '', amount: 1 }],
    [{ account: 'a', amount: 1n }],
    [null],
    [undefined],
    ['text'],
  ])('execute: refuses %o at the edge, names the field, and goes on', async (value) => {
    const before = engine.submit(Credit, { account: 'edge', amount: 1 })
    const error = await failureOf(engine.execute(Credit, value as never))
    expect(error.code).toMatch(/^INVALID_/)
    expect(error.message).toContain('Credit')
    expect(engine.submit(Credit, { account: 'edge', amount: 1 })).toBe(before + 1)
  })

  it('a field that nobody declared is refused', async () => {
    const value = { account: 'a', amount: 1, amonut: 2 }
    const receipt = await engine.execute(Credit, value).catch((error: TidewheelError) => error)
    // Extra members cost a look at each: they are allowed, and ignored.
    expect(receipt).toMatchObject({ accepted: true })
  })

  it('object state: is read back as what restore makes of it', async () => {
    await accepted(engine, WriteLine, { log: 'book', line: 'one' })
    await accepted(engine, WriteLine, { log: 'book', line: 'two' })
    const log = await engine.query(Log, 'book')
    expect(log).toBeInstanceOf(Lines)
    expect(log?.lines).toEqual(['one', 'two'])
    log?.lines.push('mine')
    expect((await engine.query(Log, 'book'))?.lines).toEqual(['one', 'two'])
  })

  it('is: narrows events', async () => {
    const { sequence } = await engine.execute(Credit, { account: 'narrow', amount: 9 })
    const [event] = await all(engine.readAll({ from: sequence }))
    expect(event !== undefined && Credited.is(event) && event.data.amount).toBe(9)
    expect(event !== undefined && Counted.is(event)).toBe(false)
  })

  it('replay: all of the above gives the same state again', async () => {
    engine = await bench.reopen(engine, path)
    expect(engine.report.events).toBeGreaterThan(21_000)
  })
})

describe('commands, on this thread', () => {
  it('declaration: refuses async handlers, and what is no handler', () => {
    const bad = declare('bad', import.meta.url)
    const A = bad.aggregate('A', { id: text, state: { n: int } })
    const later = (async () => undefined) as never
    expect(() => bad.command('C', {}, later)).toThrow(/async/)
    expect(() => A.event('E', {}, later)).toThrow(/async/)
    expect(() => bad.command('C2', {}, undefined as never)).toThrow(/handler/)
    expect(() => bad.command('C3', {}, async function* () {} as never)).toThrow(/Generator/)
    expect(() => bad.command('C4', {}, function* () {} as never)).toThrow(/Generator/)
  })
})
