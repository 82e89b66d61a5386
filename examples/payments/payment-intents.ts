/**
 * Payments in two steps, as with cards: first the payer's funds are held, later the payee takes
 * them, in full or in part.
 *
 *                     capture what is left, or finally
 *    ┌────────────┐ ─────────────────────────────────────▶ ┌──────────┐ ─┐ refund, never more
 *    │ authorised │   void or expire, something captured   │ captured │  │ than was captured
 *    └────────────┘ ─────────────────────────────────────▶ └──────────┘ ◀┘
 *     ▲   │  ▲  │
 *     │   └──┘  └─ void or expire, nothing captured ─────▶  voided, expired
 *     │  capture a part, not finally
 *   authorise
 *
 * A capture is final or not, with the meaning that Stripe gives to `final_capture`: a final one
 * releases what it leaves to the payer; after any other, the rest stays held for the next capture.
 * What was captured can be refunded at once, also while the rest is still held.
 *
 * Who asks chooses the id of a payment, so that asking twice cannot make two payments. Nothing
 * happens by itself when an authorisation expires: it can no longer be captured, and `ExpirePayment`
 * (or `VoidPayment`) gives the funds back.
 */
import { bool, int, oneOf, u32, uuid } from '../../engine/index.js'
import {
  Account,
  FundsHeld,
  FundsReleased,
  PaymentReceived,
  PaymentSent,
  RefundReceived,
  RefundSent,
} from './accounts.js'
import { payments } from './payments-domain.js'

export const PaymentIntent = payments.aggregate('PaymentIntent', {
  id: uuid,
  state: {
    status: oneOf('none', 'authorised', 'captured', 'voided', 'expired'),
    payer: Account.id,
    payee: Account.id,
    /** As authorised. */
    amount: int,
    /** Still held for this payment. */
    capturable: int,
    captured: int,
    /** Part of what was captured. */
    refunded: int,
    /** From then on it cannot be captured. Microseconds since 1970. */
    expiresAtUs: int,
  },
})

// ── Events ──────────────────────────────────────────────────────────────────────────────────────

export const PaymentAuthorised = PaymentIntent.event(
  'PaymentAuthorised',
  { payer: Account.id, payee: Account.id, amount: int, expiresAtUs: int },
  (intent, event) => {
    intent.status = 'authorised'
    intent.payer = event.payer
    intent.payee = event.payee
    intent.amount = event.amount
    intent.capturable = event.amount
    intent.expiresAtUs = event.expiresAtUs
  },
)

/** `amount` went to the payee, `released` back to the payer. */
export const PaymentCaptured = PaymentIntent.event(
  'PaymentCaptured',
  { amount: int, released: int },
  (intent, { amount, released }) => {
    intent.captured += amount
    intent.capturable -= amount + released
    if (intent.capturable === 0) intent.status = 'captured'
  },
)

export const PaymentVoided = PaymentIntent.event(
  'PaymentVoided',
  { released: int },
  (intent, { released }) => {
    intent.capturable -= released
    intent.status = intent.captured > 0 ? 'captured' : 'voided'
  },
)

export const PaymentExpired = PaymentIntent.event(
  'PaymentExpired',
  { released: int },
  (intent, { released }) => {
    intent.capturable -= released
    intent.status = intent.captured > 0 ? 'captured' : 'expired'
  },
)

export const PaymentRefunded = PaymentIntent.event(
  'PaymentRefunded',
  { amount: int },
  (intent, event) => {
    intent.refunded += event.amount
  },
)

// ── Commands ────────────────────────────────────────────────────────────────────────────────────

const US_PER_MS = 1000

export const AuthorisePayment = payments.command(
  'AuthorisePayment',
  {
    payment: PaymentIntent.id,
    payer: Account.id,
    payee: Account.id,
    amount: int,
    validForMs: u32,
  },
  (command, tx) => {
    const { payment, payer: payerId, payee: payeeId, amount, validForMs } = command
    if (tx.exists(PaymentIntent, payment)) return tx.reject('PAYMENT_EXISTS')
    if (amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (validForMs === 0) return tx.reject('INVALID_EXPIRY')
    if (payerId === payeeId) return tx.reject('SAME_ACCOUNT')
    const payer = tx.get(Account, payerId)
    const payee = tx.get(Account, payeeId)
    if (payer.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (payee.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (payer.currency !== payee.currency) return tx.reject('CURRENCY_MISMATCH')
    if (payer.available < amount) return tx.reject('INSUFFICIENT_FUNDS')
    const expiresAtUs = tx.time + validForMs * US_PER_MS
    tx.emit(PaymentAuthorised, payment, { payer: payerId, payee: payeeId, amount, expiresAtUs })
    tx.emit(FundsHeld, payerId, { payment, amount })
  },
)

export const CapturePayment = payments.command(
  'CapturePayment',
  { payment: PaymentIntent.id, amount: int, final: bool },
  (command, tx) => {
    const { payment, amount, final } = command
    const { status, payer, payee, capturable, expiresAtUs } = tx.get(PaymentIntent, payment)
    if (payer === undefined || payee === undefined) return tx.reject('UNKNOWN_PAYMENT')
    if (status !== 'authorised') return tx.reject('PAYMENT_NOT_AUTHORISED')
    if (tx.time >= expiresAtUs) return tx.reject('PAYMENT_EXPIRED')
    if (amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (amount > capturable) return tx.reject('EXCEEDS_AUTHORISED')
    if (tx.get(Account, payee).status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    const released = final ? capturable - amount : 0
    tx.emit(PaymentCaptured, payment, { amount, released })
    tx.emit(PaymentSent, payer, { payment, amount })
    tx.emit(PaymentReceived, payee, { payment, amount })
    if (released > 0) tx.emit(FundsReleased, payer, { payment, amount: released })
  },
)

export const VoidPayment = payments.command(
  'VoidPayment',
  { payment: PaymentIntent.id },
  ({ payment }, tx) => {
    const { status, payer, capturable } = tx.get(PaymentIntent, payment)
    if (payer === undefined) return tx.reject('UNKNOWN_PAYMENT')
    if (status !== 'authorised') return tx.reject('PAYMENT_NOT_AUTHORISED')
    tx.emit(PaymentVoided, payment, { released: capturable })
    tx.emit(FundsReleased, payer, { payment, amount: capturable })
  },
)

export const ExpirePayment = payments.command(
  'ExpirePayment',
  { payment: PaymentIntent.id },
  ({ payment }, tx) => {
    const { status, payer, capturable, expiresAtUs } = tx.get(PaymentIntent, payment)
    if (payer === undefined) return tx.reject('UNKNOWN_PAYMENT')
    if (status !== 'authorised') return tx.reject('PAYMENT_NOT_AUTHORISED')
    if (tx.time < expiresAtUs) return tx.reject('NOT_YET_EXPIRED')
    tx.emit(PaymentExpired, payment, { released: capturable })
    tx.emit(FundsReleased, payer, { payment, amount: capturable })
  },
)

export const RefundPayment = payments.command(
  'RefundPayment',
  { payment: PaymentIntent.id, amount: int },
  (command, tx) => {
    const { payment, amount } = command
    const { payer, payee, captured, refunded } = tx.get(PaymentIntent, payment)
    if (payer === undefined || payee === undefined) return tx.reject('UNKNOWN_PAYMENT')
    if (amount <= 0) return tx.reject('INVALID_AMOUNT')
    if (amount > captured - refunded) return tx.reject('EXCEEDS_CAPTURED')
    const giver = tx.get(Account, payee)
    if (giver.status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (tx.get(Account, payer).status !== 'active') return tx.reject('ACCOUNT_NOT_ACTIVE')
    if (giver.available < amount) return tx.reject('INSUFFICIENT_FUNDS')
    tx.emit(PaymentRefunded, payment, { amount })
    tx.emit(RefundSent, payee, { payment, amount })
    tx.emit(RefundReceived, payer, { payment, amount })
  },
)
