import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type Domain,
  domain as declare,
  type Engine,
  type Fields,
  int,
  type Receipt,
  text,
  u32,
} from '../../engine/index.js'
import probe, {
  Account,
  Count,
  Counter,
  Credit,
  Credited,
  Link,
  Log,
  Move,
  Run,
  Thing,
  WriteLine,
} from '../support/domains/probe.js'
import {
  accepted,
  all,
  answerOf,
  describeModes,
  EngineBench,
  failureOf,
  run,
} from '../support/engine-fixture.js'
import { startProcess } from '../support/processes/start.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

function uuidOf(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
}

/** Anything that the domain can do, also what fails. */
function anything(engine: Engine, random: SeededRandom): Promise<Receipt> {
  const account = `a${random.below(30)}`
  const other = `a${random.below(60)}`
  const key = random.below(3) === 0 ? { key: `k${random.below(50)}` } : {}
  switch (random.below(12)) {
    case 0:
      return engine.execute(Move, { from: account, to: other, amount: random.below(50) }, key)
    case 1: {
      const ids = { thing: uuidOf(random.below(20)), owner: other, counter: random.below(2 ** 32) }
      return engine.execute(Link, { ...ids, wide: BigInt(random.below(2 ** 32)) ** 2n }, key)
    }
    case 2:
      return engine.execute(WriteLine, { log: `l${random.below(9)}`, line: account }, key)
    case 3: {
      const data = {
        signed: -random.below(2 ** 31),
        wide: random.below(2 ** 32),
        ratio: random.below(1000) / 7,
        open: random.below(2) === 0,
        tag: ['red', 'green', 'blue'][random.below(3)],
        token: uuidOf(random.below(9)),
        blob: new Uint8Array(random.below(3000)).fill(random.below(256)),
      }
      return run(engine, 'fill in', { account, data }, key.key)
    }
    case 4: {
      const note = [null, { deep: [random.below(9), { x: 'ÿ' }] }, 'note', 5.5][random.below(4)]
      return run(engine, 'a new owner', { account, owner: `Ü${random.below(99)}`, note }, key.key)
    }
    case 5:
      return run(engine, 'set the parent', { account, parent: other })
    case 6:
      return run(engine, 'change much, then a value out of range', [account, other], key.key)
    case 7:
      return run(engine, 'emit, then throw', [account, `never-${random.below(99)}`], key.key)
    case 8:
      return run(engine, 'note the meta', account)
    case 9:
      return engine.execute(Count, { counter: random.below(100), by: random.below(9) - 2 }, key)
    case 10:
      return run(engine, 'emit blobs', { account, bytes: random.below(9000), times: 3 })
    default:
      return engine.execute(Credit, { account, amount: random.below(1000) }, key)
  }
}

describeModes('recovery', (bench) => {
  it('a random workload gives the same state when it is opened again, and goes on', async () => {
    const seed = Date.now() % 2 ** 32
    const random = seededRandom(seed)
    const path = bench.path()
    let engine = await bench.open(path)
    expect(engine.report).toMatchObject({ created: true, events: 0 })
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 25; i++) {
        const burst = Array.from({ length: random.below(60) }, () => anything(engine, random))
        await Promise.all(burst)
      }
      const events = await all(engine.readAll())
      const log = await engine.query(Log, 'l1')
      const thing = await engine.query(Thing, uuidOf(1))
      const account = await engine.query(Account, 'a1')
      engine = await bench.reopen(engine, path)
      expect(engine.report, `seed ${seed}`).toMatchObject({
        created: false,
        events: events.length,
        repaired: [],
      })
      expect(engine.report.cut).toBeUndefined()
      expect(isDeepStrictEqual(await all(engine.readAll()), events)).toBe(true)
      expect(await engine.query(Log, 'l1')).toEqual(log)
      expect(await engine.query(Thing, uuidOf(1))).toEqual(thing)
      expect(isDeepStrictEqual(await engine.query(Account, 'a1'), account)).toBe(true)
    }
    expect(engine.report.segments, 'segments rolled').toBeGreaterThan(1)
    await bench.close(engine)
  })

  it('kill -9: every answer is kept, nothing is there twice, again and again', async () => {
    const path = bench.path()
    const answers = new Map<number, number>()
    let next = 1
    for (let kill = 0; kill < 3; kill++) {
      const child = startProcess('drill', bench.mode, path, next)
      await child.hasSaid(1 + 200 * (kill + 1))
      child.child.kill('SIGKILL')
      expect(await child.ended).toBe('SIGKILL')
      expect(child.lines[0]).toBe('ready')
      for (const line of child.lines.slice(1)) {
        const [amount, sequence] = line.split(' ').map(Number)
        answers.set(amount!, sequence!)
      }
      const engine = await bench.open(path)
      const kept = new Map<number, number>()
      let highest = 0
      let expected = 0
      for await (const event of engine.readAll()) {
        expect(event.sequence).toBe(++expected)
        if (!Credited.is(event) || event.id !== 'drill') continue
        expect(kept.has(event.data.amount), 'twice').toBe(false)
        kept.set(event.data.amount, event.sequence)
        highest = event.data.amount
      }
      for (const [amount, sequence] of answers) expect(kept.get(amount)).toBe(sequence)
      // One producer, one after the other: no gap either.
      expect(kept.size).toBe(highest)
      // The same keys again: the same answers.
      for (const amount of [...answers.keys()].filter((each) => each % 2 === 0).slice(-20)) {
        const again = await engine.execute(
          Credit,
          { account: 'drill', amount },
          { key: `key-${amount}` },
        )
        expect(again).toMatchObject({ repeated: true, sequence: answers.get(amount) })
      }
      next = highest + 1
      await bench.close(await bench.reopen(engine, path))
    }
    expect(answers.size).toBeGreaterThan(800)
  })

  it('ENGINE_LOCKED: a second process, and the same one, names the holder', async () => {
    const path = bench.path()
    const holder = startProcess('hold', bench.mode, path)
    await holder.hasSaid(1)
    const error = await failureOf(bench.open(path))
    expect(error.code).toBe('ENGINE_LOCKED')
    expect(error.message).toContain(String(holder.pid))
    holder.child.kill('SIGKILL')
    await holder.ended
    const engine = await bench.open(path)
    const twice = await failureOf(bench.open(path))
    expect(twice.code).toBe('ENGINE_LOCKED')
    await accepted(engine, Credit, { account: 'mine', amount: 1 })
    await bench.close(engine)
    await bench.close(await bench.open(path))
  })

  it('options: what cannot be is refused, and leaves nothing locked', async () => {
    const path = bench.path()
    for (const options of [
      { ringBytes: 1000 },
      { ringBytes: 3 * 1024 * 1024 },
      { ringBytes: 2 ** 40 },
      { segmentBytes: 4096 },
      { segmentBytes: 2 * 1024 * 1024 + 1 },
      { segmentBytes: Number.NaN },
      { durability: 'sometimes' as never },
      { processor: 'gpu' as never },
      { keyCountMax: 0 },
      { keyAgeMsMax: -1 },
    ]) {
      const error = await failureOf(bench.open(path, options))
      expect(error.code, JSON.stringify(options)).toBe('INVALID_OPTION')
      expect(error.message).toContain(Object.keys(options)[0])
    }
    expect(existsSync(path), 'nothing was made').toBe(false)
    await bench.close(await bench.open(path))
  })

  it('capacity: full is full, also for references, and a larger one goes on', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    await accepted(engine, Run, { scenario: 'open many tiny', with: ['1', '2'] })
    const tooMany = await run(engine, 'open many tiny', ['3', '4'], 'too-many')
    expect(tooMany).toMatchObject({
      code: 'CAPACITY_EXCEEDED',
      detail: { aggregate: 'Tiny', capacity: 3 },
    })
    await accepted(engine, Run, { scenario: 'open many tiny', with: ['1', '4', '2'] })
    const named = await run(engine, 'name a tiny', { account: 'a', tiny: '5' })
    expect(named).toMatchObject({ code: 'CAPACITY_EXCEEDED' })
    expect(await engine.query(Account, 'a')).toBeUndefined()
    await accepted(engine, Run, { scenario: 'name a tiny', with: { account: 'a', tiny: '4' } })
    engine = await bench.reopen(engine, path)
    expect(await run(engine, 'open many tiny', ['6'])).toMatchObject({ code: 'CAPACITY_EXCEEDED' })
    const again = await run(engine, 'open many tiny', ['3', '4'], 'too-many')
    expect(answerOf(again)).toEqual(answerOf(tooMany))
    await bench.close(engine)
  })

  it('DURABILITY: a journal is not opened without one; os and disk take turns', async () => {
    const path = bench.path()
    let engine = await bench.open(path, { durability: 'os' })
    await accepted(engine, Count, { counter: 1, by: 1 })
    await bench.close(engine)
    const error = await failureOf(bench.open(path, { durability: 'none' }))
    expect(error.code).toBe('DURABILITY_MISMATCH')
    engine = await bench.open(path, { durability: 'disk' })
    await accepted(engine, Count, { counter: 1, by: 1 })
    engine = await bench.reopen(engine, path, { durability: 'os' })
    expect(await engine.query(Counter, 1)).toEqual({ value: 2 })
    await bench.close(engine)
  })

  it('directories: a file, a foreign one, one without permission', async () => {
    const path = bench.path()
    writeFileSync(path, 'a file')
    const file = await failureOf(bench.open(path))
    expect(['JOURNAL_UNREADABLE', 'NOT_A_JOURNAL']).toContain(file.code)
    expect(file.message).toContain(path)

    const foreign = bench.path()
    mkdirSync(foreign)
    for (const name of ['0000000001.segment', 'thesis.txt'])
      writeFileSync(join(foreign, name), name)
    const error = await failureOf(bench.open(foreign))
    expect(error.code).toBe('NOT_A_JOURNAL')
    expect(error.message).toContain(foreign)
    for (const name of ['0000000001.segment', 'thesis.txt']) {
      expect(readFileSync(join(foreign, name), 'utf8')).toBe(name)
    }

    if (process.getuid?.() === 0) {
      console.warn('SKIPPED: a directory without permission; the superuser may write anywhere')
    } else {
      const closed = bench.path()
      mkdirSync(closed)
      chmodSync(closed, 0o500)
      const refused = await failureOf(bench.open(closed))
      expect(refused.code).toBe('JOURNAL_UNREADABLE')
    }
    const nowhere = await failureOf(bench.open('/proc/none/journal'))
    expect(nowhere.code).toBe('JOURNAL_UNREADABLE')
    expect(nowhere.message).toContain('/proc/none')
  })
})

interface Shape {
  readonly name?: string
  readonly id?: typeof text | typeof u32
  readonly event?: string
  readonly fields?: Fields
  readonly more?: boolean
  readonly evolve?: (state: { value: number }, event: never) => undefined
}

/** A domain of one aggregate, changed here and there. */
function shaped(shape: Shape = {}): Domain {
  const changed = declare(shape.name ?? 'shaped', import.meta.url)
  if (shape.more === true) changed.command('Before', { x: text }, () => undefined)
  const A = changed.aggregate('A', { id: shape.id ?? text, state: { value: int } })
  if (shape.more === true) A.event('Earlier', { extra: text }, () => undefined)
  const add = (state: { value: number }, event: never): undefined => {
    state.value += (event as { by: number }).by
  }
  const evolve = (shape.evolve ?? add) as never
  const Added = A.event(shape.event ?? 'Added', shape.fields ?? { by: int }, evolve)
  changed.command('Add', { a: A.id, by: int }, (command, tx) => {
    tx.emit(Added, command.a as never, { by: command.by } as never)
  })
  if (shape.more === true) {
    const Later = A.event('Later', { by: int }, (state, event) => {
      state.value += event.by * 100
    })
    changed.command('AddLater', { a: A.id, by: int }, (command, tx) => {
      tx.emit(Later, command.a, { by: command.by })
    })
  }
  return changed
}

function add(engine: Engine, name: string, by: number): Promise<Receipt> {
  const command = engine.domain.commands.find((each) => each.name === name)!
  return engine.execute(command, { a: 'x', by })
}

function stateOfX(engine: Engine): Promise<unknown> {
  return engine.query(engine.domain.aggregates[0]!, 'x')
}

describe('recovery of another domain', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  async function journal(): Promise<string> {
    const path = bench.path()
    const engine = await bench.open(path, {}, shaped())
    for (let by = 1; by <= 5; by++)
      expect(await add(engine, 'Add', by)).toMatchObject({ accepted: true })
    await bench.close(engine)
    return path
  }

  it.each<[string, Shape, string, RegExp]>([
    ['another name', { name: 'other' }, 'DOMAIN_MISMATCH', /shaped.*other|other.*shaped/],
    ['a field of another type', { fields: { by: text } }, 'SCHEMA_CHANGED', /Added.*by/],
    ['a field more', { fields: { by: int, more: int } }, 'SCHEMA_CHANGED', /Added.*more/],
    ['a field less', { fields: {} }, 'SCHEMA_CHANGED', /Added.*by/],
    ['a field renamed', { fields: { amount: int } }, 'SCHEMA_CHANGED', /Added.*amount/],
    ['ids of another type', { id: u32 as never }, 'SCHEMA_CHANGED', /A\b.*u32/],
    ['an event removed', { event: 'Renamed' }, 'SCHEMA_CHANGED', /Added/],
  ])('%s: refused with the difference, and nothing is written', async (_, shape, code, words) => {
    const path = await journal()
    const error = await failureOf(bench.open(path, {}, shaped(shape)))
    expect(error.code).toBe(code)
    expect(error.message).toMatch(words)
    const engine = await bench.open(path, {}, shaped())
    expect(await stateOfX(engine)).toEqual({ value: 15 })
    await bench.close(engine)
  })

  it('an event and commands more: in the middle of a segment, in any place', async () => {
    const path = await journal()
    let engine = await bench.open(path, {}, shaped({ more: true }))
    expect(await stateOfX(engine)).toEqual({ value: 15 })
    await add(engine, 'AddLater', 1)
    await add(engine, 'Add', 1)
    expect(await stateOfX(engine)).toEqual({ value: 116 })
    const events = await all(engine.readAll())
    expect(events.map(({ type }) => type)).toEqual([...Array(5).fill('Added'), 'Later', 'Added'])
    const digest = await engine.digest()
    await bench.close(engine)
    engine = await bench.open(path, {}, shaped({ more: true }))
    expect(await engine.digest()).toBe(digest)
    await bench.close(engine)
    // Back to the old one: its journal holds an event now that it does not know.
    const error = await failureOf(bench.open(path, {}, shaped()))
    expect(error.code).toBe('SCHEMA_CHANGED')
    expect(error.message).toContain('Later')
  })

  it.each<[string, () => undefined]>([
    [
      'throws',
      () => {
        throw new Error('no longer')
      },
    ],
    ['returns', () => 1 as never],
    [
      'throws nothing',
      () => {
        throw undefined
      },
    ],
  ])('REPLAY_FAILED: an evolve that %s names sequence and event', async (_, fail) => {
    const path = await journal()
    const evolve = (state: { value: number }, event: never): undefined => {
      if ((event as { by: number }).by === 3) return fail()
      state.value += 1
    }
    const error = await failureOf(bench.open(path, {}, shaped({ evolve })))
    expect(error.code).toBe('REPLAY_FAILED')
    expect(error.sequence).toBe(3)
    expect(error.message).toMatch(/Added.*x/)
    const engine = await bench.open(path, {}, shaped())
    expect(await stateOfX(engine)).toEqual({ value: 15 })
    await bench.close(engine)
  })

  it('a value out of range at replay names sequence and event too', async () => {
    const path = await journal()
    const evolve = (state: { value: number }): undefined => {
      state.value += 0.5
    }
    const error = await failureOf(bench.open(path, {}, shaped({ evolve })))
    expect([error.code, error.sequence]).toEqual(['REPLAY_FAILED', 1])
  })

  it('digest: tells a state that replay gives differently', async () => {
    const path = bench.path()
    let calls = 0
    const evolve = (state: { value: number }): undefined => {
      state.value += ++calls
    }
    const live = await bench.open(path, {}, shaped({ evolve }))
    await add(live, 'Add', 1)
    await add(live, 'Add', 1)
    const digest = await live.digest()
    await bench.close(live)
    const replayed = await bench.open(path, {}, shaped({ evolve }))
    expect(await replayed.digest()).not.toBe(digest)
    await bench.close(replayed)
  })

  it('DOMAIN_MISMATCH: a module that does not export the domain on the other thread', async () => {
    const threaded = new EngineBench('thread')
    const missing = declare('missing', probe.moduleUrl)
    const error = await failureOf(threaded.open(threaded.path(), {}, missing))
    expect(error.code).toBe('DOMAIN_MISMATCH')
    expect(error.message).toContain('missing')
    const different = declare('probe', probe.moduleUrl)
    different.command('Other', {}, () => undefined)
    const changed = await failureOf(threaded.open(threaded.path(), {}, different))
    expect(changed.code).toBe('DOMAIN_MISMATCH')
    expect(dirname(probe.moduleUrl)).toContain('domains')
    await threaded.clear()
  })
})
