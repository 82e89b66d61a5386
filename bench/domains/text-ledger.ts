/** The ledger (ledger.ts) with ids that are text. */
import { domain, int, text } from '../../engine/index.js'

const ledger = domain('text-ledger', import.meta.url)
export default ledger

export const Account = ledger.aggregate('Account', { id: text, state: { balance: int } })

export const Credited = Account.event('Credited', { amount: int }, (account, event) => {
  account.balance += event.amount
})
export const Debited = Account.event('Debited', { amount: int }, (account, event) => {
  account.balance -= event.amount
})

export const Deposit = ledger.command(
  'Deposit',
  { account: Account.id, amount: int },
  (command, tx) => {
    tx.emit(Credited, command.account, { amount: command.amount })
  },
)

export const Transfer = ledger.command(
  'Transfer',
  { from: Account.id, to: Account.id, amount: int },
  (command, tx) => {
    const from = tx.get(Account, command.from)
    if (command.amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (from.balance < command.amount) return tx.reject('INSUFFICIENT_FUNDS')
    tx.emit(Debited, command.from, { amount: command.amount })
    tx.emit(Credited, command.to, { amount: command.amount })
  },
)
