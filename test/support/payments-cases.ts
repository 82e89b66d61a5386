/**
 * What the rules of examples/payments say, case by case: given these commands, when this one comes,
 * then these events happen, or this code says why not.
 */
import type { Currency, PaymentsCommand, PaymentsOutcome } from './naive-payments.js'

export const [ALICE, BOB, CAROL, NOBODY] = [1, 2, 3, 4]
export const [PAYMENT, OTHER_PAYMENT] = [1, 2]
const HOUR_MS = 3_600_000

export function open(account: number, currency: Currency = 'EUR'): PaymentsCommand {
  return { type: 'OpenAccount', account, currency }
}
function close(account: number): PaymentsCommand {
  return { type: 'CloseAccount', account }
}
export function deposit(account: number, amount: number): PaymentsCommand {
  return { type: 'Deposit', account, amount }
}
export function withdraw(account: number, amount: number): PaymentsCommand {
  return { type: 'Withdraw', account, amount }
}
export function transfer(from: number, to: number, amount: number): PaymentsCommand {
  return { type: 'Transfer', from, to, amount }
}
export function authorise(
  amount: number,
  { payment = PAYMENT, payer = ALICE, payee = BOB, validForMs = HOUR_MS } = {},
): PaymentsCommand {
  return { type: 'AuthorisePayment', payment, payer, payee, amount, validForMs }
}
export function capture(amount: number): PaymentsCommand {
  return { type: 'CapturePayment', payment: PAYMENT, amount, final: true }
}
export function capturePart(amount: number): PaymentsCommand {
  return { type: 'CapturePayment', payment: PAYMENT, amount, final: false }
}
export function refund(amount: number): PaymentsCommand {
  return { type: 'RefundPayment', payment: PAYMENT, amount }
}
export const voidPayment: PaymentsCommand = { type: 'VoidPayment', payment: PAYMENT }
export const expire: PaymentsCommand = { type: 'ExpirePayment', payment: PAYMENT }

/** Alice has 100; Bob, who also has euros, and Carol, who has dollars, have nothing. */
export const opened = [open(ALICE), open(BOB), open(CAROL, 'USD'), deposit(ALICE, 100)]
/** Of Alice's 100, 60 are held for a payment to Bob. */
const authorised = [...opened, authorise(60)]
/** Bob got 60 from Alice. */
const captured = [...authorised, capture(60)]

export interface Accepted {
  readonly given: readonly PaymentsCommand[]
  readonly when: PaymentsCommand
  readonly gives: PaymentsOutcome
  /** Available and held afterwards. */
  readonly alice?: readonly [available: number, held: number]
  readonly bob?: readonly [available: number, held: number]
  /** Status, capturable, captured and refunded afterwards. */
  readonly payment?: readonly [string, number, number, number]
}

export const accepted: Record<string, Accepted> = {
  'OpenAccount: opens an account with nothing on it': {
    given: [],
    when: open(ALICE, 'GBP'),
    gives: [['AccountOpened', ALICE, { currency: 'GBP' }]],
    alice: [0, 0],
  },
  'Deposit: takes money from the outside world': {
    given: [open(ALICE)],
    when: deposit(ALICE, 1),
    gives: [
      ['MoneyCameIn', 'EUR', { account: ALICE, amount: 1 }],
      ['Deposited', ALICE, { amount: 1 }],
    ],
    alice: [1, 0],
  },
  'Withdraw: gives back everything that is available': {
    given: opened,
    when: withdraw(ALICE, 100),
    gives: [
      ['Withdrawn', ALICE, { amount: 100 }],
      ['MoneyWentOut', 'EUR', { account: ALICE, amount: 100 }],
    ],
    alice: [0, 0],
  },
  'Transfer: moves everything that is available': {
    given: opened,
    when: transfer(ALICE, BOB, 100),
    gives: [
      ['TransferSent', ALICE, { to: BOB, amount: 100 }],
      ['TransferReceived', BOB, { from: ALICE, amount: 100 }],
    ],
    alice: [0, 0],
    bob: [100, 0],
  },
  'Transfer: does not touch held funds (just what is available beside them)': {
    given: authorised,
    when: transfer(ALICE, BOB, 40),
    gives: [
      ['TransferSent', ALICE, { to: BOB, amount: 40 }],
      ['TransferReceived', BOB, { from: ALICE, amount: 40 }],
    ],
    alice: [0, 60],
    bob: [40, 0],
  },
  'CloseAccount: closes an empty account': {
    given: [...opened, withdraw(ALICE, 100)],
    when: close(ALICE),
    gives: [['AccountClosed', ALICE, {}]],
  },
  'AuthorisePayment: holds funds of the payer, up to all of them': {
    given: opened,
    when: authorise(100),
    gives: [
      ['PaymentAuthorised', PAYMENT, { payer: ALICE, payee: BOB, amount: 100 }],
      ['FundsHeld', ALICE, { payment: PAYMENT, amount: 100 }],
    ],
    alice: [0, 100],
    bob: [0, 0],
    payment: ['authorised', 100, 0, 0],
  },
  'CapturePayment: in full': {
    given: authorised,
    when: capture(60),
    gives: [
      ['PaymentCaptured', PAYMENT, { amount: 60, released: 0 }],
      ['PaymentSent', ALICE, { payment: PAYMENT, amount: 60 }],
      ['PaymentReceived', BOB, { payment: PAYMENT, amount: 60 }],
    ],
    alice: [40, 0],
    bob: [60, 0],
    payment: ['captured', 0, 60, 0],
  },
  'CapturePayment: in part and finally, which releases the rest': {
    given: authorised,
    when: capture(59),
    gives: [
      ['PaymentCaptured', PAYMENT, { amount: 59, released: 1 }],
      ['PaymentSent', ALICE, { payment: PAYMENT, amount: 59 }],
      ['PaymentReceived', BOB, { payment: PAYMENT, amount: 59 }],
      ['FundsReleased', ALICE, { payment: PAYMENT, amount: 1 }],
    ],
    alice: [41, 0],
    bob: [59, 0],
    payment: ['captured', 0, 59, 0],
  },
  'CapturePayment: in part and not finally, which keeps the rest held': {
    given: authorised,
    when: capturePart(20),
    gives: [
      ['PaymentCaptured', PAYMENT, { amount: 20, released: 0 }],
      ['PaymentSent', ALICE, { payment: PAYMENT, amount: 20 }],
      ['PaymentReceived', BOB, { payment: PAYMENT, amount: 20 }],
    ],
    alice: [40, 40],
    bob: [20, 0],
    payment: ['authorised', 40, 20, 0],
  },
  'CapturePayment: part by part until nothing is left, which ends it (not final)': {
    given: [...authorised, capturePart(20), capturePart(39)],
    when: capturePart(1),
    gives: [
      ['PaymentCaptured', PAYMENT, { amount: 1, released: 0 }],
      ['PaymentSent', ALICE, { payment: PAYMENT, amount: 1 }],
      ['PaymentReceived', BOB, { payment: PAYMENT, amount: 1 }],
    ],
    alice: [40, 0],
    bob: [60, 0],
    payment: ['captured', 0, 60, 0],
  },
  'VoidPayment: releases what is held': {
    given: authorised,
    when: voidPayment,
    gives: [
      ['PaymentVoided', PAYMENT, { released: 60 }],
      ['FundsReleased', ALICE, { payment: PAYMENT, amount: 60 }],
    ],
    alice: [100, 0],
    bob: [0, 0],
    payment: ['voided', 0, 0, 0],
  },
  'VoidPayment: releases the rest of a payment captured in part': {
    given: [...authorised, capturePart(20)],
    when: voidPayment,
    gives: [
      ['PaymentVoided', PAYMENT, { released: 40 }],
      ['FundsReleased', ALICE, { payment: PAYMENT, amount: 40 }],
    ],
    alice: [80, 0],
    bob: [20, 0],
    payment: ['captured', 0, 20, 0],
  },
  'VoidPayment: works although the payee was closed': {
    given: [...authorised, close(BOB)],
    when: voidPayment,
    gives: [
      ['PaymentVoided', PAYMENT, { released: 60 }],
      ['FundsReleased', ALICE, { payment: PAYMENT, amount: 60 }],
    ],
    alice: [100, 0],
  },
  'RefundPayment: in full': {
    given: captured,
    when: refund(60),
    gives: [
      ['PaymentRefunded', PAYMENT, { amount: 60 }],
      ['RefundSent', BOB, { payment: PAYMENT, amount: 60 }],
      ['RefundReceived', ALICE, { payment: PAYMENT, amount: 60 }],
    ],
    alice: [100, 0],
    bob: [0, 0],
    payment: ['captured', 0, 60, 60],
  },
  'RefundPayment: in parts, up to what was captured': {
    given: [...captured, refund(25)],
    when: refund(35),
    gives: [
      ['PaymentRefunded', PAYMENT, { amount: 35 }],
      ['RefundSent', BOB, { payment: PAYMENT, amount: 35 }],
      ['RefundReceived', ALICE, { payment: PAYMENT, amount: 35 }],
    ],
    alice: [100, 0],
    payment: ['captured', 0, 60, 60],
  },
  'RefundPayment: of what was captured, while the rest is still held': {
    given: [...authorised, capturePart(20)],
    when: refund(20),
    gives: [
      ['PaymentRefunded', PAYMENT, { amount: 20 }],
      ['RefundSent', BOB, { payment: PAYMENT, amount: 20 }],
      ['RefundReceived', ALICE, { payment: PAYMENT, amount: 20 }],
    ],
    alice: [60, 40],
    bob: [0, 0],
    payment: ['authorised', 40, 20, 20],
  },
}

type Rejected = [
  code: string,
  condition: string,
  given: readonly PaymentsCommand[],
  when: PaymentsCommand,
]

export const rejected: Rejected[] = [
  ['ACCOUNT_EXISTS', 'open', [open(ALICE)], open(ALICE)],
  ['ACCOUNT_EXISTS', 'other currency', [open(ALICE)], open(ALICE, 'USD')],
  ['ACCOUNT_EXISTS', 'closed', [open(ALICE), close(ALICE)], open(ALICE)],
  ['INVALID_AMOUNT', 'deposit of 0', opened, deposit(ALICE, 0)],
  ['INVALID_AMOUNT', 'negative deposit', opened, deposit(ALICE, -1)],
  ['INVALID_AMOUNT', 'withdrawal of 0', opened, withdraw(ALICE, 0)],
  ['INVALID_AMOUNT', 'negative withdrawal', opened, withdraw(ALICE, -1)],
  ['INVALID_AMOUNT', 'transfer of 0', opened, transfer(ALICE, BOB, 0)],
  ['INVALID_AMOUNT', 'negative transfer', opened, transfer(ALICE, BOB, -1)],
  ['INVALID_AMOUNT', 'authorisation of 0', opened, authorise(0)],
  ['INVALID_AMOUNT', 'negative authorisation', opened, authorise(-1)],
  ['INVALID_AMOUNT', 'capture of 0', authorised, capture(0)],
  ['INVALID_AMOUNT', 'negative capture', authorised, capturePart(-1)],
  ['INVALID_AMOUNT', 'refund of 0', captured, refund(0)],
  ['INVALID_AMOUNT', 'negative refund', captured, refund(-1)],
  ['ACCOUNT_NOT_ACTIVE', 'deposit, never opened', opened, deposit(NOBODY, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'deposit, closed', [...opened, close(BOB)], deposit(BOB, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'withdrawal, never opened', opened, withdraw(NOBODY, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'withdrawal, closed', [...opened, close(BOB)], withdraw(BOB, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'transfer to nobody', opened, transfer(ALICE, NOBODY, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'transfer from nobody', opened, transfer(NOBODY, ALICE, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'transfer, closed', [...opened, close(BOB)], transfer(ALICE, BOB, 1)],
  ['ACCOUNT_NOT_ACTIVE', 'close, never opened', opened, close(NOBODY)],
  ['ACCOUNT_NOT_ACTIVE', 'close, closed', [...opened, close(BOB)], close(BOB)],
  ['ACCOUNT_NOT_ACTIVE', 'payer nobody', opened, authorise(1, { payer: NOBODY })],
  ['ACCOUNT_NOT_ACTIVE', 'payee nobody', opened, authorise(1, { payee: NOBODY })],
  ['ACCOUNT_NOT_ACTIVE', 'payee closed since', [...authorised, close(BOB)], capture(60)],
  [
    'ACCOUNT_NOT_ACTIVE',
    'refund, payee closed since',
    [...captured, transfer(BOB, ALICE, 60), close(BOB)],
    refund(1),
  ],
  [
    'ACCOUNT_NOT_ACTIVE',
    'refund, payer closed since',
    [...captured, withdraw(ALICE, 40), close(ALICE)],
    refund(1),
  ],
  ['ACCOUNT_NOT_EMPTY', 'one cent', [open(ALICE), deposit(ALICE, 1)], close(ALICE)],
  ['FUNDS_HELD', 'nothing available', [...opened, authorise(100)], close(ALICE)],
  ['INSUFFICIENT_FUNDS', 'withdrawal', opened, withdraw(ALICE, 101)],
  ['INSUFFICIENT_FUNDS', 'withdrawal of held funds', authorised, withdraw(ALICE, 41)],
  ['INSUFFICIENT_FUNDS', 'transfer', opened, transfer(ALICE, BOB, 101)],
  ['INSUFFICIENT_FUNDS', 'transfer of held funds', authorised, transfer(ALICE, BOB, 41)],
  ['INSUFFICIENT_FUNDS', 'authorisation', opened, authorise(101)],
  [
    'INSUFFICIENT_FUNDS',
    'authorisation of held funds',
    authorised,
    authorise(41, { payment: OTHER_PAYMENT }),
  ],
  ['INSUFFICIENT_FUNDS', 'refund', [...captured, withdraw(BOB, 1)], refund(60)],
  ['SAME_ACCOUNT', 'transfer', opened, transfer(ALICE, ALICE, 1)],
  ['SAME_ACCOUNT', 'authorisation', opened, authorise(1, { payee: ALICE })],
  ['CURRENCY_MISMATCH', 'transfer', opened, transfer(ALICE, CAROL, 1)],
  ['CURRENCY_MISMATCH', 'authorisation', opened, authorise(1, { payee: CAROL })],
  ['PAYMENT_EXISTS', 'authorised', authorised, authorise(1)],
  ['PAYMENT_EXISTS', 'voided', [...authorised, voidPayment], authorise(60)],
  ['UNKNOWN_PAYMENT', 'capture', opened, capture(1)],
  ['UNKNOWN_PAYMENT', 'void', opened, voidPayment],
  ['UNKNOWN_PAYMENT', 'expire', opened, expire],
  ['UNKNOWN_PAYMENT', 'refund', opened, refund(1)],
  ['INVALID_EXPIRY', 'valid for 0 ms', opened, authorise(1, { validForMs: 0 })],
  ['PAYMENT_NOT_AUTHORISED', 'capture after capture', captured, capture(1)],
  ['PAYMENT_NOT_AUTHORISED', 'void after capture', captured, voidPayment],
  ['PAYMENT_NOT_AUTHORISED', 'expire after capture', captured, expire],
  ['PAYMENT_NOT_AUTHORISED', 'capture after void', [...authorised, voidPayment], capture(1)],
  ['PAYMENT_NOT_AUTHORISED', 'void after void', [...authorised, voidPayment], voidPayment],
  ['NOT_YET_EXPIRED', 'an hour early', authorised, expire],
  ['EXCEEDS_AUTHORISED', 'in full', authorised, capture(61)],
  ['EXCEEDS_AUTHORISED', 'what is left', [...authorised, capturePart(20)], capture(41)],
  ['EXCEEDS_CAPTURED', 'in full', captured, refund(61)],
  ['EXCEEDS_CAPTURED', 'what is left', [...captured, refund(25)], refund(36)],
  ['EXCEEDS_CAPTURED', 'nothing captured', authorised, refund(1)],
  ['EXCEEDS_CAPTURED', 'voided', [...authorised, voidPayment], refund(1)],
]
