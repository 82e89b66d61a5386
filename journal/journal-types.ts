/**
 * The types of a journal while it is read without its application: what the catalogues met so far
 * say of aggregates, events and commands, and how each event's payload is laid out. Nothing here is
 * generated code, since the journal may come from a stranger.
 */
import { type Catalogue, type CatalogueEntry, readCatalogueRecord } from './catalogue.js'
import { entryDifference } from './catalogue-entries.js'
import { assert, TidewheelError } from './errors.js'
import type { Codec } from './schema/codec.js'
import type { AggregateLike } from './schema/id-type.js'
import { NaiveCodec } from './schema/naive-codec.js'
import { layOut } from './schema/payload-layout.js'

export interface JournalEventType {
  readonly name: string
  readonly number: number
  /** Name and number of the aggregate that it belongs to. */
  readonly aggregate: string
  readonly aggregateNumber: number
  readonly codec: Codec
}

export class JournalTypes {
  /** The last one met; undefined as long as there was none. */
  catalogue: Catalogue | undefined
  private readonly events: (JournalEventType | undefined)[] = []
  private recordBytes: Uint8Array = new Uint8Array(0)

  /**
   * Takes over the payload of a CATALOGUE record.
   * @throws TidewheelError JOURNAL_DAMAGED when it is not valid, or contradicts one before it
   */
  take(view: DataView, offset: number, lengthBytes: number): void {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, lengthBytes)
    // Each segment repeats it.
    if (this.catalogue !== undefined && Buffer.compare(bytes, this.recordBytes) === 0) return
    const catalogue = readCatalogueRecord(view, offset, lengthBytes)
    if (this.catalogue !== undefined) refuseContradiction(this.catalogue, catalogue)
    this.catalogue = catalogue
    this.recordBytes = bytes.slice()
    // Values may have been appended to a oneOf of theirs.
    this.events.length = 0
  }

  /** @throws TidewheelError JOURNAL_DAMAGED when no catalogue has an event of this number. */
  event(number: number): JournalEventType {
    let type = this.events[number]
    if (type === undefined) {
      type = this.makeEvent(number)
      this.events[number] = type
    }
    return type
  }

  /** @throws TidewheelError JOURNAL_DAMAGED when no catalogue has an aggregate of this number. */
  aggregate(number: number): AggregateLike {
    const entry = this.catalogue?.get(number)
    const { name, idType } = entry ?? {}
    if (name === undefined || idType === undefined) refuseNumber(number, 'aggregate')
    return { name, idType }
  }

  private makeEvent(number: number): JournalEventType {
    const { catalogue } = this
    const entry = catalogue?.get(number)
    if (catalogue === undefined || entry?.kind !== 'event') refuseNumber(number, 'event')
    const { name, aggregate = '' } = entry
    const numberOf = (of: AggregateLike): number => aggregateNumber(catalogue, of.name)
    try {
      const layout = layOut(name, catalogue.fieldsOf(entry), 'event', numberOf)
      const codec = new NaiveCodec(layout)
      const owner = aggregateNumber(catalogue, aggregate)
      return { name, number, aggregate, aggregateNumber: owner, codec }
    } catch (error) {
      if (!(error instanceof TidewheelError)) throw error
      damaged(`its event ${name} cannot be laid out: ${error.reason}`)
    }
  }
}

function aggregateNumber(catalogue: Catalogue, name: string): number {
  const entry = catalogue.find('aggregate', name)
  assert(entry !== undefined, 'the aggregates that a catalogue names are in it')
  return entry.number
}

/**
 * Entries are added in the course of time, and never taken away or changed, but for values that are
 * appended to a oneOf.
 */
function refuseContradiction(before: Catalogue, after: Catalogue): void {
  if (after.domain !== before.domain) {
    damaged(`it is of domain ${after.domain}, an earlier one of domain ${before.domain}`)
  }
  for (const entry of before.entries) {
    const now = after.get(entry.number)
    const isSame =
      now?.kind === entry.kind &&
      now.name === entry.name &&
      entryDifference(entry, now) === undefined
    if (!isSame) damaged(`${describe(entry)} is not what an earlier one says`)
  }
}

function describe(entry: CatalogueEntry): string {
  return `${entry.kind} ${entry.name}, number ${entry.number},`
}

function refuseNumber(number: number, kind: string): never {
  throw new TidewheelError(
    'JOURNAL_DAMAGED',
    `a record is of type ${number}, and the journal's catalogue has no ${kind} of that number; bring the file back from a backup or a replica`,
  )
}

function damaged(problem: string): never {
  throw new TidewheelError(
    'JOURNAL_DAMAGED',
    `the journal's catalogue of types cannot be used: ${problem}; bring the file back from a backup or a replica`,
  )
}
