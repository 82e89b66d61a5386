/** Accounts and transfers: the domain of the README. */
import { bool, domain, int, text } from '../../engine/index.js'

const bank = domain('bank', import.meta.url)
export default bank

export const Account = bank.aggregate('Account', {
  id: text,
  state: { owner: text, balance: int, open: bool },
})

export const AccountOpened = Account.event(
  'AccountOpened',
  { owner: text, initialBalance: int },
  (account, event) => {
    account.owner = event.owner
    account.balance = event.initialBalance
    account.open = true
  },
)
export const MoneyDeposited = Account.event('MoneyDeposited', { amount: int }, (account, event) => {
  account.balance += event.amount
})
export const MoneyWithdrawn = Account.event('MoneyWithdrawn', { amount: int }, (account, event) => {
  account.balance -= event.amount
})

export const OpenAccount = bank.command(
  'OpenAccount',
  { account: Account.id, owner: text, initialBalance: int },
  (command, tx) => {
    if (tx.exists(Account, command.account)) return tx.reject('ACCOUNT_EXISTS')
    tx.emit(AccountOpened, command.account, {
      owner: command.owner,
      initialBalance: command.initialBalance,
    })
  },
)

export const Transfer = bank.command(
  'Transfer',
  { from: Account.id, to: Account.id, amount: int },
  (command, tx) => {
    const from = tx.get(Account, command.from)
    if (!from.open || !tx.get(Account, command.to).open) return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (command.amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (from.balance < command.amount) return tx.reject('INSUFFICIENT_FUNDS')
    tx.emit(MoneyWithdrawn, command.from, { amount: command.amount })
    tx.emit(MoneyDeposited, command.to, { amount: command.amount })
  },
)
