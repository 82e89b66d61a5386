/** Random lists of fields with values that they take, for the tests that compare implementations. */
import fc from 'fast-check'
import {
  any,
  bool,
  bytes,
  type Fields,
  type FieldType,
  f64,
  i32,
  int,
  oneOf,
  reference,
  text,
  u32,
  u64,
  uuid,
} from '../../journal/schema/field-types.js'
import type { AggregateLike, IdType, IdValue } from '../../journal/schema/id-type.js'

export interface TypedValue {
  readonly type: FieldType
  readonly value: unknown
}

const fullText = fc.string({ unit: 'binary', maxLength: 60 })
/** As a string and as plain text, short and long, so that each way to encode text is met. */
const anyText = fc.oneof(fullText, fc.string({ maxLength: 60 }), fc.constant('\ufeffmarked'))
const anyU32 = fc.oneof(fc.nat(3), fc.integer({ min: 0, max: 0xffff_ffff }), fc.constant(-0))
const anyU64 = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.maxSafeNat())
const anyF64 = fc.double({ noNaN: true })
const anyUuid = fc.uuid().map((id) => id.toLowerCase())

export const plainData: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.maxSafeInteger(),
    anyF64.map((value) => (value === 0 ? 0 : value)),
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    anyText,
    fc.uint8Array({ maxLength: 40 }),
  ),
  node: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.array(tie('node'), { maxLength: 20 }),
    fc.dictionary(
      anyText.filter((key) => key !== '__proto__'),
      tie('node'),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).node

const AGGREGATES: Readonly<Record<IdType, AggregateLike>> = {
  text: { name: 'ByText', idType: 'text' },
  u32: { name: 'ByU32', idType: 'u32' },
  u64: { name: 'ByU64', idType: 'u64' },
  uuid: { name: 'ByUuid', idType: 'uuid' },
}

export function referenceTo(idType: IdType): FieldType {
  return reference<IdValue>(() => AGGREGATES[idType])
}

export const ids: Readonly<Record<IdType, fc.Arbitrary<IdValue>>> = {
  text: anyText.filter((id) => id.length > 0),
  u32: anyU32,
  u64: anyU64,
  uuid: anyUuid,
}

function typed(type: FieldType, values: fc.Arbitrary<unknown>): fc.Arbitrary<TypedValue> {
  return values.map((value) => ({ type, value }))
}

const manyValues = oneOf('first', ...Array.from({ length: 254 }, (_, i) => `value ${i}`))

export const typedValue: fc.Arbitrary<TypedValue> = fc.oneof(
  typed(bool, fc.boolean()),
  typed(i32, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
  typed(u32, anyU32),
  typed(int, fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-0, 2 ** 53 - 1, -(2 ** 53) + 1))),
  typed(u64, anyU64),
  typed(f64, anyF64),
  typed(uuid, anyUuid),
  typed(text, anyText),
  typed(bytes, fc.uint8Array({ maxLength: 40 })),
  typed(any, plainData),
  typed(oneOf('buy', 'sell "now"', '\u2028'), fc.constantFrom('buy', 'sell "now"', '\u2028')),
  typed(manyValues, fc.constantFrom(...manyValues.values)),
  ...(['text', 'u32', 'u64', 'uuid'] as const).map((idType) =>
    typed(referenceTo(idType), ids[idType]),
  ),
)

/** Names that look like trouble and are none. */
const ODD_NAMES = ['class', 'default', 'name', 'length', 'get', 'static', 'await', 'view', 'o']

export interface Sample {
  readonly fields: Fields
  readonly value: Readonly<Record<string, unknown>>
}

export const sample: fc.Arbitrary<Sample> = fc
  .array(typedValue, { maxLength: 14 })
  .map((entries) => {
    const named = entries.map((entry, i) => [ODD_NAMES[i] ?? `field_${i}`, entry] as const)
    return {
      fields: Object.fromEntries(named.map(([name, { type }]) => [name, type])),
      value: Object.fromEntries(named.map(([name, { value }]) => [name, value])),
    }
  })

/** Gives slots in the order in which ids are first seen, from 1, and remembers the calls. */
export class FakeStreams {
  readonly calls: string[] = []
  private readonly known: { aggregateIndex: number; id: IdValue }[] = []

  slotOf = (aggregateIndex: number, id: IdValue): number => {
    this.calls.push(`${aggregateIndex} ${typeof id} ${id}`)
    return this.known.push({ aggregateIndex, id })
  }

  idOf = (aggregateIndex: number, slot: number): IdValue | undefined => {
    const stream = this.known[slot - 1]
    return stream?.aggregateIndex === aggregateIndex ? stream.id : undefined
  }
}
