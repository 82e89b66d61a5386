/** Turns the declarations of a domain into codecs, once, when an engine first opens it. */
import { TidewheelError } from '../journal/errors.js'
import { compileCodec } from '../journal/schema/compiled-codec.js'
import type { AggregateLike } from '../journal/schema/id-type.js'
import { layOut, type PayloadLayout } from '../journal/schema/payload-layout.js'
import type { Domain } from './domain.js'

/** @throws TidewheelError INVALID_DOMAIN for a reference to an aggregate that is not declared. */
export function compileDomain(domain: Domain): void {
  if (domain.$sealed) return
  for (const command of domain.commands) {
    const layout = layOut(command.name, command.fields, 'command', aggregateIndexIn(domain))
    command.$codec = compileCodec(layout)
  }
  for (const event of domain.events) {
    const layout = layOut(event.name, event.fields, 'event', aggregateIndexIn(domain))
    event.$codec = compileCodec(layout)
  }
  domain.$sealed = true
}

export function stateLayoutOf(domain: Domain, index: number): PayloadLayout {
  const aggregate = domain.aggregates[index]!
  const fields = aggregate.state as Parameters<typeof layOut>[1]
  return layOut(aggregate.name, fields, 'state', aggregateIndexIn(domain))
}

/** By name, since an aggregate may be named before it is declared. */
function aggregateIndexIn(domain: Domain): (aggregate: AggregateLike) => number {
  return ({ name, idType }) => {
    const found = domain.aggregates.find((aggregate) => aggregate.name === name)
    if (found === undefined || found.idType !== idType) {
      const problem =
        found === undefined ? 'is not declared' : `has ids of type ${found.idType}, not ${idType}`
      throw new TidewheelError(
        'INVALID_DOMAIN',
        `domain ${domain.name}: a field names aggregate ${name}, which ${problem} in this domain`,
      )
    }
    return found.index
  }
}
