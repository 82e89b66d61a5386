/** Views of record state against plain objects. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TidewheelError } from '../../journal/errors.js'
import { CHUNK_SLOTS, ChunkedColumn } from '../../journal/schema/chunked-column.js'
import {
  any,
  bool,
  bytes,
  type Fields,
  f64,
  i32,
  int,
  oneOf,
  text,
  u32,
  u64,
  uuid,
} from '../../journal/schema/field-types.js'
import { layOut, stateBytes } from '../../journal/schema/payload-layout.js'
import {
  createColumns,
  createStateViews,
  type StateIds,
  StateRangeError,
  type StateView,
} from '../../journal/schema/state-view.js'
import { FakeStreams, referenceTo, sample } from './arbitrary-fields.js'

const SLOTS = 8

type AnyState = StateView & { [name: string]: unknown; i?: unknown; j?: unknown; l?: unknown }

interface Slab {
  readonly writable: AnyState
  readonly readOnly: AnyState
  readonly at: (slot: number) => void
  readonly bytes: Uint8Array
}

function slabOf(fields: Fields, ids: StateIds = new FakeStreams()): Slab {
  const layout = layOut('Account', fields, 'state')
  const stride = stateBytes(layout)
  const bytes = new Uint8Array(stride * SLOTS)
  const columns = createColumns(layout)
  const { Writable, ReadOnly } = createStateViews(layout)
  const writable = new Writable()
  const readOnly = new ReadOnly()
  for (const view of [writable, readOnly]) {
    view.$attach(new DataView(bytes.buffer), columns, ids)
  }
  const at = (slot: number): void => {
    writable.$wrap(slot * stride, slot)
    readOnly.$wrap(slot * stride, slot)
  }
  return {
    writable: writable as AnyState,
    readOnly: readOnly as AnyState,
    at,
    bytes,
  }
}

const EVERY_TYPE = {
  a: bool,
  b: i32,
  c: u32,
  d: int,
  e: u64,
  f: f64,
  g: uuid,
  h: text,
  i: bytes,
  j: any,
  k: oneOf('new', 'open'),
  l: referenceTo('text'),
}

describe('state views', () => {
  it('initial: zero bytes and empty columns have a meaning', () => {
    const { readOnly, at } = slabOf(EVERY_TYPE)
    at(3)
    expect(readOnly.$copy()).toStrictEqual({
      a: false,
      b: 0,
      c: 0,
      d: 0,
      e: 0n,
      f: 0,
      g: '00000000-0000-0000-0000-000000000000',
      h: '',
      i: new Uint8Array(0),
      j: undefined,
      k: 'new',
      l: undefined,
    })
  })

  it('what is written is read, in its own slot only (random schemas)', () => {
    fc.assert(
      fc.property(sample, fc.array(fc.nat(SLOTS - 1), { maxLength: 6 }), (given, slots) => {
        const { writable, readOnly, at } = slabOf(given.fields)
        at(0)
        const initial = readOnly.$copy()
        const written = new Set(slots)
        let expected: Record<string, unknown> = {}
        for (const slot of written) {
          at(slot)
          Object.assign(writable, given.value)
          const copy = writable.$copy()
          if (Object.keys(expected).length > 0) expect(copy).toStrictEqual(expected)
          expected = copy
        }
        for (let slot = 0; slot < SLOTS; slot++) {
          at(slot)
          expect(readOnly.$copy()).toStrictEqual(written.has(slot) ? expected : initial)
        }
        for (const [name, value] of Object.entries(given.value)) {
          if (written.size === 0) break
          if (typeof value === 'number' && typeof expected[name] === 'number') {
            expect(expected[name] + 0).toBe(value + 0)
          } else if (typeof value !== 'number') expect(expected[name]).toStrictEqual(value)
        }
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['a', 1, 'true or false'],
    ['b', 2 ** 31, 'an integer from -2147483648'],
    ['c', -1, 'an integer from 0'],
    ['d', 2 ** 53, 'a safe integer'],
    ['d', 0.5, 'a safe integer'],
    ['e', -1n, 'an integer from 0'],
    ['f', Number.NaN, 'not NaN'],
    ['g', 'x', 'a UUID'],
    ['h', '\ud800', 'well-formed'],
    ['i', [1], 'a Uint8Array'],
    ['j', new Date(0), 'class instances'],
    ['k', 'closed', 'one of "new", "open"'],
    ['l', '', 'an id'],
  ])('range: %s = %s is refused and nothing changes', (name, value, expectation) => {
    const { writable, at, bytes } = slabOf(EVERY_TYPE)
    at(1)
    const before = writable.$copy()
    let refusal: unknown
    try {
      writable[name] = value
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(StateRangeError)
    expect(refusal).toBeInstanceOf(RangeError)
    const { field, message } = refusal as StateRangeError
    expect(field).toBe(name)
    expect(message).toContain(`Account: field '${name}' must be`)
    expect(message).toContain(expectation)
    expect(writable.$copy()).toStrictEqual(before)
    expect(bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('reference: set, cleared with undefined, and refused without a stream', () => {
    const known: StateIds = {
      slotOf: (_, id) => (id === 'alice' ? 7 : 0),
      idOf: (_, slot) => (slot === 7 ? 'alice' : undefined),
    }
    const { writable, at } = slabOf(EVERY_TYPE, known)
    at(0)
    writable.l = 'alice'
    expect(writable.l).toBe('alice')
    expect(() => {
      writable.l = 'nobody'
    }).toThrow(/StateRangeError|an id of ByText that has events, got "nobody"/)
    expect(writable.l).toBe('alice')
    writable.l = undefined
    expect(writable.l).toBeUndefined()
  })

  it('reference: a refusing resolver is a range error, a broken one goes up', () => {
    const failing = (error: Error): StateIds => ({
      idOf: () => undefined,
      slotOf: () => {
        throw error
      },
    })
    const write = (error: Error): void => {
      const { writable, at } = slabOf(EVERY_TYPE, failing(error))
      at(0)
      writable.l = 'x'
    }
    expect(() => write(new TidewheelError('INVALID_ID', 'no'))).toThrow(StateRangeError)
    expect(() => write(new TypeError('a bug'))).toThrow(TypeError)
  })

  it('columns: what is stored and what is read are copies, and plain data is frozen', () => {
    const { writable, readOnly, at } = slabOf(EVERY_TYPE)
    at(2)
    const blob = Uint8Array.of(1, 2)
    const data = { list: [1] }
    writable.i = blob
    writable.j = data
    blob[0] = 9
    data.list.push(2)
    expect(readOnly.i).toEqual(Uint8Array.of(1, 2))
    expect(readOnly.j).toEqual({ list: [1] })
    ;(readOnly.i as Uint8Array)[0] = 9
    expect(readOnly.i).toEqual(Uint8Array.of(1, 2))
    expect(() => (readOnly.j as typeof data).list.push(2)).toThrow(TypeError)
    writable.j = undefined
    expect(readOnly.j).toBeUndefined()
  })

  it('read-only: no field can be set', () => {
    const { readOnly, at } = slabOf(EVERY_TYPE)
    at(0)
    for (const name of Object.keys(EVERY_TYPE)) {
      expect(() => {
        readOnly[name] = 1
      }).toThrow(TypeError)
    }
  })

  it('poisoned: every getter and setter throws', () => {
    const { writable, readOnly, at } = slabOf(EVERY_TYPE)
    at(1)
    const values = writable.$copy()
    writable.$poison()
    readOnly.$poison()
    for (const name of Object.keys(EVERY_TYPE)) {
      expect(() => writable[name], name).toThrow(RangeError)
      expect(() => readOnly[name], name).toThrow(RangeError)
      expect(() => {
        writable[name] = values[name]
      }, name).toThrow(RangeError)
    }
  })
})

describe('chunked column', () => {
  it('get of a slot never set gives the initial value (around chunk boundaries)', () => {
    const column = new ChunkedColumn('')
    const slots = [0, 1, CHUNK_SLOTS - 1, CHUNK_SLOTS, 5 * CHUNK_SLOTS + 3, 16_777_215]
    for (const slot of slots) expect(column.get(slot)).toBe('')
    for (const slot of slots.toReversed()) column.set(slot, `value ${slot}`)
    for (const slot of slots) {
      expect(column.get(slot)).toBe(`value ${slot}`)
      if (!slots.includes(slot + 1)) expect(column.get(slot + 1)).toBe('')
    }
  })
})
