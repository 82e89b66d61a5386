/** Options and arguments of a wrong kind are refused when they are given, not when they are used. */
import { afterAll, describe, expect, test } from 'vitest'
import { Engine, type EngineOptions } from '../../engine/index.js'
import probe, { Credit } from '../support/domains/probe.js'
import { describeModes, EngineBench, failureOf } from '../support/engine-fixture.js'

describe('options', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  test.each<[unknown, RegExp]>([
    [null, /options of an engine are an object.*got null/],
    ['disk', /options of an engine are an object.*got "disk"/],
    [{ logger: {} }, /option logger is an object; give an object with the functions info/],
    [{ logger: { info: () => {}, warn: () => {} } }, /option logger/],
    [{ clock: 5 }, /option clock is 5; give a function/],
    [{ segmentBytes: '2097152' }, /option segmentBytes is "2097152"; give an integer/],
    [{ durability: ['disk'] }, /option durability is an array of 1; give one of disk/],
  ])('%j is refused', async (options, message) => {
    const failure = await failureOf(Engine.open(bench.path(), probe, options as EngineOptions))
    expect(failure.code).toBe('INVALID_OPTION')
    expect(failure.message).toMatch(message)
  })
})

describeModes('arguments', (bench) => {
  test('a listener that is no function is refused (and the one before it stays)', async () => {
    const engine = await bench.open(bench.path())
    const tickets: number[] = []
    engine.onReceipts((_, last) => void tickets.push(last))
    expect(() => engine.onReceipts(undefined as never)).toThrow(/INVALID_OPTION.*got undefined/)
    engine.submit(Credit, { account: 'a', amount: 1 })
    await engine.synced()
    expect(tickets).toEqual([1])
    expect(() => engine.readAll({ from: '1' as never })).toThrow(/from is "1"; give an integer/)
    await bench.close(engine)
  })
})
