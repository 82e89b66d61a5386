/**
 * An endless, seeded mix of all commands of the payments domain, in the proportions of a bank that
 * also runs a card business: mostly transfers, most payments captured in full and at once, a few
 * commands that the rules refuse. It knows nothing of balances: what is refused, the engine says.
 *
 *   for (const [command, value] of mix.opening()) …   opens and funds the accounts
 *   mix.next(); submit(mix.command, mix.value)        for ever
 *
 * `next` reuses one value object a command, so that a benchmark measures the engine and not the
 * garbage of its generator: encode the value before the next call.
 */
import type { CommandType } from '../engine/index.js'
import { createRandom } from '../engine/random.js'
import {
  AuthorisePayment,
  CapturePayment,
  CloseAccount,
  Deposit,
  ExpirePayment,
  OpenAccount,
  RefundPayment,
  Transfer,
  VoidPayment,
  Withdraw,
} from '../examples/payments/payments.js'

/** Of 1,000 commands. */
const SHARES = {
  Transfer: 465,
  Deposit: 90,
  Withdraw: 60,
  AuthorisePayment: 170,
  CapturePayment: 155,
  RefundPayment: 25,
  VoidPayment: 10,
  ExpirePayment: 10,
  OpenAccount: 10,
  CloseAccount: 5,
}
const CHOICES = Object.entries(SHARES).flatMap(([name, share]) =>
  new Array<keyof typeof SHARES>(share).fill(name as keyof typeof SHARES),
)

/** Of 100 captures: those that leave something, finally or for a later one. */
const CAPTURES_IN_PART = 8
/** Of 100 accounts, as many are in another currency, so that some transfers are refused. */
const FOREIGN_ACCOUNTS = 1
/** Of 100 authorisations, as many are made to expire at once. */
const SHORT_AUTHORISATIONS = 5

/** So few that some accounts run dry. */
const FUNDS = 200_000
const WEEK_MS = 7 * 24 * 3_600_000
/** From 1 to 200,000, mostly small: half of them below 450. */
const AMOUNTS = Array.from({ length: 4_096 }, (_, index) => Math.floor(200_000 ** (index / 4_096)))
/** Payments under way, a power of two: the oldest are captured first, and more are forgotten. */
const PAYMENTS_KEPT = 1 << 16

/** Ids and what is left of payments, first in, first out; full: the oldest is overwritten. */
class PaymentQueue {
  private readonly ids: string[] = new Array<string>(PAYMENTS_KEPT).fill('')
  private readonly amounts = new Float64Array(PAYMENTS_KEPT)
  private first = 0
  private end = 0

  get isEmpty(): boolean {
    return this.first === this.end
  }

  add(id: string, amount: number): void {
    const place = this.end & (PAYMENTS_KEPT - 1)
    this.ids[place] = id
    this.amounts[place] = amount
    this.end += 1
    if (this.end - this.first > PAYMENTS_KEPT) this.first += 1
  }

  /** Moves the oldest into `value`. */
  take(value: { payment: string; amount: number }): void {
    const place = this.first & (PAYMENTS_KEPT - 1)
    value.payment = this.ids[place]!
    value.amount = this.amounts[place]!
    this.first += 1
  }
}

export interface PaymentsMixOptions {
  readonly seed: number
  /** Accounts that are there from the beginning; they have the numbers from 1. */
  readonly accounts: number
}

export class PaymentsMix {
  command: CommandType<unknown> = Transfer as CommandType<unknown>
  value: object

  private readonly accounts: number
  private readonly random: () => number
  private opened: number
  private closed: number
  private paymentCount = 0
  private readonly authorised = new PaymentQueue()
  private readonly shortLived = new PaymentQueue()
  private readonly captured = new PaymentQueue()

  private readonly newAccount = { account: 0, currency: 'EUR' as const }
  private readonly closing = { account: 0 }
  private readonly cash = { account: 0, amount: 0 }
  private readonly transfer = { from: 0, to: 0, amount: 0 }
  private readonly authorisation = { payment: '', payer: 0, payee: 0, amount: 0, validForMs: 0 }
  private readonly capture = { payment: '', amount: 0, final: true }
  private readonly refund = { payment: '', amount: 0 }
  private readonly ending = { payment: '', amount: 0 }

  constructor({ seed, accounts }: PaymentsMixOptions) {
    this.accounts = accounts
    this.opened = accounts
    this.closed = accounts
    this.value = this.transfer
    this.random = createRandom(Uint32Array.of(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162))
  }

  /** What comes before the mix: two commands an account. */
  *opening(): Generator<[command: CommandType<unknown>, value: object]> {
    for (let account = 1; account <= this.accounts; account++) {
      const currency = account % 100 < FOREIGN_ACCOUNTS ? 'USD' : 'EUR'
      yield [OpenAccount as CommandType<unknown>, { account, currency }]
      yield [Deposit as CommandType<unknown>, { account, amount: FUNDS }]
    }
  }

  /** Moves `command` and `value` on. */
  next(): void {
    switch (CHOICES[Math.floor(this.random() * CHOICES.length)]!) {
      case 'Deposit':
        return this.nextCash(Deposit)
      case 'Withdraw':
        return this.nextCash(Withdraw)
      case 'AuthorisePayment':
        return this.nextAuthorisation()
      case 'CapturePayment':
        return this.authorised.isEmpty ? this.nextAuthorisation() : this.nextCapture()
      case 'RefundPayment':
        return this.captured.isEmpty ? this.nextAuthorisation() : this.nextRefund()
      case 'VoidPayment':
        return this.nextEnding(VoidPayment, this.authorised)
      case 'ExpirePayment':
        return this.nextEnding(ExpirePayment, this.shortLived)
      case 'OpenAccount':
        return this.nextOpening()
      case 'CloseAccount':
        return this.nextClosing()
      case 'Transfer':
        return this.nextTransfer()
    }
  }

  private nextCash(command: typeof Deposit): void {
    this.cash.account = this.someAccount()
    this.cash.amount = this.someAmount()
    this.set(command, this.cash)
  }

  private nextTransfer(): void {
    const { transfer } = this
    transfer.from = this.someAccount()
    transfer.to = this.someAccount()
    transfer.amount = this.someAmount()
    this.set(Transfer, transfer)
  }

  private nextAuthorisation(): void {
    const { authorisation } = this
    const isShort = this.random() * 100 < SHORT_AUTHORISATIONS
    authorisation.payment = paymentId(++this.paymentCount)
    authorisation.payer = this.someAccount()
    authorisation.payee = this.someAccount()
    authorisation.amount = this.someAmount()
    authorisation.validForMs = isShort ? 1 : WEEK_MS
    const queue = isShort ? this.shortLived : this.authorised
    queue.add(authorisation.payment, authorisation.amount)
    this.set(AuthorisePayment, authorisation)
  }

  private nextCapture(): void {
    const { capture, random } = this
    this.authorised.take(capture)
    capture.final = true
    const left = capture.amount
    if (left > 1 && random() * 100 < CAPTURES_IN_PART) {
      capture.amount = 1 + Math.floor(random() * (left - 1))
      capture.final = random() < 0.5
      if (!capture.final) this.authorised.add(capture.payment, left - capture.amount)
    }
    this.captured.add(capture.payment, capture.amount)
    this.set(CapturePayment, capture)
  }

  private nextRefund(): void {
    const { refund, random } = this
    this.captured.take(refund)
    if (random() < 0.3) refund.amount = Math.ceil(refund.amount * random())
    this.set(RefundPayment, refund)
  }

  private nextEnding(command: typeof VoidPayment, queue: PaymentQueue): void {
    if (queue.isEmpty) return this.nextAuthorisation()
    queue.take(this.ending)
    this.set(command, this.ending)
  }

  private nextOpening(): void {
    this.newAccount.account = ++this.opened
    this.set(OpenAccount, this.newAccount)
  }

  /** An account that was opened later has no money; any other is refused. */
  private nextClosing(): void {
    this.closing.account = this.closed < this.opened ? ++this.closed : this.someAccount()
    this.set(CloseAccount, this.closing)
  }

  private set<Input extends object>(command: CommandType<Input>, value: Input): void {
    this.command = command as CommandType<unknown>
    this.value = value
  }

  private someAccount(): number {
    return 1 + Math.floor(this.random() * this.accounts)
  }

  private someAmount(): number {
    return AMOUNTS[Math.floor(this.random() * AMOUNTS.length)]!
  }
}

const HEX = Array.from({ length: 0x1_0000 }, (_, value) => value.toString(16).padStart(4, '0'))

/** Different for different counts, and scattered, as random ids are. */
function paymentId(count: number): string {
  const scattered = Math.imul(count, 0x9e3779b1)
  const high = HEX[scattered >>> 16]!
  const low = HEX[scattered & 0xffff]!
  return `${high}${low}-${low}-4000-8000-${HEX[Math.floor(count / 2 ** 32)]}${HEX[(count >>> 16) & 0xffff]}${HEX[count & 0xffff]}`
}
