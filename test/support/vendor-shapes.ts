/**
 * Payments under the names that Stripe gives to their states and amounts, and what has to hold
 * between those amounts whoever keeps the books.
 */
import type { PaymentView } from './naive-payments.js'

export interface VendorIntent {
  readonly amount: number
  readonly amount_capturable: number
  readonly amount_received: number
  readonly status: string
}

export interface VendorCharge {
  readonly amount: number
  readonly amount_captured: number
  readonly amount_refunded: number
  readonly captured: boolean
  readonly paid: boolean
  readonly refunded: boolean
  readonly status: string
}

const INTENT_STATUS = {
  none: 'requires_payment_method',
  authorised: 'requires_capture',
  captured: 'succeeded',
  voided: 'canceled',
  expired: 'canceled',
} as const

/** A payment that could not be authorised leaves nothing behind: `amount` is what was asked for. */
export function vendorIntentOf(payment: PaymentView | undefined, amount: number): VendorIntent {
  return {
    amount: payment?.amount ?? amount,
    amount_capturable: payment?.capturable ?? 0,
    amount_received: payment?.captured ?? 0,
    status: INTENT_STATUS[payment?.status ?? 'none'],
  }
}

export function vendorChargeOf(payment: PaymentView | undefined, amount: number): VendorCharge {
  const { captured, refunded } = payment ?? { captured: 0, refunded: 0 }
  return {
    amount: payment?.amount ?? amount,
    amount_captured: captured,
    amount_refunded: refunded,
    captured: captured > 0,
    paid: payment !== undefined,
    refunded: captured > 0 && refunded === captured,
    status: payment === undefined ? 'failed' : 'succeeded',
  }
}

/** Which rules an intent breaks. */
export function brokenIntentRules(intent: VendorIntent): string[] {
  const { amount, amount_capturable: capturable, amount_received: received, status } = intent
  return namesOfBroken({
    'nothing is negative': amount >= 0 && capturable >= 0 && received >= 0,
    'captured and capturable are within the amount': capturable + received <= amount,
    'requires_capture: there is something to capture':
      (status === 'requires_capture') === capturable > 0,
    'succeeded: something was received and nothing is left to capture':
      status !== 'succeeded' || (received > 0 && capturable === 0),
    'canceled: nothing was received': status !== 'canceled' || received === 0,
  })
}

/** Which rules a charge breaks. Older ones do not say how much was captured. */
export function brokenChargeRules(charge: Partial<VendorCharge>): string[] {
  const { amount = 0, amount_refunded: refundedAmount = 0, captured, paid, refunded } = charge
  const capturedAmount = charge.amount_captured ?? (captured ? amount : 0)
  return namesOfBroken({
    'refunded is within captured, which is within the amount':
      0 <= refundedAmount && refundedAmount <= capturedAmount && capturedAmount <= amount,
    'captured: something was': captured === capturedAmount > 0,
    'refunded: everything that was captured':
      refunded === (capturedAmount > 0 && refundedAmount === capturedAmount),
    'failed: nothing was paid': charge.status !== 'failed' || (!paid && capturedAmount === 0),
  })
}

function namesOfBroken(rules: Readonly<Record<string, boolean>>): string[] {
  return Object.keys(rules).filter((name) => !rules[name])
}
