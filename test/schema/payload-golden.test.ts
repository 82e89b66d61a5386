/** The bytes of every field type in every flavour, written down: they lie in journals for ever. */
import { Buffer } from 'node:buffer'
import { describe, expect, it } from 'vitest'
import { type Codec, FixedSink } from '../../journal/schema/codec.js'
import { compileCodec } from '../../journal/schema/compiled-codec.js'
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
import { NaiveCodec } from '../../journal/schema/naive-codec.js'
import { layOut, stateBytes } from '../../journal/schema/payload-layout.js'
import { createStateViews } from '../../journal/schema/state-view.js'
import { FakeStreams, referenceTo } from './arbitrary-fields.js'

const SOME_UUID = '01234567-89ab-cdef-0123-456789abcdef'

/** Bytes as hexadecimal, a space every 8; dirty memory before and behind must stay as it is. */
function encoded(codec: Codec, value: unknown): string {
  const memory = new Uint8Array(512).fill(0xee)
  const view = new DataView(memory.buffer, 8)
  const length = codec.encode(value, new FixedSink(view, new FakeStreams()).at(16, view.byteLength))
  const end = 24 + Math.ceil(length / 8) * 8
  expect(memory.subarray(0, 24).every((byte) => byte === 0xee)).toBe(true)
  expect(memory.subarray(24 + length, end).every((byte) => byte === 0)).toBe(true)
  expect(memory.subarray(end).every((byte) => byte === 0xee)).toBe(true)
  expect(codec.check(view, 16, length)).toBeUndefined()
  const hex = Buffer.from(memory.subarray(24, 24 + length)).toString('hex')
  return hex.replace(/(.{16})(?=.)/g, '$1 ')
}

type Golden = readonly [what: string, fields: Fields, value: unknown, hex: string]

const SHARED: readonly Golden[] = [
  ['no fields', {}, {}, ''],
  ['bool', { a: bool, b: bool }, { a: true, b: false }, '0100000000000000'],
  ['i32', { a: i32 }, { a: -2 }, 'feffffff00000000'],
  ['u32', { a: u32 }, { a: 0xfffefdfc }, 'fcfdfeff00000000'],
  ['int', { a: int }, { a: -3 }, '00000000000008c0'],
  ['int, -0', { a: int }, { a: -0 }, '0000000000000000'],
  ['int, 2⁵³ - 1', { a: int }, { a: 2 ** 53 - 1 }, 'ffffffffffff3f43'],
  ['u64, a number', { a: u64 }, { a: 2 ** 53 - 1 }, 'ffffffffffff1f00'],
  ['u64, a bigint', { a: u64 }, { a: 0xfedcba9876543210n }, '1032547698badcfe'],
  ['f64', { a: f64 }, { a: 0.5 }, '000000000000e03f'],
  ['f64, -0', { a: f64 }, { a: -0 }, '0000000000000000'],
  ['uuid', { a: uuid }, { a: SOME_UUID }, '0123456789abcdef 0123456789abcdef'],
  ['oneOf', { a: oneOf('buy', 'sell') }, { a: 'sell' }, '0100000000000000'],
  ['text', { a: text }, { a: 'é😀' }, '0e00000000000000 c3a9f09f9880'],
  ['text, empty', { a: text }, { a: '' }, '0800000000000000'],
  ['bytes', { a: bytes }, { a: Uint8Array.of(1, 2, 3) }, '0b00000000000000 010203'],
  ['any', { a: any }, { a: { b: [1, null] } }, '0e00000000000000 81a1629201c0'],
  [
    'all sizes, larger first',
    { a: bool, b: text, c: i32, d: int, e: uuid, f: bytes, g: oneOf('x', 'y') },
    { a: true, b: 'hi', c: 7, d: 1, e: SOME_UUID, f: Uint8Array.of(255), g: 'y' },
    '000000000000f03f 0123456789abcdef 0123456789abcdef 2a00000007000000 2b00000001010000 6869ff',
  ],
]

const COMMANDS: readonly Golden[] = [
  ...SHARED,
  ['reference by text', { a: referenceTo('text') }, { a: 'bob' }, '0b00000000000000 626f62'],
  ['reference by u32', { a: referenceTo('u32') }, { a: 258 }, '0201000000000000'],
  ['reference by u64', { a: referenceTo('u64') }, { a: 258n }, '0201000000000000'],
  [
    'reference by uuid',
    { a: referenceTo('uuid') },
    { a: SOME_UUID },
    '0123456789abcdef 0123456789abcdef',
  ],
]

const EVENTS: readonly Golden[] = [
  ...SHARED,
  [
    'references',
    { a: bool, b: referenceTo('text'), c: referenceTo('uuid'), d: referenceTo('u64') },
    { a: true, b: 'bob', c: SOME_UUID, d: 5n },
    '0100000002000000 0300000001000000',
  ],
]

describe.each([
  ['command', COMMANDS],
  ['event', EVENTS],
] as const)('payload of a %s', (flavour, goldens) => {
  it.each(goldens)('golden bytes: %s', (what, fields, value, hex) => {
    const layout = layOut(what, fields, flavour)
    expect(encoded(new NaiveCodec(layout), value)).toBe(hex)
    expect(encoded(compileCodec(layout), value)).toBe(hex)
  })
})

describe('payload of state', () => {
  it('golden bytes: a slot holds fixed fields and slots, no variable-length ones', () => {
    const layout = layOut(
      'state',
      {
        a: bool,
        b: text,
        c: i32,
        d: int,
        e: referenceTo('text'),
        f: u64,
        g: oneOf('x', 'y'),
        h: u32,
        i: f64,
        j: uuid,
        k: any,
        l: bytes,
      },
      'state',
    )
    expect(stateBytes(layout)).toBe(56)
    const slab = new DataView(new ArrayBuffer(64))
    const { Writable } = createStateViews(layout)
    const state = new Writable()
    state.$attach(slab, [], new FakeStreams())
    state.$wrap(8, 1)
    const values = { a: true, c: -1, d: 1, e: 'x', f: 2, g: 'y', h: 3, i: 0.5, j: SOME_UUID }
    Object.assign(state, values)
    expect(
      Buffer.from(slab.buffer)
        .toString('hex')
        .replace(/(.{16})(?=.)/g, '$1 '),
    ).toBe(
      '0000000000000000 000000000000f03f 0200000000000000 000000000000e03f 0123456789abcdef ' +
        '0123456789abcdef ffffffff01000000 0300000001010000',
    )
  })
})
