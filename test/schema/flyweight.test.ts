/** Flyweights of commands and events against the decoded value. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FixedSink } from '../../journal/schema/codec.js'
import { compileCodec } from '../../journal/schema/compiled-codec.js'
import { any, bytes, int, text } from '../../journal/schema/field-types.js'
import { createFlyweight, type Flyweight, POISON } from '../../journal/schema/flyweight.js'
import { type Flavour, layOut } from '../../journal/schema/payload-layout.js'
import { FakeStreams, referenceTo, sample } from './arbitrary-fields.js'

const ID_UUID = '01234567-89ab-cdef-0123-456789abcdef'

function read(flyweight: Flyweight, names: readonly string[]): Record<string, unknown> {
  const source = flyweight as unknown as Record<string, unknown>
  return Object.fromEntries(names.map((name) => [name, source[name]]))
}

const LEDGER = {
  amount: int,
  from: referenceTo('text'),
  to: referenceTo('text'),
  book: referenceTo('u32'),
  order: referenceTo('u64'),
  owner: referenceTo('uuid'),
  note: text,
}
type LedgerFlyweight = Flyweight & {
  readonly amount: number
  readonly from: string
  readonly to: string
  readonly book: number
  readonly order: bigint
  readonly owner: string
  readonly note: string
}

function ledger(): { flyweight: LedgerFlyweight; wrap: (value: object, at: number) => void } {
  const layout = layOut('Ledger', LEDGER, 'command')
  const codec = compileCodec(layout)
  const view = new DataView(new SharedArrayBuffer(1024))
  const flyweight = createFlyweight(layout) as LedgerFlyweight
  flyweight.$attach(view)
  const wrap = (value: object, at: number): void => {
    codec.encode(value, new FixedSink(view).at(at, view.byteLength))
    flyweight.$wrap(at)
  }
  return { flyweight, wrap }
}

const FIRST = { amount: 1, from: 'alice', to: 'bob', book: 3, order: 4, owner: ID_UUID, note: 'é' }
const SECOND = { ...FIRST, amount: 2, from: 'carol', order: 5n }

describe('flyweight', () => {
  it('reads what the codec decodes, payload after payload (random schemas)', () => {
    fc.assert(
      fc.property(sample, fc.constantFrom<Flavour>('command', 'event'), (given, flavour) => {
        const layout = layOut('sample', given.fields, flavour)
        const codec = compileCodec(layout)
        const streams = new FakeStreams()
        const view = new DataView(new SharedArrayBuffer(32 * 1024))
        const flyweight = createFlyweight(layout)
        flyweight.$attach(view, streams)
        const names = Object.keys(given.fields)
        for (const offset of [0, 4096]) {
          const length = codec.encode(
            given.value,
            new FixedSink(view, streams).at(offset, view.byteLength),
          )
          flyweight.$wrap(offset)
          const decoded = codec.decode(view, offset, length, streams)
          expect(read(flyweight, names)).toStrictEqual(decoded)
          expect(read(flyweight, names)).toStrictEqual(decoded)
        }
        flyweight.$offset = POISON
        for (const name of names) expect(() => read(flyweight, [name])).toThrow(RangeError)
      }),
      { numRuns: 300 },
    )
  })

  it('ids are made once a wrap, and forgotten at the next', () => {
    const { flyweight, wrap } = ledger()
    wrap(FIRST, 0)
    expect([flyweight.from, flyweight.order, flyweight.owner]).toEqual(['alice', 4n, ID_UUID])
    wrap(SECOND, 256)
    expect([flyweight.from, flyweight.order, flyweight.owner]).toEqual(['carol', 5n, ID_UUID])
    wrap(FIRST, 256)
    expect(flyweight.from).toBe('alice')
  })

  it('$ordinalOf tells which reference holds an id that was read', () => {
    const { flyweight, wrap } = ledger()
    wrap(FIRST, 0)
    const [byText, byU32, byU64, byUuid] = [0, 1, 2, 3] as const
    expect(flyweight.$ordinalOf(byText, 'bob')).toBe(-1)
    expect(flyweight.$ordinalOf(byText, flyweight.to)).toBe(1)
    expect(flyweight.$ordinalOf(byText, flyweight.from)).toBe(0)
    expect(flyweight.$ordinalOf(byText, 'mallory')).toBe(-1)
    expect(flyweight.$ordinalOf(byU32, 'bob')).toBe(-1)
    expect(flyweight.$ordinalOf(byU32, 3)).toBe(2)
    expect(flyweight.$ordinalOf(byU32, 4)).toBe(-1)
    expect(flyweight.$ordinalOf(byU64, flyweight.order)).toBe(3)
    expect(flyweight.$ordinalOf(byUuid, flyweight.owner)).toBe(4)
    wrap(SECOND, 256)
    expect(flyweight.$ordinalOf(byText, 'alice')).toBe(-1)
  })

  it.each(['$poison', '$offset'] as const)('poisoned by %s: every getter throws', (way) => {
    const { flyweight, wrap } = ledger()
    wrap(FIRST, 0)
    read(flyweight, Object.keys(LEDGER))
    if (way === '$poison') flyweight.$poison()
    else flyweight.$offset = POISON
    for (const name of Object.keys(LEDGER)) {
      expect(() => read(flyweight, [name]), name).toThrow(RangeError)
    }
  })

  it('fresh: reads nothing before it is wrapped', () => {
    const flyweight = createFlyweight(layOut('Fresh', { a: int, b: text }, 'command'))
    expect(() => read(flyweight, ['a'])).toThrow(RangeError)
    expect(() => read(flyweight, ['b'])).toThrow(RangeError)
  })

  it('what it hands out stays as it is when the memory is written over', () => {
    const layout = layOut('Blob', { a: bytes, b: any, c: text }, 'event')
    const codec = compileCodec(layout)
    const view = new DataView(new ArrayBuffer(256))
    const value = { a: Uint8Array.of(1, 2), b: { c: Uint8Array.of(3) }, c: 'x'.repeat(50) }
    const flyweight = createFlyweight(layout)
    flyweight.$attach(view)
    codec.encode(value, new FixedSink(view).at(0, 256))
    flyweight.$wrap(0)
    const taken = read(flyweight, ['a', 'b', 'c'])
    new Uint8Array(view.buffer).fill(0xff)
    expect(taken).toEqual(value)
  })

  it('fields are read-only', () => {
    const { flyweight, wrap } = ledger()
    wrap(FIRST, 0)
    expect(() => {
      ;(flyweight as { amount: number }).amount = 5
    }).toThrow(TypeError)
  })
})
