/** A declared command: its fields, and the `decide` that answers it. */
import type { Codec } from '../journal/schema/codec.js'
import type { Fields } from '../journal/schema/field-types.js'
import type { Domain } from './domain.js'
import type { Transaction } from './transaction.js'

/** Reads state, emits events or rejects. Returns nothing; an `async` function does not compile. */
export type Decide<Data> = (command: Data, tx: Transaction) => undefined

export class CommandType<Input = unknown> {
  declare readonly $types: { input: Input }
  readonly name: string
  readonly domain: Domain
  readonly fields: Fields
  readonly decide: Decide<never>
  /** Compiled when an engine first opens the domain. */
  declare $codec: Codec
  /** Place in the domain's list of commands. */
  readonly index: number

  constructor(name: string, domain: Domain, fields: Fields, decide: Decide<never>, index: number) {
    this.name = name
    this.domain = domain
    this.fields = fields
    this.decide = decide
    this.index = index
  }
}
