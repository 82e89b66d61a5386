/**
 * Turns values into payload bytes and back, by a layout. Two implementations behave alike to the
 * byte and to the word of an error: `NaiveCodec` interprets the layout, is the oracle of the other,
 * and is what tools use for journals of strangers; `compileCodec` generates straight-line code.
 *
 * Encoding reads each field of a value once, so that what is checked is what is written, whatever
 * the value's getters say; then
 *
 *   all checks  ─▶  slots of references  ─▶  sink.payloadOffset  ─▶  bytes
 *
 * in this order, because resolving a reference to a stream that is not open yet writes a record
 * before this one, which moves the place of this one.
 */
import type { Buffer } from 'node:buffer'
import { type ErrorCode, TidewheelError } from '../errors.js'
import type { IdValue } from './id-type.js'
import type { PayloadLayout, PlacedField } from './payload-layout.js'
import { bytesOver } from './text-bytes.js'
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

/** Where a payload is to be written. */
export interface PayloadSink extends ReferenceResolver {
  readonly view: DataView
  /** The same memory. */
  readonly bytes: Buffer
  /** Offset in `view`; `slotOf` may move it. */
  readonly payloadOffset: number
  /** Offset in `view` that the payload, with the zeros behind it, may reach. */
  readonly payloadLimit: number
}

/** A sink that stays where it is. Commands hold ids, so theirs need no references. */
export class FixedSink implements PayloadSink {
  readonly view: DataView
  readonly bytes: Buffer
  payloadOffset = 0
  payloadLimit = 0
  private readonly references: ReferenceResolver

  constructor(view: DataView, references: ReferenceResolver = NO_REFERENCES) {
    this.view = view
    this.bytes = bytesOver(view)
    this.references = references
  }

  at(offset: number, limit: number): this {
    this.payloadOffset = offset
    this.payloadLimit = limit
    return this
  }

  slotOf(aggregateIndex: number, id: IdValue): number {
    return this.references.slotOf(aggregateIndex, id)
  }
}

/** `encode` returns this when the bytes would pass the limit: nothing was written. */
export const PAST_LIMIT = -1

export interface Codec {
  readonly layout: PayloadLayout

  /**
   * Checks all of `value`, resolves references (events only), and writes the payload, with zeros up
   * to the next multiple of 8.
   * @returns the payload's exact length, or PAST_LIMIT
   * @throws TidewheelError INVALID_COMMAND or INVALID_EVENT, before any effect
   */
  encode(value: unknown, sink: PayloadSink): number

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
