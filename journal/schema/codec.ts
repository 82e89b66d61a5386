/**
 * Turns values into payload bytes and back, by a layout. Two implementations behave alike to the
 * byte and to the word of an error: `NaiveCodec` interprets the layout, is the oracle of the other,
 * and is what tools use for journals of strangers; `compileCodec` generates straight-line code.
 *
 * An event is encoded in two steps, because resolving a reference to a stream that is not open yet
 * writes a record before this one, which moves the place of this one:
 *
 *   codec.resolve(value, references)            all checks; then slots of references
 *   codec.write(value, view, offset, limit)     the same value; nothing in between
 */
import { type ErrorCode, TidewheelError } from '../errors.js'
import type { IdValue } from './id-type.js'
import type { PayloadLayout, PlacedField } from './payload-layout.js'
import { describeValue, expectationOf } from './value-check.js'

export interface ReferenceResolver {
  /**
   * The slot of a stream, more than 0; 0 when there is none and none can be opened. The id is what
   * was given, checked: a u64 may be a number or a bigint, a 0 may be -0.
   */
  slotOf(aggregateIndex: number, id: IdValue): number
}

export interface IdReader {
  /** The id of a stream by its slot; undefined when the slot is not in use. */
  idOf(aggregateIndex: number, slot: number): IdValue | undefined
}

/** For layouts without slots: commands, and events without references. */
export const NO_REFERENCES: ReferenceResolver & IdReader = {
  slotOf: () => 0,
  idOf: () => undefined,
}

/** `write` and `encode` return this when the bytes would pass the limit: nothing was written. */
export const PAST_LIMIT = -1

export interface Codec {
  readonly layout: PayloadLayout

  /**
   * Checks all of `value`, then resolves references (events only). The value is plain: it reads the
   * same each time.
   * @throws TidewheelError INVALID_COMMAND or INVALID_EVENT, before any effect
   */
  resolve(value: unknown, references: ReferenceResolver): void

  /**
   * Writes the value that was resolved last, with zeros up to the next multiple of 8.
   * @returns the payload's exact length, or PAST_LIMIT when it would reach beyond `limit`, an
   *   offset in `view`
   */
  write(value: unknown, view: DataView, offset: number, limit: number): number

  /** `resolve`, then `write`. Commands, which hold ids, need no `references`. */
  encode(
    value: unknown,
    view: DataView,
    offset: number,
    limit: number,
    references?: ReferenceResolver,
  ): number

  /** Says what is wrong with these bytes, which may be hostile, or undefined. Never throws. */
  check(view: DataView, offset: number, lengthBytes: number): string | undefined

  /** The value in bytes that `check` has passed, as a plain object in order of declaration. */
  decode(
    view: DataView,
    offset: number,
    lengthBytes: number,
    ids: IdReader,
  ): Record<string, unknown>
}

function codeOf(layout: PayloadLayout): ErrorCode {
  return layout.flavour === 'command' ? 'INVALID_COMMAND' : 'INVALID_EVENT'
}

/** @throws TidewheelError always: `value` is not an object. */
export function refuseValue(layout: PayloadLayout, value: unknown): never {
  const names = layout.fields.map((field) => field.name).join(', ')
  throw new TidewheelError(
    codeOf(layout),
    `${layout.name} must be an object with the fields { ${names} }, got ${describeValue(value)}`,
  )
}

/** @throws TidewheelError always: `given`, the value of this field in `value`, is refused. */
export function refuseField(
  layout: PayloadLayout,
  field: PlacedField,
  given: unknown,
  value: object,
): never {
  const expectation = expectationOf(field, given)
  if (given === undefined) {
    const known = new Set(layout.fields.map((other) => other.name))
    const unknown = Object.keys(value).find((name) => !known.has(name))
    const hint =
      unknown === undefined ? '' : `; ${JSON.stringify(unknown.slice(0, 40))} is not a field of it`
    throw new TidewheelError(
      codeOf(layout),
      `${layout.name}: field '${field.name}' is missing: it must be ${expectation}${hint}`,
    )
  }
  throw new TidewheelError(
    codeOf(layout),
    `${layout.name}: field '${field.name}' must be ${expectation}, got ${describeValue(given)}`,
  )
}

/** @throws TidewheelError always: the resolver knows no stream for this id. */
export function refuseReference(layout: PayloadLayout, field: PlacedField, id: unknown): never {
  const aggregate = field.reference?.aggregate.name ?? 'stream'
  throw new TidewheelError(
    codeOf(layout),
    `${layout.name}: field '${field.name}' names ${aggregate} ${describeValue(id)}, which has no slot`,
  )
}
