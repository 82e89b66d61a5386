/** The capacity of an aggregate is the application's, not the journal's: it may change. */
import { expect, it } from 'vitest'
import type { Engine, Receipt } from '../../engine/index.js'
import roomy2 from '../support/domains/roomy-2.js'
import roomy3 from '../support/domains/roomy-3.js'
import roomy5 from '../support/domains/roomy-5.js'
import { describeModes, failureOf } from '../support/engine-fixture.js'

function fill(engine: Engine, shelf: number): Promise<Receipt> {
  const [command] = engine.domain.commands
  return engine.execute(command!, { shelf, by: shelf })
}

describeModes('capacity', (bench) => {
  it('a larger one at reopening goes on, one below the streams of the journal is refused', async () => {
    const path = bench.path()
    let engine = await bench.open(path, {}, roomy3)
    for (const shelf of [7, 8, 9])
      expect(await fill(engine, shelf)).toMatchObject({ accepted: true })
    const full = { accepted: false, code: 'CAPACITY_EXCEEDED' }
    expect(await fill(engine, 10)).toMatchObject({
      ...full,
      detail: { aggregate: 'Shelf', capacity: 3 },
    })
    const digest = await engine.digest()
    await bench.close(engine)

    engine = await bench.open(path, {}, roomy5)
    expect(await engine.digest()).toBe(digest)
    for (const shelf of [10, 11, 7])
      expect(await fill(engine, shelf)).toMatchObject({ accepted: true })
    expect(await fill(engine, 12)).toMatchObject({
      ...full,
      detail: { aggregate: 'Shelf', capacity: 5 },
    })
    const [shelves] = roomy5.aggregates
    expect(await engine.query(shelves!, 7)).toEqual({ value: 14 })
    expect(await engine.query(shelves!, 11)).toEqual({ value: 11 })
    const later = await engine.digest()
    await bench.close(engine)

    const error = await failureOf(bench.open(path, {}, roomy3))
    expect([error.code, error.sequence]).toEqual(['OUT_OF_MEMORY', 4])
    expect(error.message).toContain('more streams of Shelf than its capacity, 3; declare a larger')

    engine = await bench.open(path, {}, roomy5)
    expect(await engine.digest()).toBe(later)
    await bench.close(engine)
  })

  it('one of exactly the streams of the journal opens it, one less does not', async () => {
    const path = bench.path()
    let engine = await bench.open(path, {}, roomy5)
    for (const shelf of [1, 2, 3]) await fill(engine, shelf)
    const digest = await engine.digest()
    await bench.close(engine)
    expect((await failureOf(bench.open(path, {}, roomy2))).code).toBe('OUT_OF_MEMORY')
    engine = await bench.open(path, {}, roomy3)
    expect(await engine.digest()).toBe(digest)
    expect(await fill(engine, 3)).toMatchObject({ accepted: true })
    expect(await fill(engine, 4)).toMatchObject({ accepted: false, code: 'CAPACITY_EXCEEDED' })
    await bench.close(engine)
  })
})
