/**
 * Bank accounts. Money is an integer in minor units (cents, pence) of the account's one currency;
 * it never moves between currencies.
 *
 *   balance = available + held
 *
 * `available` can be spent. `held` is set aside for payments that are authorised and not yet
 * captured (payment-intents.ts); nothing else can touch it.
 */
import { int, oneOf, ref, u64, uuid } from '../../engine/index.js'
import { MoneyCameIn, MoneyWentOut, OutsideWorld } from './outside-world.js'
import { currency, payments } from './payments-domain.js'

export const Account = payments.aggregate('Account', {
  id: u64,
  state: { status: oneOf('none', 'active', 'closed'), currency, available: int, held: int },
})

const payment = ref('PaymentIntent', uuid)

// ── Events ──────────────────────────────────────────────────────────────────────────────────────

export const AccountOpened = Account.event('AccountOpened', { currency }, (account, event) => {
  account.status = 'active'
  account.currency = event.currency
})

export const AccountClosed = Account.event('AccountClosed', {}, (account) => {
  account.status = 'closed'
})

export const Deposited = Account.event('Deposited', { amount: int }, (account, event) => {
  account.available += event.amount
})

export const Withdrawn = Account.event('Withdrawn', { amount: int }, (account, event) => {
  account.available -= event.amount
})

export const TransferSent = Account.event(
  'TransferSent',
  { to: Account.id, amount: int },
  (account, event) => {
    account.available -= event.amount
  },
)

export const TransferReceived = Account.event(
  'TransferReceived',
  { from: Account.id, amount: int },
  (account, event) => {
    account.available += event.amount
  },
)

const ofPayment = { payment, amount: int }

/** A payment was authorised: its amount is set aside. */
export const FundsHeld = Account.event('FundsHeld', ofPayment, (account, { amount }) => {
  account.available -= amount
  account.held += amount
})

/** What a payment will not take any more can be spent again. */
export const FundsReleased = Account.event('FundsReleased', ofPayment, (account, { amount }) => {
  account.held -= amount
  account.available += amount
})

/** Held funds were captured: they left the payer. */
export const PaymentSent = Account.event('PaymentSent', ofPayment, (account, { amount }) => {
  account.held -= amount
})

export const PaymentReceived = Account.event('PaymentReceived', ofPayment, (account, event) => {
  account.available += event.amount
})

export const RefundSent = Account.event('RefundSent', ofPayment, (account, event) => {
  account.available -= event.amount
})

export const RefundReceived = Account.event('RefundReceived', ofPayment, (account, event) => {
  account.available += event.amount
})

// ── Commands ────────────────────────────────────────────────────────────────────────────────────

/** The number of an account is used once: a closed account cannot be opened again. */
export const OpenAccount = payments.command(
  'OpenAccount',
  { account: Account.id, currency },
  (command, tx) => {
    if (tx.exists(Account, command.account)) return tx.reject('ACCOUNT_EXISTS')
    tx.emit(AccountOpened, command.account, { currency: command.currency })
  },
)

/**
 * Only here does money come into being, so only here can there be too much of it: as long as the
 * sum of a currency is exact, so is every balance in it.
 */
export const Deposit = payments.command(
  'Deposit',
  { account: Account.id, amount: int },
  (command, tx) => {
    const { account: id, amount } = command
    const account = tx.get(Account, id)
    if (amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (account.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    const inCirculation = -tx.get(OutsideWorld, account.currency).balance
    if (amount > Number.MAX_SAFE_INTEGER - inCirculation) return tx.reject('LIMIT_EXCEEDED')
    tx.emit(MoneyCameIn, account.currency, { account: id, amount })
    tx.emit(Deposited, id, { amount })
  },
)

export const Withdraw = payments.command(
  'Withdraw',
  { account: Account.id, amount: int },
  (command, tx) => {
    const { account: id, amount } = command
    const account = tx.get(Account, id)
    if (amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (account.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (account.available < amount) return tx.reject('INSUFFICIENT_FUNDS')
    tx.emit(Withdrawn, id, { amount })
    tx.emit(MoneyWentOut, account.currency, { account: id, amount })
  },
)

export const Transfer = payments.command(
  'Transfer',
  { from: Account.id, to: Account.id, amount: int },
  (command, tx) => {
    const { from, to, amount } = command
    const sender = tx.get(Account, from)
    const receiver = tx.get(Account, to)
    if (amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (from === to) return tx.reject('SAME_ACCOUNT')
    if (sender.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (receiver.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (sender.currency !== receiver.currency) return tx.reject('CURRENCY_MISMATCH')
    if (sender.available < amount) return tx.reject('INSUFFICIENT_FUNDS')
    tx.emit(TransferSent, from, { to, amount })
    tx.emit(TransferReceived, to, { from, amount })
  },
)

export const CloseAccount = payments.command(
  'CloseAccount',
  { account: Account.id },
  (command, tx) => {
    const account = tx.get(Account, command.account)
    if (account.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (account.held !== 0) return tx.reject('FUNDS_HELD')
    if (account.available !== 0) return tx.reject('ACCOUNT_NOT_EMPTY')
    tx.emit(AccountClosed, command.account, {})
  },
)
