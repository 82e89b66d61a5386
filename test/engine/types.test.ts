/** What must not compile, must not: each `@ts-expect-error` is checked by the build. */
import { describe, expect, it } from 'vitest'
import {
  bool,
  domain,
  type EngineRejection,
  type ErrorCode,
  int,
  object,
  oneOf,
  ref,
  text,
  u64,
} from '../../engine/index.js'

const bank = domain('types', import.meta.url)
const Account = bank.aggregate('Account', {
  id: text,
  state: { owner: text, balance: int, open: bool, kind: oneOf('current', 'savings') },
})
const Ledger = bank.aggregate('Ledger', { id: u64, state: { holder: Account.id } })
const Node = bank.aggregate('Node', { id: text, state: { parent: ref('Node') } })

class Levels {
  reads = 0
  prices: number[] = []
  best(): number | undefined {
    this.reads++
    return this.prices[0]
  }
}
const Book = bank.aggregate('Book', {
  id: text,
  state: object({
    create: () => new Levels(),
    snapshot: (levels) => levels.prices,
    restore: (prices: number[]) => Object.assign(new Levels(), { prices }),
  }),
})

const Opened = Account.event('Opened', { owner: text, balance: int }, (account, event, meta) => {
  account.owner = event.owner
  account.balance = event.balance
  account.kind = 'savings'
  // @ts-expect-error not one of the values
  account.kind = 'other'
  // @ts-expect-error an event is a fact
  event.balance = 3
  const id: string = meta.id
  account.owner = `${id} ${meta.version}`
})
Book.event('PriceAdded', { price: int }, (book, event) => {
  book.prices.push(event.price)
})
Node.event('Attached', { parent: Node.id }, (node, event) => {
  node.parent = event.parent
})
// @ts-expect-error evolve returns nothing
Account.event('Returning', {}, (account) => account.balance)

bank.command(
  'Transfer',
  { from: Account.id, to: Account.id, amount: int, ledger: Ledger.id },
  (command, tx) => {
    const from = tx.get(Account, command.from)
    if (!from.open) return tx.reject('ACCOUNT_NOT_ACTIVE')
    // @ts-expect-error state is read-only in decide
    from.balance = 3
    // @ts-expect-error deeply
    tx.get(Book, 'x').prices.push(3)
    const best: number | undefined = tx.get(Book, 'x').best()
    const holder: string | undefined = tx.get(Ledger, command.ledger).holder
    const ledger: bigint = command.ledger
    tx.get(Ledger, 3)
    // @ts-expect-error an account is named by text
    tx.get(Account, 3)
    if (!tx.exists(Account, command.to)) return tx.reject('UNKNOWN', { best, holder, ledger })
    tx.emit(Opened, command.from, { owner: 'a', balance: command.amount })
    // @ts-expect-error a field is missing
    tx.emit(Opened, command.from, { owner: 'a' })
  },
)

describe('types', () => {
  it('handlers: an async one compiles neither as evolve nor as decide, and is refused', () => {
    // @ts-expect-error evolve runs to its end
    expect(() => Account.event('Late', { owner: text }, async () => {})).toThrow(/async/)
    // @ts-expect-error decide too
    expect(() => bank.command('Late', {}, async () => {})).toThrow(/async/)
  })
})

it('references: are undefined in state until they are set, and can be cleared', () => {
  const links = domain('links', import.meta.url)
  const Item = links.aggregate('Item', {
    id: text,
    state: { owner: Account.id, ledger: ref('Ledger', u64) },
  })
  Item.event('Cleared', { owner: Account.id }, (item, event) => {
    item.owner = undefined
    item.ledger = undefined
    item.owner = event.owner
    // @ts-expect-error it may be undefined
    const owner: string = item.owner === event.owner ? item.ledger : item.owner
    item.owner = owner
  })
  expect(links.events.length).toBe(1)
})

it('error codes: those that are thrown; a code that only receipts have is none of them', () => {
  const rejection: EngineRejection = 'TRANSACTION_TOO_LARGE'
  // @ts-expect-error nothing throws it
  const thrown: ErrorCode = 'TRANSACTION_TOO_LARGE'
  expect(thrown).toBe(rejection)
})
