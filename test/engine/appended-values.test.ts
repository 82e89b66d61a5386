/** Values that are appended to a oneOf in an event: the journal goes on with the longer list. */
import { afterAll, describe, expect, it } from 'vitest'
import { type Domain, domain as declare, type Engine, oneOf, text } from '../../engine/index.js'
import { encodeCatalogueFrame, mergeCatalogue } from '../../journal/catalogue.js'
import { checkEvents, readEvents } from '../../journal/event-reader.js'
import { JournalTypes } from '../../journal/journal-types.js'
import { FixedSink } from '../../journal/schema/codec.js'
import { describeFields } from '../../journal/schema/field-description.js'
import { isOneOf } from '../../journal/schema/field-types.js'
import { NaiveCodec } from '../../journal/schema/naive-codec.js'
import { layOut } from '../../journal/schema/payload-layout.js'
import { verifyJournal } from '../../journal/verify.js'
import { EngineBench, failureOf } from '../support/engine-fixture.js'
import { readIndependently } from '../support/independent-blocks.js'
import { IndependentEvents } from '../support/independent-frames.js'
import { readFolder } from '../support/journal-files.js'

type Values = [string, ...string[]]

/** Turns a needle; its event and its state have the values as they are declared now. */
function compass(...values: Values): Domain {
  const declared = declare('compass', import.meta.url)
  const Needle = declared.aggregate('Needle', { id: text, state: { side: oneOf(...values) } })
  const Turned = Needle.event('Turned', { side: oneOf(...values) }, (needle, event) => {
    needle.side = event.side
  })
  declared.command('Turn', { needle: Needle.id, side: text }, (command, tx) => {
    tx.emit(Turned, command.needle, { side: command.side })
  })
  return declared
}

async function turn(engine: Engine, ...sides: string[]): Promise<void> {
  const [command] = engine.domain.commands
  for (const side of sides) {
    const receipt = await engine.execute(command!, { needle: 'n', side })
    expect(receipt).toMatchObject({ accepted: true })
  }
}

async function sidesOf(events: AsyncIterable<{ readonly data: unknown }>): Promise<string[]> {
  const sides: string[] = []
  for await (const { data } of events) sides.push((data as { side: string }).side)
  return sides
}

const TWO: Values = ['north', 'south']
const THREE: Values = [...TWO, 'east']
const FOUR: Values = [...THREE, 'west']

describe('values appended to a oneOf', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  it('old events read as before, new ones with the new value, by engine and tools alike', async () => {
    const path = bench.path()
    const written: string[] = []
    for (const values of [TWO, THREE, FOUR]) {
      const engine = await bench.open(path, {}, compass(...values))
      await turn(engine, ...values)
      written.push(...values)
      expect(await sidesOf(engine.readAll())).toEqual(written)
      const digest = await engine.digest()
      await bench.close(engine)
      const again = await bench.open(path, {}, compass(...values))
      expect(await again.digest()).toBe(digest)
      expect(await again.query(again.domain.aggregates[0]!, 'n')).toEqual({ side: values.at(-1) })
      await bench.close(again)
    }
    expect(await sidesOf(readEvents(path))).toEqual(written)
    expect(await sidesOf(readEvents(path, { from: 4 }))).toEqual(written.slice(3))
    expect(await checkEvents(path)).toEqual({ events: written.length, problem: undefined })
    expect(await verifyJournal(path)).toMatchObject({ ok: true })
    const { blocks } = readIndependently(readFolder(path))
    const { events } = new IndependentEvents(blocks)
    expect(events.map(({ data }) => (data as { side: string }).side)).toEqual(written)
  })

  it.each<[string, Values]>([
    ['removed', ['north', 'south']],
    ['renamed', ['north', 'south', 'orient']],
    ['moved', ['south', 'north', 'east']],
    ['put in between', ['north', 'south', 'west', 'east']],
  ])(
    'SCHEMA_CHANGED says what is different (a value %s), nothing is written',
    async (_, values) => {
      const path = bench.path()
      let engine = await bench.open(path, {}, compass(...THREE))
      await turn(engine, ...THREE)
      await bench.close(engine)
      const error = await failureOf(bench.open(path, {}, compass(...values)))
      expect(error.code).toBe('SCHEMA_CHANGED')
      expect(error.message).toContain('event Turned')
      expect(error.message).toContain(`is now oneOf(${JSON.stringify(values).slice(1, -1)})`)
      expect(error.message).toContain('values may be appended, but not removed, renamed or moved')
      engine = await bench.open(path, {}, compass(...THREE))
      expect(await sidesOf(engine.readAll())).toEqual(THREE)
      await bench.close(engine)
    },
  )

  it('tools: a list that shrinks or changes in the course of a journal is damage', () => {
    const frameOf = (values: Values): DataView => {
      const fields = describeFields({ side: oneOf(...values) })
      const { catalogue } = mergeCatalogue(undefined, 'compass', [
        { kind: 'aggregate', name: 'Needle', idType: 'text' },
        { kind: 'event', name: 'Turned', aggregate: 'Needle', fields },
      ])
      return new DataView(encodeCatalogueFrame(catalogue, 1).buffer)
    }
    const take = (types: JournalTypes, values: Values): void => {
      const view = frameOf(values)
      types.take(view, 32, view.getUint32(16, true) - 16)
    }
    const valuesOf = (types: JournalTypes): unknown => {
      const type = types.event(17).codec.layout.fields[0]?.type
      return type !== undefined && isOneOf(type) ? type.values : undefined
    }
    const types = new JournalTypes()
    take(types, TWO)
    expect(valuesOf(types)).toEqual(TWO)
    take(types, THREE)
    expect(valuesOf(types)).toEqual(THREE)
    for (const values of [TWO, ['south', 'north', 'east'] as Values]) {
      expect(() => take(types, values)).toThrow(/JOURNAL_DAMAGED.*not what an earlier one says/)
    }
  })

  it('a decoder that knows an older list refuses a newer value, and does not misread it', () => {
    const codecOf = (values: Values): NaiveCodec =>
      new NaiveCodec(layOut('Turned', { side: oneOf(...values) }, 'event', () => 16))
    const view = new DataView(new ArrayBuffer(64))
    const bytes = codecOf(THREE).encode({ side: 'east' }, new FixedSink(view).at(0, 64))
    expect(codecOf(TWO).check(view, 0, bytes)).toMatch(/side/)
    expect(codecOf(THREE).check(view, 0, bytes)).toBeUndefined()
    const known = codecOf(THREE).encode({ side: 'south' }, new FixedSink(view).at(0, 64))
    expect(codecOf(TWO).check(view, 0, known)).toBeUndefined()
  })
})
