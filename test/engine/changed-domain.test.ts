/** Opening a journal with a domain that is not the one that wrote it. */
import { dirname } from 'node:path'
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
import probe from '../support/domains/probe.js'
import { all, EngineBench, failureOf } from '../support/engine-fixture.js'

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

describe('changed domain', () => {
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
