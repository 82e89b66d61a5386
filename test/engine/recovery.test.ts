import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { expect, it } from 'vitest'
import type { Engine, Receipt } from '../../engine/index.js'
import {
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

  it('capacity: full is full, also for references, and after reopening', async () => {
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
