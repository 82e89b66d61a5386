/** What `evolve` is given lives as long as the call: kept, it neither reads nor changes anything. */
import { afterAll, describe, expect, it } from 'vitest'
import { domain, type EventMeta, int, text, u32 } from '../../engine/index.js'
import { EngineBench } from '../support/engine-fixture.js'

const keeping = domain('keeping', import.meta.url)
const Box = keeping.aggregate('Box', { id: u32, capacity: 10, state: { n: int, note: text } })
let state: { n: number; note: string } | undefined
let event: { readonly by: number; readonly note: string } | undefined
let meta: EventMeta<number> | undefined

const Filled = Box.event('Filled', { by: int, note: text }, (box, filled, about) => {
  state = box
  event = filled
  meta = about
  box.note = filled.note
  box.n += filled.by
})
const Fill = keeping.command('Fill', { box: Box.id, by: int, note: text }, (command, tx) => {
  tx.emit(Filled, command.box, { by: command.by, note: command.note })
})
const Cheat = keeping.command('Cheat', { by: int }, (command) => {
  if (state !== undefined) state.n = command.by
})

const bench = new EngineBench('inline')
afterAll(() => bench.clear())

describe('evolve', () => {
  it('state and event that were kept are unusable afterwards', async () => {
    const engine = await bench.open(bench.path(), {}, keeping)
    await engine.execute(Fill, { box: 1, by: 5, note: 'five' })
    expect(meta?.sequence).toBe(1)
    expect(() => state?.n).toThrow(RangeError)
    expect(() => state?.note).toThrow(RangeError)
    expect(() => event?.by).toThrow(RangeError)
    expect(() => event?.note).toThrow(RangeError)
    expect(await engine.execute(Cheat, { by: 999 })).toMatchObject({
      accepted: false,
      code: 'HANDLER_FAILED',
    })
    expect(engine.get(Box, 1)).toEqual({ n: 5, note: 'five' })
    await bench.close(engine)
  })

  it('also those of an event that was taken back (a value out of range)', async () => {
    const engine = await bench.open(bench.path(), {}, keeping)
    await engine.execute(Fill, { box: 1, by: 5, note: 'five' })
    const tooMuch = { box: 1, by: Number.MAX_SAFE_INTEGER, note: 'too much' }
    expect(await engine.execute(Fill, tooMuch)).toMatchObject({ code: 'HANDLER_FAILED' })
    expect(() => state?.n).toThrow(RangeError)
    expect(() => event?.by).toThrow(RangeError)
    expect(await engine.execute(Cheat, { by: 999 })).toMatchObject({ code: 'HANDLER_FAILED' })
    expect(engine.get(Box, 1)).toEqual({ n: 5, note: 'five' })
    await bench.close(engine)
  })
})
