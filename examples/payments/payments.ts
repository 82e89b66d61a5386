/**
 * Accounts and payments, double-entry: a bank, a wallet or the ledger behind a shop. This module is
 * the whole domain; the rules are in accounts.ts and payment-intents.ts.
 *
 * A command is safe to repeat under an idempotency key, as any command of the engine:
 *
 *   const engine = await Engine.open('./data/payments', payments)
 *   await engine.execute(Transfer, { from: 4711, to: 4712, amount: 25_00 }, { key: 'invoice-77' })
 *
 * A rejected command changes nothing. Its code says why:
 *
 *   ACCOUNT_EXISTS           the number is taken, also by a closed account
 *   ACCOUNT_NOT_ACTIVE       one of the accounts was never opened, or is closed
 *   ACCOUNT_NOT_EMPTY        only an account without money can be closed
 *   FUNDS_HELD               nor can one whose money is held for a payment
 *   INVALID_AMOUNT           amounts are positive
 *   INSUFFICIENT_FUNDS       less is available: held funds cannot be spent
 *   SAME_ACCOUNT             from an account to itself
 *   CURRENCY_MISMATCH        the accounts have different currencies
 *   LIMIT_EXCEEDED           there would be more money in the currency than can be counted exactly
 *   PAYMENT_EXISTS           the id is taken, whatever became of that payment
 *   UNKNOWN_PAYMENT          no payment has this id
 *   INVALID_EXPIRY           an authorisation is valid for a millisecond at least
 *   PAYMENT_NOT_AUTHORISED   it is captured, voided or expired: nothing is held any more
 *   PAYMENT_EXPIRED          too late to capture; the funds wait for ExpirePayment or VoidPayment
 *   NOT_YET_EXPIRED          too early to expire
 *   EXCEEDS_AUTHORISED       more than is still held for the payment
 *   EXCEEDS_CAPTURED         more than was captured and not yet refunded
 */
export * from './accounts.js'
export * from './outside-world.js'
export * from './payment-intents.js'
export { payments as default } from './payments-domain.js'
