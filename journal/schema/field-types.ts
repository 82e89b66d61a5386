/**
 * The types that a field can have, as values: `{ owner: text, balance: int }` declares two fields.
 * Each is a small frozen object; what TypeScript infers from it is carried by two phantom members
 * that do not exist at run time: the type that is read, and the wider one that is accepted.
 *
 *   type                read as            bytes (payload-layout.ts)
 *   bool                boolean            1, 0 or 1
 *   oneOf('a', 'b')     'a' | 'b'          1, the index of the value
 *   i32, u32            number             4
 *   int                 number             8, a safe integer as an IEEE double: one instruction,
 *                                          exact to 2⁵³; -0 is stored as 0
 *   u64                 bigint             8; safe numbers are accepted
 *   f64                 number             8; NaN is refused, -0 is stored as 0
 *   uuid                string             16, canonical lower-case form
 *   text                string             UTF-8, well-formed
 *   bytes               Uint8Array         as they are; reads are copies
 *   any, any.of<T>()    unknown, T         plain data as MessagePack
 *   reference(…)        the id             the id in commands, a slot in events and state
 */
import { TidewheelError } from '../errors.js'
import { type AggregateLike, type IdValue, isIdType } from './id-type.js'
import { FIELDS_MAX, fieldNameProblem } from './names.js'
import { textBytes } from './text-bytes.js'

export { assertTypeName } from './names.js'

export type FieldKind =
  | 'bool'
  | 'i32'
  | 'u32'
  | 'int'
  | 'u64'
  | 'f64'
  | 'uuid'
  | 'text'
  | 'bytes'
  | 'any'
  | 'oneOf'
  | 'reference'

declare const READ: unique symbol
declare const ACCEPTED: unique symbol

/** A field that reads as `T` and accepts `I`. */
export interface FieldType<T = unknown, I = T> {
  readonly kind: FieldKind
  readonly [READ]?: T
  readonly [ACCEPTED]?: I
}

export interface OneOfField<V extends string = string> extends FieldType<V> {
  readonly kind: 'oneOf'
  readonly values: readonly V[]
}

/** Names a stream; `Id` is what its ids read as. A u64 id may be given as a safe number. */
export interface ReferenceField<Id extends IdValue = IdValue>
  extends FieldType<Id, Id extends bigint ? bigint | number : Id> {
  readonly kind: 'reference'
  /** Called when layouts are made: by then every aggregate is declared. */
  readonly aggregate: () => AggregateLike
}

export interface AnyField extends FieldType<unknown> {
  readonly kind: 'any'
  /** The same field, read as `T`. Nothing checks that what was stored is a `T`. */
  of<T>(): FieldType<T>
}

/** Field names and their types, in the order of declaration. */
export type Fields = Readonly<Record<string, FieldType>>

export type ValueOf<F> = F extends { readonly [READ]?: infer T } ? Exclude<T, never> : never
export type AcceptedOf<F> = F extends { readonly [ACCEPTED]?: infer I } ? Exclude<I, never> : never

/** What is read: command and event data. */
export type DataOf<S extends Fields> = { readonly [K in keyof S]: ValueOf<S[K]> }
/** What is accepted: values of commands and events to be encoded. */
export type InputOf<S extends Fields> = { readonly [K in keyof S]: AcceptedOf<S[K]> }
/** What `evolve` writes to: a reference is undefined until it is set. */
export type StateOf<S extends Fields> = { -readonly [K in keyof S]: StateValueOf<S[K]> }
type StateValueOf<F> = F extends { readonly kind: 'reference' }
  ? ValueOf<F> | undefined
  : ValueOf<F>

/** `true` or `false`. Starts as `false`. */
export const bool: FieldType<boolean> = Object.freeze({ kind: 'bool' })
/** An integer from −2³¹ to 2³¹ − 1, in 4 bytes. Starts as 0. */
export const i32: FieldType<number> = Object.freeze({ kind: 'i32' })
/** An integer from 0 to 2³² − 1, in 4 bytes. Starts as 0. */
export const u32: FieldType<number> = Object.freeze({ kind: 'u32' })
/** A safe integer, ±(2⁵³ − 1), in 8 bytes; −0 reads as 0. Starts as 0. For money and times. */
export const int: FieldType<number> = Object.freeze({ kind: 'int' })
/** An integer from 0 to 2⁶⁴ − 1: takes a bigint or a safe number, reads as a bigint. Starts as 0n. */
export const u64: FieldType<bigint, number | bigint> = Object.freeze({ kind: 'u64' })
/** A number, also infinite, not NaN; −0 reads as 0. Starts as 0. */
export const f64: FieldType<number> = Object.freeze({ kind: 'f64' })
/** A UUID as text in lower case, in 16 bytes. Starts as all zeros. */
export const uuid: FieldType<string> = Object.freeze({ kind: 'uuid' })
/** Well-formed text of up to 256 KiB in UTF-8; as an id, 1 to 1,024 bytes. Starts as ''. */
export const text: FieldType<string> = Object.freeze({ kind: 'text' })
/** A Uint8Array of up to 256 KiB; copied in, and reads as a copy. Starts empty. */
export const bytes: FieldType<Uint8Array> = Object.freeze({ kind: 'bytes' })
/**
 * Plain data of up to 256 KiB as MessagePack: null, booleans, numbers except NaN, bigints of 64
 * bits, text, Uint8Array, arrays and plain objects, at most 64 deep. Refuses `undefined`, functions,
 * Date, Map, Set, classes. Reads as `unknown`; in state frozen, and `undefined` until it is set.
 * Members of objects keep their order, which is content: with the same idempotency key, a command
 * whose members come in another order is answered with KEY_REUSED.
 */
export const any: AnyField = Object.freeze({
  kind: 'any',
  of<T>(): FieldType<T> {
    return any as FieldType<T>
  },
})

/** The types without parameters, by the name that describes them. */
export const SIMPLE_TYPES: ReadonlyMap<string, FieldType> = new Map(
  [bool, i32, u32, int, u64, f64, uuid, text, bytes, any].map((type) => [type.kind, type]),
)

export const ONE_OF_VALUES_MAX = 255
const ONE_OF_VALUE_BYTES_MAX = 100

/**
 * One of these 1 to 255 texts, each of 1 to 100 bytes. Starts as the first. The values of an
 * event's field belong to its schema: a journal that holds the event refuses other ones, also
 * appended ones, as SCHEMA_CHANGED.
 * @throws TidewheelError INVALID_DOMAIN
 */
export function oneOf<const V extends readonly [string, ...string[]]>(
  ...values: V
): OneOfField<V[number]> {
  const problem = oneOfProblem(values)
  if (problem !== undefined) throw new TidewheelError('INVALID_DOMAIN', `oneOf(…): ${problem}`)
  return Object.freeze({ kind: 'oneOf', values: Object.freeze([...values]) })
}

/** Names a stream of the aggregate that the function returns when layouts are made. */
export function reference<Id extends IdValue>(aggregate: () => AggregateLike): ReferenceField<Id> {
  return Object.freeze({ kind: 'reference', aggregate })
}

export function isOneOf(type: FieldType): type is OneOfField {
  return type.kind === 'oneOf'
}

export function isReference(type: FieldType): type is ReferenceField {
  return type.kind === 'reference'
}

export function oneOfProblem(values: unknown): string | undefined {
  if (!Array.isArray(values) || values.length === 0 || values.length > ONE_OF_VALUES_MAX) {
    return `takes 1 to ${ONE_OF_VALUES_MAX} values`
  }
  for (const value of values) {
    const lengthBytes = textBytes(value)
    if (lengthBytes < 1 || lengthBytes > ONE_OF_VALUE_BYTES_MAX) {
      return `each value is text of 1 to ${ONE_OF_VALUE_BYTES_MAX} bytes`
    }
  }
  return new Set(values).size === values.length ? undefined : 'the values must differ'
}

/**
 * Checks a declaration. `owner` names it in the error: 'event MoneyDeposited'.
 * @throws TidewheelError INVALID_DOMAIN
 */
export function assertFields(owner: string, fields: unknown): asserts fields is Fields {
  const problem = fieldsProblem(fields)
  if (problem !== undefined) throw new TidewheelError('INVALID_DOMAIN', `${owner}: ${problem}`)
}

function fieldsProblem(fields: unknown): string | undefined {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return 'fields are an object of names and types, such as { owner: text, balance: int }'
  }
  const entries = Object.entries(fields)
  if (entries.length > FIELDS_MAX) {
    return `has ${entries.length} fields; at most ${FIELDS_MAX} are possible: use a field of type any`
  }
  for (const [name, type] of entries) {
    const problem = fieldNameProblem(name)
    const shown = JSON.stringify(name.slice(0, 40))
    if (problem !== undefined) return `the field name ${shown} ${problem}: choose another`
    if (!isFieldType(type)) {
      return `field ${shown} has no field type: use text, int, bool, u32, i32, u64, f64, uuid, bytes, any, oneOf(…) or the id of an aggregate`
    }
  }
  return undefined
}

function isFieldType(type: unknown): type is FieldType {
  if (typeof type !== 'object' || type === null) return false
  const { kind, values, aggregate } = type as Record<string, unknown>
  if (kind === 'oneOf') return oneOfProblem(values) === undefined
  if (kind === 'reference') return typeof aggregate === 'function'
  return typeof kind === 'string' && SIMPLE_TYPES.has(kind)
}

/** The aggregate that a reference names. @throws TidewheelError INVALID_DOMAIN */
export function aggregateOf(owner: string, name: string, type: ReferenceField): AggregateLike {
  const aggregate: unknown = type.aggregate()
  if (typeof aggregate === 'object' && aggregate !== null) {
    const { name: aggregateName, idType } = aggregate as Record<string, unknown>
    if (typeof aggregateName === 'string' && isIdType(idType)) return aggregate as AggregateLike
  }
  throw new TidewheelError(
    'INVALID_DOMAIN',
    `${owner}: field '${name}' refers to an aggregate that is not declared: declare it in the same domain`,
  )
}
