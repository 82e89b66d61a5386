/**
 * The payments mix (payments-mix.ts), made up ahead into flat arrays, so that reading it costs next
 * to nothing while the clock runs. What a field means depends on the kind of command:
 *
 *   kind                            first     second    amount   extra         payment
 *   Transfer                        from      to        amount
 *   Deposit, Withdraw               account             amount
 *   OpenAccount                     account                      currency (index)
 *   CloseAccount                    account
 *   AuthorisePayment                payer     payee     amount   validForMs    payment
 *   CapturePayment                                      amount   1: final      payment
 *   RefundPayment                                       amount                 payment
 *   VoidPayment, ExpirePayment                                                 payment
 */
import type { WorkOptions } from './domain-engine.js'
import { PaymentsMix } from './payments-mix.js'

export interface PaymentsOptions extends WorkOptions {
  /** Open from the beginning, with the numbers from 1. */
  readonly accounts: number
}

export const KINDS = [
  'Transfer',
  'Deposit',
  'Withdraw',
  'OpenAccount',
  'CloseAccount',
  'AuthorisePayment',
  'CapturePayment',
  'RefundPayment',
  'VoidPayment',
  'ExpirePayment',
] as const
// Places in KINDS.
export const TRANSFER = 0
export const DEPOSIT = 1
export const WITHDRAW = 2
export const OPEN_ACCOUNT = 3
export const CLOSE_ACCOUNT = 4
export const AUTHORISE = 5
export const CAPTURE = 6
export const REFUND = 7
export const VOID = 8
export const EXPIRE = 9

/** As the domain declares them. */
export const CURRENCIES = ['EUR', 'GBP', 'JPY', 'USD'] as const

/** All fields that a command of the mix may have. */
interface AnyValue {
  readonly account?: number
  readonly from?: number
  readonly to?: number
  readonly payer?: number
  readonly payee?: number
  readonly amount?: number
  readonly currency?: (typeof CURRENCIES)[number]
  readonly validForMs?: number
  readonly final?: boolean
  readonly payment?: string
}

export class PaymentsTape {
  count = 0
  kinds = new Uint8Array(0)
  first = new Float64Array(0)
  second = new Float64Array(0)
  amount = new Float64Array(0)
  extra = new Float64Array(0)
  payment: string[] = []
  /** Highest number of an account that was planned so far. */
  accounts: number
  private readonly mix: PaymentsMix
  private readonly initialAccounts: number

  constructor({ seed, accounts }: Pick<PaymentsOptions, 'seed' | 'accounts'>) {
    this.mix = new PaymentsMix({ seed, accounts })
    this.accounts = accounts
    this.initialAccounts = accounts
  }

  /** Overwrites the tape with what opens and funds the accounts. */
  planOpening(): void {
    this.reserve(2 * this.initialAccounts)
    let at = 0
    for (const [command, value] of this.mix.opening()) this.put(at++, command.name, value)
    this.count = at
  }

  /** Overwrites the tape with the next `count` commands of the mix. */
  plan(count: number): void {
    this.reserve(count)
    const { mix } = this
    for (let at = 0; at < count; at++) {
      mix.next()
      this.put(at, mix.command.name, mix.value)
    }
    this.count = count
  }

  private put(at: number, name: string, value: AnyValue): void {
    const kind = KINDS.indexOf(name as (typeof KINDS)[number])
    if (kind < 0) throw new Error(`command ${name} is not on the tape`)
    const { account, from, payer, to, payee, currency } = value
    this.kinds[at] = kind
    this.first[at] = account ?? from ?? payer ?? 0
    this.second[at] = to ?? payee ?? 0
    this.amount[at] = value.amount ?? 0
    this.extra[at] =
      currency === undefined
        ? (value.validForMs ?? Number(value.final ?? false))
        : CURRENCIES.indexOf(currency)
    this.payment[at] = value.payment ?? ''
    if (kind === OPEN_ACCOUNT) this.accounts = Math.max(this.accounts, account!)
  }

  private reserve(count: number): void {
    if (this.kinds.length >= count) return
    this.kinds = new Uint8Array(count)
    this.first = new Float64Array(count)
    this.second = new Float64Array(count)
    this.amount = new Float64Array(count)
    this.extra = new Float64Array(count)
    this.payment = new Array<string>(count).fill('')
  }
}
