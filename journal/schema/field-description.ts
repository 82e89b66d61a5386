/**
 * Fields as JSON, as the journal's catalogue keeps them: enough to lay out and read payloads
 * without the application. Two lists of fields have the same payload bytes exactly when their
 * descriptions are equal. Payloads of a list can also be read by one that has appended values to a
 * oneOf, since a value is stored as its index; not the other way round.
 */
import { TidewheelError } from '../errors.js'
import {
  type Fields,
  type FieldType,
  isOneOf,
  isReference,
  oneOf,
  oneOfProblem,
  reference,
  SIMPLE_TYPES,
} from './field-types.js'
import type { AggregateLike } from './id-type.js'
import { FIELDS_MAX, fieldNameProblem } from './names.js'

export interface FieldDescription {
  readonly name: string
  /** 'int', 'text', … 'oneOf', 'reference'. */
  readonly type: string
  /** Of a oneOf. */
  readonly values?: readonly string[]
  /** Of a reference: name of the aggregate. */
  readonly aggregate?: string
}

/** In order of declaration. */
export function describeFields(fields: Fields): FieldDescription[] {
  return Object.entries(fields).map(([name, type]) => {
    if (isOneOf(type)) return { name, type: type.kind, values: [...type.values] }
    if (isReference(type)) return { name, type: type.kind, aggregate: type.aggregate().name }
    return { name, type: type.kind }
  })
}

/**
 * Fields from a description of unknown origin.
 * @throws TidewheelError JOURNAL_DAMAGED
 */
export function fieldsFromDescription(
  description: unknown,
  lookupAggregate: (name: string) => AggregateLike | undefined,
): Fields {
  if (!Array.isArray(description)) damaged('fields are not a list')
  if (description.length > FIELDS_MAX) damaged(`there are more than ${FIELDS_MAX} fields`)
  const fields: Record<string, FieldType> = {}
  for (const entry of description as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) damaged('a field is not an object')
    const { name, type, values, aggregate } = entry as Record<string, unknown>
    const problem = fieldNameProblem(name)
    if (problem !== undefined) damaged(`the name of a field ${problem}`)
    const fieldName = name as string
    if (Object.hasOwn(fields, fieldName)) damaged(`field '${fieldName}' occurs twice`)
    fields[fieldName] = typeFrom(fieldName, type, values, aggregate, lookupAggregate)
  }
  return fields
}

function typeFrom(
  name: string,
  type: unknown,
  values: unknown,
  aggregate: unknown,
  lookupAggregate: (name: string) => AggregateLike | undefined,
): FieldType {
  if (type === 'oneOf') {
    const problem = oneOfProblem(values)
    if (problem !== undefined) damaged(`field '${name}', a oneOf: ${problem}`)
    return oneOf(...(values as [string, ...string[]]))
  }
  if (type === 'reference') {
    const found = typeof aggregate === 'string' ? lookupAggregate(aggregate) : undefined
    if (found === undefined) damaged(`field '${name}' refers to an aggregate that is not described`)
    return reference(() => found)
  }
  const simple = typeof type === 'string' ? SIMPLE_TYPES.get(type) : undefined
  if (simple === undefined) {
    damaged(`field '${name}' has a type that this version of tidewheel does not know`)
  }
  return simple
}

function damaged(problem: string): never {
  throw new TidewheelError('JOURNAL_DAMAGED', `a description of fields is not valid: ${problem}`)
}

/**
 * What keeps payloads of `before` from being read by `after`, as a sentence part; undefined when
 * the two are equal, apart from values that were appended to a oneOf.
 */
export function fieldsDifference(
  before: readonly FieldDescription[],
  after: readonly FieldDescription[],
): string | undefined {
  const differences: string[] = []
  const beforeByName = new Map(before.map((field) => [field.name, field]))
  const afterNames = new Set(after.map((field) => field.name))
  for (const field of before) {
    if (!afterNames.has(field.name)) {
      differences.push(`field '${field.name}' (${typeText(field)}) was removed`)
    }
  }
  for (const field of after) {
    const known = beforeByName.get(field.name)
    if (known === undefined) {
      differences.push(`field '${field.name}' (${typeText(field)}) was added`)
    } else if (typeText(known) !== typeText(field) && !hasAppended(known, field)) {
      const isOneOf = known.values !== undefined && field.values !== undefined
      const rule = isOneOf ? ' (values may be appended, but not removed, renamed or moved)' : ''
      differences.push(
        `field '${field.name}' was ${typeText(known)} and is now ${typeText(field)}${rule}`,
      )
    }
  }
  if (differences.length > 0) return differences.join('; ')
  const moved = after.find((field, i) => field.name !== before[i]?.name)
  if (moved === undefined) return undefined
  const order = (fields: readonly FieldDescription[]): string =>
    fields.map((field) => field.name).join(', ')
  return `the fields were in the order ${order(before)} and are now in the order ${order(after)}`
}

/** Whether both are a oneOf, and the values before are the first ones after, in the same order. */
function hasAppended(before: FieldDescription, after: FieldDescription): boolean {
  const { values } = after
  return values !== undefined && before.values?.every((value, i) => value === values[i]) === true
}

function typeText(field: FieldDescription): string {
  if (field.values !== undefined) return `oneOf(${JSON.stringify(field.values).slice(1, -1)})`
  return field.aggregate === undefined ? field.type : `reference to ${field.aggregate}`
}
