/** Both sides of every limit, and what users are told. Run against both codecs. */
import { describe, expect, it } from 'vitest'
import { ID_BYTES_MAX } from '../../journal/record-layout.js'
import { type Codec, FixedSink } from '../../journal/schema/codec.js'
import { compileCodec } from '../../journal/schema/compiled-codec.js'
import {
  any,
  bool,
  bytes,
  type FieldType,
  f64,
  i32,
  int,
  oneOf,
  text,
  u32,
  u64,
  uuid,
} from '../../journal/schema/field-types.js'
import { NaiveCodec } from '../../journal/schema/naive-codec.js'
import { layOut, type PayloadLayout } from '../../journal/schema/payload-layout.js'
import { FakeStreams, referenceTo } from './arbitrary-fields.js'

const KIB_256 = 256 * 1024
const ZERO_UUID = '00000000-0000-0000-0000-000000000000'

/** Nested arrays: depth 1 is []. */
function nested(depth: number): unknown {
  let value: unknown = []
  for (let i = 1; i < depth; i++) value = [value]
  return value
}

/** Shared references: 2⁴⁰ values in 41 arrays. */
function bomb(): unknown {
  let value: unknown = 1
  for (let i = 0; i < 40; i++) value = [value, value]
  return value
}

function cycle(): unknown {
  const value: unknown[] = []
  value.push(value)
  return value
}

const LIMITS: readonly (readonly [FieldType, accepted: unknown[], refused: unknown[]])[] = [
  [bool, [true, false], [0, 1, 'true', null, undefined, Object(true)]],
  [i32, [-(2 ** 31), 2 ** 31 - 1, -0], [-(2 ** 31) - 1, 2 ** 31, 0.5, Number.NaN, '1', 1n]],
  [u32, [0, 2 ** 32 - 1, -0], [-1, 2 ** 32, 0.5, Number.NaN, '1', 1n, [5]]],
  [
    int,
    [2 ** 53 - 1, -(2 ** 53) + 1, -0],
    [2 ** 53, -(2 ** 53), 0.1, Infinity, Number.NaN, '1', 1n],
  ],
  [u64, [0, -0, 2 ** 53 - 1, 0n, 2n ** 64n - 1n], [-1, -1n, 2n ** 64n, 2 ** 53, 0.5, '1']],
  [f64, [-0, Infinity, -Infinity, 5e-324], [Number.NaN, '1', 1n, null]],
  [
    uuid,
    [ZERO_UUID, 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
    [
      '',
      'é'.repeat(36),
      `${ZERO_UUID.slice(0, 35)}é`,
      '\u0130'.repeat(36),
      'FFFFFFFF-ffff-ffff-ffff-ffffffffffff',
      ZERO_UUID.replaceAll('-', '0'),
      `${ZERO_UUID}0`,
    ],
  ],
  [
    text,
    ['', '\0', '😀', '\ufeff', 'x'.repeat(KIB_256), 'é'.repeat(KIB_256 / 2), '\uffff'],
    [
      '\ud800',
      'a\udc00',
      `${'x'.repeat(100)}\ud83d`,
      'x'.repeat(KIB_256 + 1),
      'é'.repeat(KIB_256 / 2 + 1),
      5,
      Object('text'),
    ],
  ],
  [
    bytes,
    [new Uint8Array(0), new Uint8Array(KIB_256)],
    [new Uint8Array(KIB_256 + 1), [1, 2], 'abc', new Uint16Array(2), new ArrayBuffer(4)],
  ],
  [
    any,
    [
      null,
      '',
      nested(64),
      { toString: 1, constructor: null, toJSON: 2, hasOwnProperty: 3 },
      Object.create(null),
      new Uint8Array(KIB_256 - 5),
      2n ** 64n - 1n,
      -(2n ** 63n),
      Infinity,
    ],
    [
      undefined,
      { a: undefined },
      new Array(2),
      nested(65),
      cycle(),
      bomb(),
      new Uint8Array(KIB_256 - 4),
      new Array(KIB_256 + 1).fill(0),
      'x'.repeat(KIB_256),
      Number.NaN,
      2n ** 64n,
      -(2n ** 63n) - 1n,
      '\udfff',
      { '\ud800': 1 },
      JSON.parse('{"a":{"__proto__":{"polluted":1}}}'),
      new Date(0),
      new Map(),
      new Set(),
      /x/,
      new (class Money {})(),
      new Float64Array(1),
      () => 1,
      Symbol('s'),
      { toJSON: () => 1 },
    ],
  ],
  [oneOf('buy', 'sell'), ['buy', 'sell'], ['', 'Buy', 'hold', 0, undefined, 'toString']],
  [
    referenceTo('text'),
    ['x', '__proto__', '../../x', 'x'.repeat(ID_BYTES_MAX)],
    ['', 'x'.repeat(ID_BYTES_MAX + 1), '\ud800', 5, null, undefined],
  ],
  [referenceTo('u32'), [0, 2 ** 32 - 1], [-1, 2 ** 32, '1', 0.5, null]],
  [referenceTo('u64'), [0, 0n, 2n ** 64n - 1n], [-1, 2n ** 64n, 2 ** 53, '1', null]],
  [referenceTo('uuid'), [ZERO_UUID], ['', 'x', 5, null, ZERO_UUID.toUpperCase().replace('0', 'A')]],
]

const CODECS: readonly (readonly [string, (layout: PayloadLayout) => Codec])[] = [
  ['naive codec', (layout) => new NaiveCodec(layout)],
  ['compiled codec', compileCodec],
]
const SCRATCH = new DataView(new ArrayBuffer(KIB_256 + 1024))

describe.each(CODECS)('%s', (_, codecOf) => {
  const encodeInto = (layout: PayloadLayout, value: unknown): number =>
    codecOf(layout).encode(
      value,
      new FixedSink(SCRATCH, new FakeStreams()).at(0, SCRATCH.byteLength),
    )

  it.each(['command', 'event'] as const)('limits: both sides of each (%s)', (flavour) => {
    for (const [type, accepted, refused] of LIMITS) {
      const layout = layOut('Sample', { amount: type }, flavour)
      for (const amount of accepted) {
        const length = encodeInto(layout, { amount })
        expect(codecOf(layout).check(SCRATCH, 0, length)).toBeUndefined()
      }
      for (const amount of refused) {
        expect(() => encodeInto(layout, { amount }), `${type.kind} ${typeof amount}`).toThrow(
          `INVALID_${flavour.toUpperCase()}: Sample: field 'amount' `,
        )
      }
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('refusal: says field, what was expected, and what came, shortened', () => {
    const layout = layOut(
      'Transfer',
      { amount: int, note: text, side: oneOf('buy', 'sell') },
      'command',
    )
    const good = { amount: 1, note: '', side: 'buy' }
    const refusal = (value: unknown): string => {
      try {
        return String(encodeInto(layout, value))
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(refusal({ ...good, amount: '12' })).toBe(
      `INVALID_COMMAND: Transfer: field 'amount' must be a safe integer, from -9007199254740991 to 9007199254740991, got "12"`,
    )
    expect(refusal({ ammount: 1, note: '', side: 'buy' })).toBe(
      `INVALID_COMMAND: Transfer: field 'amount' is missing: it must be a safe integer, from -9007199254740991 to 9007199254740991; "ammount" is not a field of it`,
    )
    expect(refusal({ ...good, side: 'hold' })).toContain(`must be one of "buy", "sell", got "hold"`)
    expect(refusal({ ...good, note: 'x'.repeat(300_000) })).toMatch(
      /x{40}"… \(300000 characters\)$/,
    )
    expect(refusal({ ...good, amount: { toString: () => assertNotCalled() } })).toContain(
      'an object',
    )
    for (const value of [undefined, null, 5, 'text', () => 1]) {
      expect(refusal(value)).toContain('must be an object with the fields { amount, note, side }')
    }
  })

  it('resolve: a stream without a slot is refused, after all checks and before any write', () => {
    const layout = layOut('Paid', { to: referenceTo('text'), amount: int }, 'event')
    const codec = codecOf(layout)
    const view = new DataView(new ArrayBuffer(64))
    const asked: unknown[] = []
    const none = { slotOf: (_: number, id: unknown) => asked.push(id) * 0 }
    const sink = new FixedSink(view, none).at(0, 64)
    expect(() => codec.encode({ to: 'bob', amount: 'x' }, sink)).toThrow("'amount'")
    expect(asked).toEqual([])
    expect(() => codec.encode({ to: 'bob', amount: 1 }, sink)).toThrow(
      `INVALID_EVENT: Paid: field 'to' names ByText "bob", which has no slot`,
    )
    expect(new Uint8Array(view.buffer).every((byte) => byte === 0)).toBe(true)
  })

  it('the place is looked at when references are resolved, which may move it', () => {
    const layout = layOut('Paid', { to: referenceTo('u32'), note: text, data: any }, 'event')
    const codec = codecOf(layout)
    const view = new DataView(new ArrayBuffer(64))
    const sink: FixedSink = new FixedSink(view, {
      slotOf: () => {
        sink.at(32, 64)
        return 77
      },
    })
    const length = codec.encode({ to: 9, note: 'hi', data: [1] }, sink.at(0, 64))
    const decoded = codec.decode(view, 32, length, { idOf: (index, slot) => index * 100 + slot })
    expect(decoded).toEqual({ to: 77, note: 'hi', data: [1] })
    expect(new Uint8Array(view.buffer, 0, 32).every((byte) => byte === 0)).toBe(true)
  })

  it('a getter that answers differently each time: what was checked is what is written', () => {
    const layout = layOut('Odd', { amount: int, note: text, blob: bytes }, 'event')
    const codec = codecOf(layout)
    const view = new DataView(new ArrayBuffer(256))
    const reads: string[] = []
    const answers = {
      amount: [1, Number.NaN, 2],
      note: ['a', 7, 'longer than it was'],
      blob: [Uint8Array.of(1), null, new Uint8Array(100)],
    }
    const value = {}
    for (const name of ['amount', 'note', 'blob'] as const) {
      Object.defineProperty(value, name, {
        get: () => {
          reads.push(name)
          return answers[name].shift()
        },
      })
    }
    const length = codec.encode(value, new FixedSink(view).at(0, 256))
    expect(reads).toEqual(['amount', 'note', 'blob'])
    expect(codec.check(view, 0, length)).toBeUndefined()
    const decoded = codec.decode(view, 0, length, { idOf: () => undefined })
    expect(decoded).toEqual({ amount: 1, note: 'a', blob: Uint8Array.of(1) })
  })
})

function assertNotCalled(): never {
  throw new Error('describing a value runs no code of it')
}
