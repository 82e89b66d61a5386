/** How the benchmarks use the payments domain of examples/payments. */
import type { Engine } from '../engine/index.js'
import payments, {
  Account,
  AuthorisePayment,
  CapturePayment,
  CloseAccount,
  Deposit,
  ExpirePayment,
  OpenAccount,
  OutsideWorld,
  RefundPayment,
  Transfer,
  VoidPayment,
  Withdraw,
} from '../examples/payments/payments.js'
import { imbalanceOf } from '../examples/payments/queries.js'
import type { Answered, DomainUser } from './domain-engine.js'
import {
  AUTHORISE,
  CAPTURE,
  CLOSE_ACCOUNT,
  CURRENCIES,
  DEPOSIT,
  EXPIRE,
  OPEN_ACCOUNT,
  type PaymentsOptions,
  PaymentsTape,
  REFUND,
  TRANSFER,
  VOID,
  WITHDRAW,
} from './payments-tape.js'

export class PaymentsUser implements DomainUser {
  readonly domain = payments
  private readonly tape: PaymentsTape
  private next = 0
  private readonly transfer = { from: 0, to: 0, amount: 0 }
  private readonly cash = { account: 0, amount: 0 }
  private readonly opening = { account: 0, currency: 'EUR' as (typeof CURRENCIES)[number] }
  private readonly closing = { account: 0 }
  private readonly authorisation = { payment: '', payer: 0, payee: 0, amount: 0, validForMs: 0 }
  private readonly capture = { payment: '', amount: 0, final: true }
  private readonly refund = { payment: '', amount: 0 }
  private readonly ending = { payment: '' }

  constructor(options: PaymentsOptions) {
    this.tape = new PaymentsTape(options)
  }

  async open(engine: Engine): Promise<void> {
    this.tape.planOpening()
    this.next = 0
    while (this.next < this.tape.count) {
      while (this.submitNext(engine) === 0) await engine.room()
    }
  }

  plan(count: number): void {
    this.tape.plan(count)
    this.next = 0
  }

  submitNext(engine: Engine): number {
    const ticket = this.submit(engine, this.next)
    if (ticket !== 0) this.next += 1
    return ticket
  }

  /** No money was made or lost in any currency, and the rules refused what a bank's do. */
  verify(engine: Engine, { accepted, rejected }: Answered): void {
    const share = rejected / (accepted + rejected)
    if (share > 0.2) throw new Error(`${rejected} of ${accepted + rejected} were rejected`)
    for (const currency of CURRENCIES) {
      const world = engine.get(OutsideWorld, currency) ?? { balance: 0 }
      const imbalance = imbalanceOf(world, this.accountsOf(engine, currency))
      if (imbalance !== 0) throw new Error(`${imbalance} ${currency} came from nowhere`)
    }
  }

  private *accountsOf(engine: Engine, currency: string) {
    for (let number = 1; number <= this.tape.accounts; number++) {
      const account = engine.get(Account, number)
      if (account !== undefined && account.currency === currency) yield account
    }
  }

  private submit(engine: Engine, at: number): number {
    const { tape } = this
    switch (tape.kinds[at]) {
      case TRANSFER: {
        const { transfer } = this
        transfer.from = tape.first[at]!
        transfer.to = tape.second[at]!
        transfer.amount = tape.amount[at]!
        return engine.submit(Transfer, transfer)
      }
      case DEPOSIT:
        return engine.submit(Deposit, this.cashAt(at))
      case WITHDRAW:
        return engine.submit(Withdraw, this.cashAt(at))
      case OPEN_ACCOUNT:
        this.opening.account = tape.first[at]!
        this.opening.currency = CURRENCIES[tape.extra[at]!]!
        return engine.submit(OpenAccount, this.opening)
      case CLOSE_ACCOUNT:
        this.closing.account = tape.first[at]!
        return engine.submit(CloseAccount, this.closing)
      default:
        return this.submitPayment(engine, at)
    }
  }

  private submitPayment(engine: Engine, at: number): number {
    const { tape, authorisation, capture, refund, ending } = this
    const payment = tape.payment[at]!
    switch (tape.kinds[at]) {
      case AUTHORISE:
        authorisation.payment = payment
        authorisation.payer = tape.first[at]!
        authorisation.payee = tape.second[at]!
        authorisation.amount = tape.amount[at]!
        authorisation.validForMs = tape.extra[at]!
        return engine.submit(AuthorisePayment, authorisation)
      case CAPTURE:
        capture.payment = payment
        capture.amount = tape.amount[at]!
        capture.final = tape.extra[at] === 1
        return engine.submit(CapturePayment, capture)
      case REFUND:
        refund.payment = payment
        refund.amount = tape.amount[at]!
        return engine.submit(RefundPayment, refund)
      case VOID:
        ending.payment = payment
        return engine.submit(VoidPayment, ending)
      case EXPIRE:
        ending.payment = payment
        return engine.submit(ExpirePayment, ending)
      default:
        throw new Error(`kind ${tape.kinds[at]} is not on the tape`)
    }
  }

  private cashAt(at: number): { account: number; amount: number } {
    this.cash.account = this.tape.first[at]!
    this.cash.amount = this.tape.amount[at]!
    return this.cash
  }
}
