/**
 * What a snapshot's state was made by: where each field of each aggregate lies, and the text of the
 * functions that make state of events. A snapshot that other code has made is not used, so that
 * state is always what the journal and the code of today give.
 *
 * The text of a function does not show what it calls. Who changes a helper of an `evolve` so that it
 * gives other state removes the snapshots.
 */
import { createHash } from 'node:crypto'
import { describeFields } from '../../journal/schema/field-description.js'
import type { Fields } from '../../journal/schema/field-types.js'
import { type Domain, isObjectState } from '../domain.js'
import { stateLayoutOf } from '../domain-compiler.js'

export function stateFingerprint(domain: Domain): Uint8Array {
  const aggregates = domain.aggregates.map(({ name, idType, state, index }) => {
    if (isObjectState(state)) {
      const { create, snapshot, restore } = state
      return [name, idType, String(create), String(snapshot), String(restore)]
    }
    const { fields } = stateLayoutOf(domain, index)
    const places = fields.map(({ offset, storage }) => [offset, storage])
    return [name, idType, describeFields(state as Fields), places]
  })
  const events = domain.events.map(({ name, aggregate, fields, evolve }) => {
    return [name, aggregate.name, describeFields(fields), String(evolve)]
  })
  const made = JSON.stringify([domain.name, aggregates, events])
  return new Uint8Array(createHash('sha256').update(made).digest())
}
