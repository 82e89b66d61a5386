/**
 * The journal's own list of types: which number stands for which aggregate, event and command, how
 * ids are typed and how event payloads are laid out. It makes a journal readable without its
 * application, and finds out at open that the application has changed what its journal holds.
 *
 * A catalogue lies in the journal as a CATALOGUE record, alone in a system frame, once a segment:
 *
 *   { "domain": "bank", "keyWindow": { "countMax": 1000000, "ageMaxUs": 86400000000 }, "entries": [
 *     { "number": 16, "kind": "aggregate", "name": "Account", "idType": "text" },
 *     { "number": 17, "kind": "event", "name": "MoneyDeposited", "aggregate": "Account",
 *       "schemaVersion": 1, "fields": [{ "name": "amount", "type": "int" }] },
 *     { "number": 18, "kind": "command", "name": "Transfer" } ] }
 *
 * Numbers are given in order of declaration and never again: an entry that is no longer declared
 * stays. What makes entries valid is in catalogue-entries.ts. The window (key-window.ts) may be
 * another one in each catalogue; it counts from there on.
 */

import { PREAMBLE_BYTES_MAX } from './block-layout.js'
import {
  aggregateLookup,
  type CatalogueEntry,
  type DeclaredEntry,
  entriesFrom,
  mergeEntry,
} from './catalogue-entries.js'
import { assert, causeOf, TidewheelError } from './errors.js'
import { KEY_WINDOW_DEFAULT, type KeyWindow, keyWindowFrom, sameWindow } from './key-window.js'
import { alignWord, setU64 } from './layout.js'
import {
  CATALOGUE_RECORD,
  FIRST_CATALOGUED_TYPE,
  FRAME_COMMAND_TYPE,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  LAST_CATALOGUED_TYPE,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_TYPE,
  SYSTEM_COMMAND,
} from './record-layout.js'
import { type FieldDescription, fieldsFromDescription } from './schema/field-description.js'
import type { Fields } from './schema/field-types.js'
import { typeNameProblem } from './schema/names.js'

export type { CatalogueEntry, CatalogueKind, DeclaredEntry } from './catalogue-entries.js'

export class Catalogue {
  readonly domain: string
  readonly keyWindow: KeyWindow
  /** In order of number. */
  readonly entries: readonly CatalogueEntry[]
  private readonly byNumber = new Map<number, CatalogueEntry>()
  private readonly byName = new Map<string, CatalogueEntry>()

  /** `entries` are valid: numbers and names are unique, aggregates are in the list. */
  constructor(domain: string, keyWindow: KeyWindow, entries: readonly CatalogueEntry[]) {
    this.domain = domain
    this.keyWindow = keyWindow
    this.entries = entries.toSorted((a, b) => a.number - b.number)
    for (const entry of this.entries) {
      this.byNumber.set(entry.number, entry)
      this.byName.set(keyOf(entry), entry)
    }
    assert(this.byNumber.size === entries.length, 'numbers of a catalogue are unique')
    assert(this.byName.size === entries.length, 'names of a catalogue are unique by kind')
  }

  get(number: number): CatalogueEntry | undefined {
    return this.byNumber.get(number)
  }

  find(kind: CatalogueEntry['kind'], name: string): CatalogueEntry | undefined {
    return this.byName.get(keyOf({ kind, name }))
  }

  /** The fields of an event, as a tool needs them to read its payloads. */
  fieldsOf(event: CatalogueEntry): Fields {
    const fields: readonly FieldDescription[] = event.fields ?? []
    return fieldsFromDescription(fields, aggregateLookup(this.entries))
  }

  toJSON(): { domain: string; keyWindow: KeyWindow; entries: readonly CatalogueEntry[] } {
    return { domain: this.domain, keyWindow: this.keyWindow, entries: this.entries }
  }
}

function keyOf(entry: { readonly kind: string; readonly name: string }): string {
  return `${entry.kind} ${entry.name}`
}

/**
 * What the journal has, and what is declared now, in one catalogue; new names get the next numbers.
 * @param journalCatalogue of the journal that is opened; undefined for a new one
 * @param wantedWindow what of the idempotency window is to be other than the journal has it
 * @throws TidewheelError DOMAIN_MISMATCH when the journal is another domain's; SCHEMA_CHANGED when
 *   a declaration no longer fits what is in the journal; INVALID_DOMAIN when one name is declared
 *   twice or there are too many
 */
export function mergeCatalogue(
  journalCatalogue: Catalogue | undefined,
  domain: string,
  declared: readonly DeclaredEntry[],
  wantedWindow: Partial<KeyWindow> = {},
): { readonly catalogue: Catalogue; readonly changed: boolean } {
  if (journalCatalogue !== undefined && journalCatalogue.domain !== domain) {
    throw new TidewheelError(
      'DOMAIN_MISMATCH',
      `this journal belongs to the domain '${journalCatalogue.domain}', and '${domain}' is to be opened: open it with its own domain, or choose another directory`,
    )
  }
  const known = journalCatalogue?.entries ?? []
  const knownWindow = journalCatalogue?.keyWindow ?? KEY_WINDOW_DEFAULT
  const keyWindow = { ...knownWindow, ...wantedWindow }
  const entries = [...known]
  let changed = journalCatalogue === undefined || !sameWindow(keyWindow, knownWindow)
  const seen = new Set<string>()
  let number = (known.at(-1)?.number ?? FIRST_CATALOGUED_TYPE - 1) + 1
  for (const declaration of declared) {
    const key = keyOf(declaration)
    if (seen.has(key)) throw new TidewheelError('INVALID_DOMAIN', `${key} is declared twice`)
    seen.add(key)
    const before = journalCatalogue?.find(declaration.kind, declaration.name)
    if (before !== undefined) {
      const merged = mergeEntry(before, declaration)
      if (merged !== before) {
        entries[entries.indexOf(before)] = merged
        changed = true
      }
      continue
    }
    if (number > LAST_CATALOGUED_TYPE) {
      throw new TidewheelError('INVALID_DOMAIN', 'a journal can name at most 65519 types')
    }
    entries.push({ number: number++, ...declaration })
    changed = true
  }
  if (journalCatalogue !== undefined && !changed) return { catalogue: journalCatalogue, changed }
  return { catalogue: new Catalogue(domain, keyWindow, entries), changed: true }
}

/**
 * A whole system frame with one CATALOGUE record.
 * @param timeUs microseconds since 1970
 * @throws TidewheelError INVALID_DOMAIN when the types take more than the start of a segment has room for
 */
export function encodeCatalogueFrame(catalogue: Catalogue, timeUs: number): Uint8Array {
  const payload = new TextEncoder().encode(JSON.stringify(catalogue))
  const recordBytes = RECORD_HEADER_BYTES + payload.length
  const frameBytes = FRAME_HEADER_BYTES + alignWord(recordBytes)
  if (frameBytes > PREAMBLE_BYTES_MAX) {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      `the types of domain '${catalogue.domain}' take ${frameBytes} bytes in the journal, at most ${PREAMBLE_BYTES_MAX} are possible: declare fewer or smaller types`,
    )
  }
  const frame = new Uint8Array(frameBytes)
  const view = new DataView(frame.buffer)
  view.setUint32(FRAME_LENGTH, frameBytes, true)
  view.setUint16(FRAME_COMMAND_TYPE, SYSTEM_COMMAND, true)
  setU64(view, FRAME_TIME, timeUs)
  view.setUint32(FRAME_HEADER_BYTES + RECORD_LENGTH, recordBytes, true)
  view.setUint16(FRAME_HEADER_BYTES + RECORD_TYPE, CATALOGUE_RECORD, true)
  frame.set(payload, FRAME_HEADER_BYTES + RECORD_HEADER_BYTES)
  return frame
}

/**
 * Reads the payload of a CATALOGUE record of unknown origin.
 * @param offset of the payload in `view`, behind the record's header
 * @throws TidewheelError JOURNAL_DAMAGED
 */
export function readCatalogueRecord(
  view: DataView,
  offset: number,
  lengthBytes: number,
): Catalogue {
  if (lengthBytes > PREAMBLE_BYTES_MAX) damaged(`it is ${lengthBytes} bytes long`)
  if (offset + lengthBytes > view.byteLength) damaged('it reaches past the end of its block')
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, lengthBytes).slice()
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    damaged(`it is not JSON (${causeOf(error)})`)
  }
  if (typeof json !== 'object' || json === null) damaged('it is not an object')
  const { domain, keyWindow, entries } = json as Record<string, unknown>
  const problem = typeNameProblem(domain)
  if (problem !== undefined) damaged(`the name of its domain ${problem}`)
  const window = keyWindowFrom(keyWindow)
  if (window === undefined) damaged('it has no valid window for idempotency keys')
  const read = entriesFrom(entries)
  return typeof read === 'string' ? damaged(read) : new Catalogue(domain as string, window, read)
}

function damaged(problem: string): never {
  throw new TidewheelError(
    'JOURNAL_DAMAGED',
    `the journal's catalogue of types cannot be used: ${problem}`,
  )
}
