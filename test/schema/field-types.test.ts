/** Declarations: what TypeScript infers, and what is refused. */
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  type AcceptedOf,
  any,
  assertFields,
  type bool,
  type bytes,
  type DataOf,
  type FieldType,
  type f64,
  type InputOf,
  type i32,
  int,
  oneOf,
  type ReferenceField,
  reference,
  type StateOf,
  text,
  type u32,
  u64,
  type uuid,
  type ValueOf,
} from '../../journal/schema/field-types.js'
import { assertTypeName } from '../../journal/schema/names.js'
import { layOut } from '../../journal/schema/payload-layout.js'

const account = { name: 'Account', idType: 'u64' } as const
const accountId = reference<bigint>(() => account)

describe('inferred types', () => {
  it('each field type reads as and accepts its own', () => {
    expectTypeOf<ValueOf<typeof bool>>().toEqualTypeOf<boolean>()
    expectTypeOf<ValueOf<typeof i32>>().toEqualTypeOf<number>()
    expectTypeOf<ValueOf<typeof u32>>().toEqualTypeOf<number>()
    expectTypeOf<ValueOf<typeof int>>().toEqualTypeOf<number>()
    expectTypeOf<ValueOf<typeof u64>>().toEqualTypeOf<bigint>()
    expectTypeOf<AcceptedOf<typeof u64>>().toEqualTypeOf<number | bigint>()
    expectTypeOf<ValueOf<typeof f64>>().toEqualTypeOf<number>()
    expectTypeOf<ValueOf<typeof uuid>>().toEqualTypeOf<string>()
    expectTypeOf<ValueOf<typeof text>>().toEqualTypeOf<string>()
    expectTypeOf<ValueOf<typeof bytes>>().toEqualTypeOf<Uint8Array>()
    expectTypeOf<ValueOf<typeof any>>().toEqualTypeOf<unknown>()
    const tags = any.of<{ tags: string[] }>()
    expectTypeOf<ValueOf<typeof tags>>().toEqualTypeOf<{ tags: string[] }>()
    const side = oneOf('buy', 'sell')
    expectTypeOf<ValueOf<typeof side>>().toEqualTypeOf<'buy' | 'sell'>()
    expectTypeOf<AcceptedOf<typeof side>>().toEqualTypeOf<'buy' | 'sell'>()
    expectTypeOf<ValueOf<ReferenceField<string>>>().toEqualTypeOf<string>()
    expectTypeOf<AcceptedOf<typeof accountId>>().toEqualTypeOf<number | bigint>()
    expect(any.of()).toBe(any)
  })

  it('data, input and state of a list of fields', () => {
    const fields = { owner: text, total: u64, side: oneOf('buy', 'sell'), account: accountId }
    expectTypeOf<DataOf<typeof fields>>().toEqualTypeOf<{
      readonly owner: string
      readonly total: bigint
      readonly side: 'buy' | 'sell'
      readonly account: bigint
    }>()
    expectTypeOf<InputOf<typeof fields>>().toEqualTypeOf<{
      readonly owner: string
      readonly total: number | bigint
      readonly side: 'buy' | 'sell'
      readonly account: number | bigint
    }>()
    expectTypeOf<StateOf<typeof fields>>().toEqualTypeOf<{
      owner: string
      total: bigint
      side: 'buy' | 'sell'
      account: bigint | undefined
    }>()
    expectTypeOf<typeof int>().toExtend<FieldType>()
    expect(Object.isFrozen(fields.side) && Object.isFrozen(int)).toBe(true)
  })
})

describe('declarations', () => {
  it.each([
    'constructor',
    'prototype',
    '__proto__',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'toJSON',
    'then',
    '$offset',
    '_private',
    '1st',
    '',
    'a b',
    'naïve',
    '😀',
    'a-b',
    'x'.repeat(101),
  ])('field name %j is refused', (name) => {
    const fields = Object.fromEntries([[name, int]])
    expect(() => assertFields('event Paid', fields)).toThrow(
      /^INVALID_DOMAIN: event Paid: the field/,
    )
  })

  it.each(['a', 'Z', 'class', 'x'.repeat(100), 'a_1', 'length', 'name', 'default'])(
    'field name %j is fine',
    (name) => {
      expect(() => assertFields('event Paid', { [name]: int })).not.toThrow()
    },
  )

  it('field names with a __proto__ of their own do not slip through', () => {
    const fields: unknown = JSON.parse('{"__proto__":{"kind":"int"}}')
    expect(() => assertFields('event Paid', fields)).toThrow('"__proto__"')
  })

  it('200 fields are fine, 201 are refused', () => {
    const many = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, int]))
    expect(() => assertFields('event Paid', many(200))).not.toThrow()
    expect(() => assertFields('event Paid', many(201))).toThrow('at most 200')
  })

  it.each([undefined, null, 5, String, 'int', {}, { kind: 'date' }, { kind: 'oneOf', values: [] }])(
    'field type %s is refused',
    (type) => {
      expect(() => assertFields('event Paid', { at: type })).toThrow('has no field type')
    },
  )

  it.each([undefined, null, 5, [int]])('fields %s are refused', (fields) => {
    expect(() => assertFields('event Paid', fields)).toThrow('INVALID_DOMAIN: event Paid')
  })

  it('oneOf: 1 to 255 different texts', () => {
    const values = (count: number): [string, ...string[]] => [
      'first',
      ...Array.from({ length: count - 1 }, (_, i) => `v${i}`),
    ]
    expect(oneOf(...values(255)).values).toHaveLength(255)
    expect(() => oneOf(...values(256))).toThrow('INVALID_DOMAIN')
    expect(() => oneOf('a', 'a')).toThrow('must differ')
    expect(() => oneOf('')).toThrow('1 to 100 bytes')
    expect(() => oneOf('\ud800')).toThrow('1 to 100 bytes')
    expect(() => oneOf(...([] as unknown as [string]))).toThrow('1 to 255 values')
    expect(() => oneOf(5 as unknown as string)).toThrow('1 to 100 bytes')
  })

  it('a reference to what is no aggregate is refused when laid out', () => {
    const fields = { to: reference(() => undefined as never) }
    expect(() => layOut('Paid', fields, 'event')).toThrow(
      "INVALID_DOMAIN: Paid: field 'to' refers to an aggregate that is not declared",
    )
  })

  it('a reference is resolved when laid out, not when declared', () => {
    let late: typeof account | undefined
    const fields = { to: reference(() => late as typeof account) }
    late = account
    const layout = layOut('Paid', fields, 'command', ({ name }) => (name === 'Account' ? 42 : -1))
    expect(layout.references[0]?.reference).toEqual({
      aggregate: account,
      aggregateIndex: 42,
      ordinal: 0,
    })
  })

  it.each(['', '1a', 'a b', '../x', 'x'.repeat(101), 5, undefined])('type name %j', (name) => {
    expect(() => assertTypeName('event', name)).toThrow('INVALID_DOMAIN: the name of this event')
  })
})
