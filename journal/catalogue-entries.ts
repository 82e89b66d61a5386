/**
 * The entries of a catalogue: their form, how they are read from JSON of unknown origin, and which
 * differences between the journal's entry and the declared one are refused.
 */
import { isDeepStrictEqual } from 'node:util'
import { TidewheelError } from './errors.js'
import { FIRST_CATALOGUED_TYPE, LAST_CATALOGUED_TYPE } from './record-layout.js'
import {
  describeFields,
  type FieldDescription,
  fieldsDifference,
  fieldsFromDescription,
} from './schema/field-description.js'
import { type AggregateLike, type IdType, isIdType } from './schema/id-type.js'
import { typeNameProblem } from './schema/names.js'

export type CatalogueKind = 'aggregate' | 'event' | 'command'

export interface DeclaredEntry {
  readonly kind: CatalogueKind
  readonly name: string
  /** Of an aggregate. */
  readonly idType?: IdType
  /** Of an event: the name of its aggregate. */
  readonly aggregate?: string
  /** Of an event. */
  readonly schemaVersion?: number
  /** Of an event. */
  readonly fields?: readonly FieldDescription[]
}

export interface CatalogueEntry extends DeclaredEntry {
  /** The record type of an event, the command type of a frame, the aggregate of a stream. */
  readonly number: number
}

const ENTRIES_MAX = LAST_CATALOGUED_TYPE - FIRST_CATALOGUED_TYPE + 1
const KINDS: readonly unknown[] = ['aggregate', 'event', 'command']

export function aggregateLookup(
  entries: readonly CatalogueEntry[],
): (name: string) => AggregateLike | undefined {
  const aggregates = new Map<string, AggregateLike>()
  for (const { kind, name, idType } of entries) {
    if (kind === 'aggregate' && idType !== undefined) aggregates.set(name, { name, idType })
  }
  return (name) => aggregates.get(name)
}

/** The entries, or a sentence part that says what is wrong with them. */
export function entriesFrom(json: unknown): CatalogueEntry[] | string {
  if (!Array.isArray(json) || json.length > ENTRIES_MAX) return 'it has no valid list of entries'
  const entries: CatalogueEntry[] = []
  const rawFields: unknown[] = []
  const numbers = new Set<number>()
  const names = new Set<string>()
  for (const raw of json as readonly unknown[]) {
    const entry = entryFrom(raw)
    if (typeof entry === 'string') return entry
    const key = `${entry.kind} ${entry.name}`
    if (numbers.has(entry.number)) return `the number ${entry.number} occurs twice`
    if (names.has(key)) return `${key} occurs twice`
    numbers.add(entry.number)
    names.add(key)
    entries.push(entry)
    rawFields.push((raw as { readonly fields?: unknown }).fields)
  }
  // Fields refer to aggregates, which may come later in the list.
  const lookup = aggregateLookup(entries)
  for (const [i, entry] of entries.entries()) {
    if (entry.kind !== 'event') continue
    if (entry.aggregate === undefined || lookup(entry.aggregate) === undefined) {
      return `event ${entry.name} belongs to an aggregate that is not in it`
    }
    try {
      const fields = describeFields(fieldsFromDescription(rawFields[i], lookup))
      entries[i] = { ...entry, fields }
    } catch (error) {
      if (error instanceof TidewheelError) return `event ${entry.name}: ${error.message}`
      throw error
    }
  }
  return entries
}

function entryFrom(raw: unknown): CatalogueEntry | string {
  if (typeof raw !== 'object' || raw === null) return 'an entry is not an object'
  const { number, kind, name, idType, aggregate, schemaVersion } = raw as Record<string, unknown>
  if (
    typeof number !== 'number' ||
    !Number.isInteger(number) ||
    number < FIRST_CATALOGUED_TYPE ||
    number > LAST_CATALOGUED_TYPE
  ) {
    return 'an entry has no valid number'
  }
  if (!KINDS.includes(kind)) return `entry ${number} is of no known kind`
  const problem = typeNameProblem(name)
  if (problem !== undefined) return `the name of entry ${number} ${problem}`
  const entry = { number, kind: kind as CatalogueKind, name: name as string }
  if (entry.kind === 'command') return entry
  if (entry.kind === 'aggregate') {
    return isIdType(idType) ? { ...entry, idType } : `aggregate ${entry.name} has no known id type`
  }
  if (typeof aggregate !== 'string') return `event ${entry.name} belongs to no aggregate`
  const version = schemaVersion ?? 1
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) {
    return `event ${entry.name} has no valid schema version`
  }
  return { ...entry, aggregate, schemaVersion: version }
}

/**
 * The journal's entry, or, where the declared one has appended values to a oneOf, that one: what
 * was written means the same with it.
 * @throws TidewheelError SCHEMA_CHANGED when they differ in anything else
 */
export function mergeEntry(before: CatalogueEntry, declared: DeclaredEntry): CatalogueEntry {
  const difference = entryDifference(before, declared)
  if (difference === undefined) {
    const isSame = isDeepStrictEqual(before.fields, declared.fields)
    return isSame || declared.fields === undefined ? before : { ...before, fields: declared.fields }
  }
  throw new TidewheelError(
    'SCHEMA_CHANGED',
    `${declared.kind} ${declared.name} is not what this journal holds: ${difference}. Restore the declaration as it was, and declare what is new under another name`,
  )
}

/**
 * In what a later entry is not the earlier one, as a sentence part; undefined when everything that
 * was written means the same with it. Kind and name are not looked at.
 */
export function entryDifference(
  before: CatalogueEntry,
  declared: DeclaredEntry,
): string | undefined {
  if (before.idType !== declared.idType) {
    return `its ids were of type ${before.idType} and are now of type ${declared.idType}`
  }
  if (before.aggregate !== declared.aggregate) {
    return `it belonged to aggregate ${before.aggregate} and now belongs to ${declared.aggregate}`
  }
  const fields = fieldsDifference(before.fields ?? [], declared.fields ?? [])
  if (fields !== undefined) return fields
  const versions = [before.schemaVersion ?? 1, declared.schemaVersion ?? 1] as const
  return versions[0] === versions[1]
    ? undefined
    : `its schema version was ${versions[0]} and is now ${versions[1]}`
}
