/** The journal's catalogue: bytes, numbers, differences, and hostile records. */
import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Catalogue,
  type DeclaredEntry,
  encodeCatalogueFrame,
  mergeCatalogue,
  readCatalogueRecord,
} from '../../journal/catalogue.js'
import { TidewheelError } from '../../journal/errors.js'
import { FrameCursor, frameProblem } from '../../journal/frames.js'
import { KEY_COUNT_MAX, KEY_WINDOW_DEFAULT } from '../../journal/key-window.js'
import {
  CATALOGUE_RECORD,
  LAST_CATALOGUED_TYPE,
  TRANSACTION_BYTES_MAX,
} from '../../journal/record-layout.js'
import {
  describeFields,
  type FieldDescription,
  fieldsFromDescription,
} from '../../journal/schema/field-description.js'
import { bool, type Fields, int, oneOf, text } from '../../journal/schema/field-types.js'
import { referenceTo, sample } from './arbitrary-fields.js'

const WINDOW = { countMax: 5, ageMaxUs: 7 }
const ACCOUNT: DeclaredEntry = { kind: 'aggregate', name: 'Account', idType: 'text' }
const TRANSFER: DeclaredEntry = { kind: 'command', name: 'Transfer' }

function eventOf(fields: Fields, more: Partial<DeclaredEntry> = {}): DeclaredEntry {
  const described = describeFields(fields)
  return { kind: 'event', name: 'Paid', aggregate: 'Account', fields: described, ...more }
}

const BANK = [ACCOUNT, eventOf({ amount: int, side: oneOf('in', 'out') }), TRANSFER]

function bankCatalogue(): Catalogue {
  return mergeCatalogue(undefined, 'bank', BANK).catalogue
}

/** Reads a frame as a journal reader does. */
function readFrame(frame: Uint8Array): Catalogue {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  const cursor = new FrameCursor()
  expect(frameProblem(view, 0, frame.length, 1, 0)).toBe('')
  cursor.reset(view, 0, frame.length)
  expect(cursor.nextFrame() && cursor.nextRecord()).toBe(true)
  expect([cursor.recordType, cursor.slot, cursor.version]).toEqual([CATALOGUE_RECORD, 0, 0])
  return readCatalogueRecord(view, cursor.payloadOffset, cursor.payloadBytes)
}

function readJson(json: unknown): Catalogue {
  const bytes = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return readCatalogueRecord(view, 0, bytes.length)
}

describe('catalogue', () => {
  it('golden bytes: a frame with one record', () => {
    const catalogue = new Catalogue('b', WINDOW, [{ number: 16, kind: 'command', name: 'Go' }])
    const hex = Buffer.from(encodeCatalogueFrame(catalogue, 0x0102030405)).toString('hex')
    const json =
      '{"domain":"b","keyWindow":{"countMax":5,"ageMaxUs":7},' +
      '"entries":[{"number":16,"kind":"command","name":"Go"}]}'
    const payload = Buffer.from(json).toString('hex')
    expect(payload.length / 2).toBe(109)
    expect(hex).toBe(
      '90000000' +
        '0000' +
        '0000' +
        '0504030201000000' +
        '7d000000' +
        '0100' +
        '0000' +
        '00000000' +
        '00000000' +
        payload +
        '000000',
    )
  })

  it('comes back from its frame', () => {
    const catalogue = bankCatalogue()
    const read = readFrame(encodeCatalogueFrame(catalogue, 1))
    expect(read.domain).toBe('bank')
    expect(read.entries.map((entry) => [entry.number, entry.kind, entry.name])).toEqual([
      [16, 'aggregate', 'Account'],
      [17, 'event', 'Paid'],
      [18, 'command', 'Transfer'],
    ])
    expect(read.get(17)).toBe(read.find('event', 'Paid'))
    expect(read.get(19)).toBeUndefined()
    expect(read.find('command', 'Paid')).toBeUndefined()
    const event = read.find('event', 'Paid')
    expect(event && describeFields(read.fieldsOf(event))).toEqual(BANK[1]?.fields)
    expect(read.keyWindow).toEqual(KEY_WINDOW_DEFAULT)
    expect(mergeCatalogue(read, 'bank', BANK)).toEqual({ catalogue: read, changed: false })
  })

  it('too large for a transaction: refused when encoded', () => {
    const fields = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`field_${i}`, int]))
    const events = (count: number): DeclaredEntry[] =>
      Array.from({ length: count }, (_, i) => eventOf(fields, { name: `Event${i}` }))
    const of = (count: number): Catalogue =>
      mergeCatalogue(undefined, 'wide', [ACCOUNT, ...events(count)]).catalogue
    expect(encodeCatalogueFrame(of(60), 1).length).toBeLessThanOrEqual(TRANSACTION_BYTES_MAX)
    expect(() => encodeCatalogueFrame(of(100), 1)).toThrow('INVALID_DOMAIN')
  })

  it('merge: new names get new numbers, those that are gone keep theirs', () => {
    const first = bankCatalogue()
    const opened = eventOf({ owner: text }, { name: 'Opened' })
    const second = mergeCatalogue(first, 'bank', [opened, TRANSFER, ACCOUNT])
    expect(second.changed).toBe(true)
    expect(second.catalogue.find('event', 'Opened')?.number).toBe(19)
    expect(second.catalogue.find('event', 'Paid')?.number).toBe(17)
    const third = mergeCatalogue(second.catalogue, 'bank', [...BANK, opened])
    expect(third).toEqual({ catalogue: second.catalogue, changed: false })
  })

  it('merge: numbers end at the last one', () => {
    const full = new Catalogue('bank', WINDOW, [
      { number: LAST_CATALOGUED_TYPE - 1, kind: 'command', name: 'Transfer' },
    ])
    const pay: DeclaredEntry = { kind: 'command', name: 'Pay' }
    const { catalogue } = mergeCatalogue(full, 'bank', [pay])
    expect(catalogue.find('command', 'Pay')?.number).toBe(LAST_CATALOGUED_TYPE)
    expect(() => mergeCatalogue(catalogue, 'bank', [ACCOUNT])).toThrow('INVALID_DOMAIN')
  })

  it('merge: values appended to a oneOf are the new list, and stay it', () => {
    const first = bankCatalogue()
    const fields = { amount: int, side: oneOf('in', 'out', 'none') }
    const longer = [ACCOUNT, eventOf(fields), TRANSFER]
    const { catalogue, changed } = mergeCatalogue(first, 'bank', longer)
    expect(changed).toBe(true)
    expect(catalogue.entries.map(({ number }) => number)).toEqual([16, 17, 18])
    expect(catalogue.find('event', 'Paid')).toMatchObject({
      number: 17,
      fields: describeFields(fields),
    })
    expect(mergeCatalogue(catalogue, 'bank', longer)).toEqual({ catalogue, changed: false })
    // The application as it was before: its events could not be told from each other.
    expect(() => mergeCatalogue(catalogue, 'bank', BANK)).toThrow('SCHEMA_CHANGED')
  })

  it('merge: the window of keys stays, or is changed in part', () => {
    const first = bankCatalogue()
    const { countMax, ageMaxUs } = first.keyWindow
    const merge = (before: Catalogue | undefined, wanted = {}) =>
      mergeCatalogue(before, 'bank', BANK, wanted)
    const fewer = merge(first, { countMax: 3 })
    expect(fewer.changed).toBe(true)
    expect(fewer.catalogue.keyWindow).toEqual({ countMax: 3, ageMaxUs })
    expect(merge(fewer.catalogue)).toEqual({ catalogue: fewer.catalogue, changed: false })
    expect(merge(fewer.catalogue, { countMax: 3 }).changed).toBe(false)
    const shorter = merge(fewer.catalogue, { ageMaxUs: 0 })
    expect(shorter.catalogue.keyWindow).toEqual({ countMax: 3, ageMaxUs: 0 })
    expect(merge(first, { countMax, ageMaxUs }).changed).toBe(false)
    expect(merge(undefined, { countMax: 9 }).catalogue.keyWindow).toEqual({ countMax: 9, ageMaxUs })
  })

  it('merge: another domain, and a name declared twice', () => {
    expect(() => mergeCatalogue(bankCatalogue(), 'shop', [])).toThrow(
      "DOMAIN_MISMATCH: this journal belongs to the domain 'bank', and 'shop' is to be opened",
    )
    expect(() => mergeCatalogue(undefined, 'bank', [TRANSFER, TRANSFER])).toThrow('declared twice')
  })

  const sides = (...values: [string, ...string[]]): Fields => ({
    amount: int,
    side: oneOf(...values),
  })
  it.each<[string, DeclaredEntry, string]>([
    [
      'field added',
      eventOf({ ...sides('in', 'out'), note: text }),
      "event Paid is not what this journal holds: field 'note' (text) was added",
    ],
    ['field removed', eventOf({ amount: int }), `field 'side' (oneOf("in","out")) was removed`],
    [
      'field retyped',
      eventOf({ ...sides('in', 'out'), amount: bool }),
      "field 'amount' was int and is now bool",
    ],
    [
      'fields reordered',
      eventOf({ side: oneOf('in', 'out'), amount: int }),
      'the fields were in the order amount, side and are now in the order side, amount',
    ],
    ['value removed', eventOf(sides('in')), `was oneOf("in","out") and is now oneOf("in")`],
    ['value renamed', eventOf(sides('in', 'off', 'x')), `is now oneOf("in","off","x")`],
    ['value put before', eventOf(sides('x', 'in', 'out')), `is now oneOf("x","in","out")`],
    [
      'values reordered',
      eventOf(sides('out', 'in')),
      `is now oneOf("out","in") (values may be appended, but not removed, renamed or moved)`,
    ],
    [
      'value added, and another field changed',
      eventOf({ ...sides('in', 'out', 'x'), amount: bool }),
      "not what this journal holds: field 'amount' was int and is now bool.",
    ],
    [
      'several',
      eventOf({ sum: int }),
      "'amount' (int) was removed; field 'side' (oneOf(\"in\",\"out\")) was removed; field 'sum' (int) was added",
    ],
    [
      'aggregate of an event',
      eventOf(sides('in', 'out'), { aggregate: 'Wallet' }),
      'it belonged to aggregate Account and now belongs to Wallet',
    ],
    [
      'schema version',
      eventOf(sides('in', 'out'), { schemaVersion: 2 }),
      'its schema version was 1 and is now 2',
    ],
    [
      'id type',
      { ...ACCOUNT, idType: 'u32' },
      'aggregate Account is not what this journal holds: its ids were of type text and are now of type u32',
    ],
  ])('merge: SCHEMA_CHANGED says what is different (%s)', (_, declared, difference) => {
    const merging = (): unknown => mergeCatalogue(bankCatalogue(), 'bank', [declared])
    expect(merging).toThrow('SCHEMA_CHANGED')
    expect(merging).toThrow(difference)
    expect(merging).toThrow('Restore the declaration as it was')
  })

  it('read: bytes that are no catalogue are JOURNAL_DAMAGED (table)', () => {
    const account = { number: 16, kind: 'aggregate', name: 'Account', idType: 'text' }
    const paid = { number: 17, kind: 'event', name: 'Paid', aggregate: 'Account', fields: [] }
    const bank = (...entries: unknown[]): unknown => {
      return { domain: 'bank', keyWindow: KEY_WINDOW_DEFAULT, entries }
    }
    const windowed = (keyWindow: unknown): unknown => ({ domain: 'bank', keyWindow, entries: [] })
    const amount = { name: 'amount', type: 'int' }
    expect(readJson(bank(paid, account)).entries).toHaveLength(2)
    for (const keyWindow of [
      { countMax: 1, ageMaxUs: 0 },
      { countMax: KEY_COUNT_MAX, ageMaxUs: Number.MAX_SAFE_INTEGER },
    ]) {
      expect(readJson(windowed(keyWindow)).keyWindow).toEqual(keyWindow)
    }
    const table: unknown[] = [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      `${'['.repeat(200_000)}`,
      '\0',
      { domain: 5, keyWindow: WINDOW, entries: [] },
      { domain: '', keyWindow: WINDOW, entries: [] },
      { domain: 'bank', keyWindow: WINDOW },
      { domain: 'bank', keyWindow: WINDOW, entries: {} },
      windowed(undefined),
      windowed(null),
      windowed([]),
      windowed({ countMax: 5 }),
      windowed({ countMax: 0, ageMaxUs: 7 }),
      windowed({ countMax: 1.5, ageMaxUs: 7 }),
      windowed({ countMax: KEY_COUNT_MAX + 1, ageMaxUs: 7 }),
      windowed({ countMax: '5', ageMaxUs: 7 }),
      windowed({ countMax: 5, ageMaxUs: -1 }),
      windowed({ countMax: 5, ageMaxUs: 0.5 }),
      windowed({ countMax: 5, ageMaxUs: 2 ** 53 }),
      bank(null),
      bank({}),
      bank({ ...account, number: 15 }),
      bank({ ...account, number: 65535 }),
      bank({ ...account, number: 16.5 }),
      bank({ ...account, number: '16' }),
      bank({ ...account, kind: 'view' }),
      bank({ ...account, name: '../x' }),
      bank({ ...account, name: 5 }),
      bank({ ...account, idType: 'i32' }),
      bank(account, account),
      bank(account, { ...account, number: 17 }),
      bank(account, { ...paid, number: 16 }),
      bank(paid),
      bank(account, { ...paid, aggregate: 5 }),
      bank(account, { ...paid, schemaVersion: 0 }),
      bank(account, { ...paid, schemaVersion: '1' }),
      bank(account, { ...paid, fields: undefined }),
      bank(account, { ...paid, fields: {} }),
      bank(account, { ...paid, fields: [null] }),
      bank(account, { ...paid, fields: [{ name: 'constructor', type: 'int' }] }),
      bank(account, { ...paid, fields: [{ name: '__proto__', type: 'int' }] }),
      bank(account, { ...paid, fields: [{ name: 5, type: 'int' }] }),
      bank(account, { ...paid, fields: [amount, amount] }),
      bank(account, { ...paid, fields: [{ name: 'a', type: 'money' }] }),
      bank(account, { ...paid, fields: [{ name: 'a', type: 'toString' }] }),
      bank(account, { ...paid, fields: [{ name: 'a', type: 'oneOf' }] }),
      bank(account, { ...paid, fields: [{ name: 'a', type: 'oneOf', values: ['x', 'x'] }] }),
      bank(account, { ...paid, fields: [{ name: 'a', type: 'reference' }] }),
      bank(account, { ...paid, fields: [{ name: 'a', type: 'reference', aggregate: 'Paid' }] }),
      bank(account, { ...paid, fields: new Array(201).fill(amount) }),
    ]
    for (const json of table) {
      const shown = JSON.stringify(json).slice(0, 120)
      expect(() => readJson(json), shown).toThrow('JOURNAL_DAMAGED')
    }
    const view = new DataView(new ArrayBuffer(16))
    expect(() => readCatalogueRecord(view, 8, 9)).toThrow('JOURNAL_DAMAGED')
    expect(() => readCatalogueRecord(view, 0, TRANSACTION_BYTES_MAX + 1)).toThrow('bytes long')
    expect(() => readJson(Buffer.from([0x22, 0xff, 0x22]).toString('latin1'))).toThrow('DAMAGED')
  })

  it('read: any change of a byte is read or refused, never anything else (random)', () => {
    const frame = encodeCatalogueFrame(bankCatalogue(), 1)
    fc.assert(
      fc.property(fc.nat(frame.length - 33), fc.nat(255), (at, byte) => {
        const damaged = frame.slice()
        damaged[32 + at] = byte
        const view = new DataView(damaged.buffer)
        const recordBytes = view.getUint32(16, true)
        try {
          const read = readCatalogueRecord(view, 32, recordBytes - 16)
          for (const entry of read.entries) read.fieldsOf(entry)
          encodeCatalogueFrame(read, 1)
        } catch (error) {
          expect(error).toBeInstanceOf(TidewheelError)
          expect((error as TidewheelError).code).toBe('JOURNAL_DAMAGED')
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('description of fields', () => {
  const lookup = (name: string) => {
    const idType = { ByText: 'text', ByU32: 'u32', ByU64: 'u64', ByUuid: 'uuid' }[name]
    return idType === undefined ? undefined : { name, idType: idType as 'text' }
  }

  it('goes round through JSON (random schemas)', () => {
    fc.assert(
      fc.property(sample, ({ fields }) => {
        const described = describeFields(fields)
        const json = JSON.parse(JSON.stringify(described)) as FieldDescription[]
        expect(describeFields(fieldsFromDescription(json, lookup))).toEqual(described)
      }),
      { numRuns: 200 },
    )
  })

  it('names each type', () => {
    expect(describeFields({ a: int, b: oneOf('x|y', 'z'), c: referenceTo('u32') })).toEqual([
      { name: 'a', type: 'int' },
      { name: 'b', type: 'oneOf', values: ['x|y', 'z'] },
      { name: 'c', type: 'reference', aggregate: 'ByU32' },
    ])
  })
})
