/** Turns frames of the journal or the ring into events as users read them. */
import type { Catalogue } from '../../journal/catalogue.js'
import { assert, TidewheelError } from '../../journal/errors.js'
import type { FrameCursor } from '../../journal/frames.js'
import type { Domain, EventType, RecordedEvent } from '../domain.js'
import type { IdSource } from '../processor-side.js'

export class EventDecoder {
  private readonly types: (EventType | undefined)[] = []
  private readonly catalogue: Catalogue
  private readonly ids: IdSource

  constructor(domain: Domain, catalogue: Catalogue, ids: IdSource) {
    this.catalogue = catalogue
    this.ids = ids
    for (const event of domain.events) {
      const entry = catalogue.find('event', event.name)
      if (entry !== undefined) this.types[entry.number] = event
    }
  }

  /**
   * The event record that the cursor stands on; undefined when an id has to be fetched first.
   * @throws TidewheelError SCHEMA_CHANGED for a type that the domain does not declare
   */
  decode(cursor: FrameCursor, sequence: number): RecordedEvent | undefined {
    const { ids } = this
    const { view, slot, payloadOffset, payloadBytes } = cursor
    const type = this.typeOf(cursor.recordType, sequence)
    const id = ids.idOf(type.aggregateIndex, slot)
    const data = type.$codec.decode(view, payloadOffset, payloadBytes, ids)
    if (ids.isMissing) return undefined
    const { name, aggregate } = type
    const { timeUs: time, version } = cursor
    return { sequence, time, type: name, stream: aggregate.name, id, version, data }
  }

  /** Fetches what the last {@link decode} lacked. */
  fetchMissing(): Promise<void> {
    return this.ids.fetchMissing()
  }

  /** Index of the aggregate that the event record under the cursor belongs to. */
  aggregateIndexOf(cursor: FrameCursor, sequence: number): number {
    return this.typeOf(cursor.recordType, sequence).aggregateIndex
  }

  /** Number of an aggregate of the domain in the journal's catalogue. */
  aggregateNumberOf(name: string): number {
    const entry = this.catalogue.find('aggregate', name)
    assert(entry !== undefined, 'the catalogue has all aggregates of the domain')
    return entry.number
  }

  private typeOf(number: number, sequence: number): EventType {
    const type = this.types[number]
    if (type !== undefined) return type
    throw new TidewheelError(
      'SCHEMA_CHANGED',
      `the journal holds an event of type ${number}, which the domain does not declare; declare it again, with the fields it had`,
      { sequence },
    )
  }
}
