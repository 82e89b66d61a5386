/**
 * The rules of accounts and payments written a second time, as plainly as possible and without the
 * engine: the oracle of examples/payments. Each command gives its events or its rejection. Accounts
 * and payments go by small numbers here.
 */

export type Currency = 'EUR' | 'GBP' | 'JPY' | 'USD'

/** The values of the commands, under the names of the commands. */
export type PaymentsCommand =
  | { readonly type: 'OpenAccount'; readonly account: number; readonly currency: Currency }
  | { readonly type: 'Deposit'; readonly account: number; readonly amount: number }
  | { readonly type: 'Withdraw'; readonly account: number; readonly amount: number }
  | {
      readonly type: 'Transfer'
      readonly from: number
      readonly to: number
      readonly amount: number
    }
  | { readonly type: 'CloseAccount'; readonly account: number }
  | {
      readonly type: 'AuthorisePayment'
      readonly payment: number
      readonly payer: number
      readonly payee: number
      readonly amount: number
      readonly validForMs: number
    }
  | {
      readonly type: 'CapturePayment'
      readonly payment: number
      readonly amount: number
      readonly final: boolean
    }
  | { readonly type: 'VoidPayment'; readonly payment: number }
  | { readonly type: 'ExpirePayment'; readonly payment: number }
  | { readonly type: 'RefundPayment'; readonly payment: number; readonly amount: number }

export type PaymentsEvent = readonly [
  type: string,
  id: number | string,
  data: Readonly<Record<string, unknown>>,
]

/** What a command came to: a code, or the events in the order emitted. */
export type PaymentsOutcome = string | readonly PaymentsEvent[]

export interface AccountView {
  status: 'none' | 'active' | 'closed'
  currency: Currency
  available: number
  held: number
}

export interface PaymentView {
  status: 'none' | 'authorised' | 'captured' | 'voided' | 'expired'
  payer: number | undefined
  payee: number | undefined
  amount: number
  capturable: number
  captured: number
  refunded: number
  expiresAtUs: number
}

type Of<Type extends PaymentsCommand['type']> = Extract<PaymentsCommand, { type: Type }>

export class NaivePayments {
  timeUs = 0
  readonly accounts = new Map<number, AccountView>()
  readonly payments = new Map<number, PaymentView>()
  /** What came in and did not go out again. */
  readonly circulating: Record<Currency, number> = { EUR: 0, GBP: 0, JPY: 0, USD: 0 }

  run(command: PaymentsCommand): PaymentsOutcome {
    switch (command.type) {
      case 'OpenAccount':
        return this.#open(command)
      case 'Deposit':
      case 'Withdraw':
        return this.#depositOrWithdraw(command)
      case 'Transfer':
        return this.#transfer(command)
      case 'CloseAccount':
        return this.#close(command)
      case 'AuthorisePayment':
        return this.#authorise(command)
      case 'CapturePayment':
        return this.#capture(command)
      case 'RefundPayment':
        return this.#refund(command)
      case 'VoidPayment':
      case 'ExpirePayment':
        return this.#giveUp(command)
    }
  }

  #open({ account, currency }: Of<'OpenAccount'>): PaymentsOutcome {
    if (this.accounts.has(account)) return 'ACCOUNT_EXISTS'
    this.accounts.set(account, { status: 'active', currency, available: 0, held: 0 })
    return [['AccountOpened', account, { currency }]]
  }

  #depositOrWithdraw({ type, account: id, amount }: Of<'Deposit' | 'Withdraw'>): PaymentsOutcome {
    const account = this.#active(id)
    if (amount < 1) return 'INVALID_AMOUNT'
    if (account === undefined) return 'ACCOUNT_NOT_ACTIVE'
    const { currency } = account
    if (type === 'Withdraw') {
      if (amount > account.available) return 'INSUFFICIENT_FUNDS'
      account.available -= amount
      this.circulating[currency] -= amount
      return [
        ['Withdrawn', id, { amount }],
        ['MoneyWentOut', currency, { account: id, amount }],
      ]
    }
    if (BigInt(this.circulating[currency]) + BigInt(amount) >= 2n ** 53n) return 'LIMIT_EXCEEDED'
    account.available += amount
    this.circulating[currency] += amount
    return [
      ['MoneyCameIn', currency, { account: id, amount }],
      ['Deposited', id, { amount }],
    ]
  }

  #transfer({ from, to, amount }: Of<'Transfer'>): PaymentsOutcome {
    if (amount < 1) return 'INVALID_AMOUNT'
    const problem = this.#cannotMove(from, to, amount)
    if (problem !== undefined) return problem
    this.#add(from, -amount)
    this.#add(to, amount)
    return [
      ['TransferSent', from, { to, amount }],
      ['TransferReceived', to, { from, amount }],
    ]
  }

  #close({ account: id }: Of<'CloseAccount'>): PaymentsOutcome {
    const account = this.#active(id)
    if (account === undefined) return 'ACCOUNT_NOT_ACTIVE'
    if (account.held > 0) return 'FUNDS_HELD'
    if (account.available > 0) return 'ACCOUNT_NOT_EMPTY'
    account.status = 'closed'
    return [['AccountClosed', id, {}]]
  }

  #authorise(command: Of<'AuthorisePayment'>): PaymentsOutcome {
    const { payment: id, payer, payee, amount, validForMs } = command
    if (this.payments.has(id)) return 'PAYMENT_EXISTS'
    if (amount < 1) return 'INVALID_AMOUNT'
    if (validForMs < 1) return 'INVALID_EXPIRY'
    const problem = this.#cannotMove(payer, payee, amount)
    if (problem !== undefined) return problem
    const expiresAtUs = this.timeUs + 1000 * validForMs
    this.payments.set(id, {
      status: 'authorised',
      payer,
      payee,
      amount,
      capturable: amount,
      captured: 0,
      refunded: 0,
      expiresAtUs,
    })
    this.#add(payer, -amount)
    this.accounts.get(payer)!.held += amount
    return [
      ['PaymentAuthorised', id, { payer, payee, amount }],
      ['FundsHeld', payer, { payment: id, amount }],
    ]
  }

  #capture({ payment: id, amount, final }: Of<'CapturePayment'>): PaymentsOutcome {
    const payment = this.payments.get(id)
    if (payment === undefined) return 'UNKNOWN_PAYMENT'
    if (payment.status !== 'authorised') return 'PAYMENT_NOT_AUTHORISED'
    if (payment.expiresAtUs <= this.timeUs) return 'PAYMENT_EXPIRED'
    if (amount < 1) return 'INVALID_AMOUNT'
    if (amount > payment.capturable) return 'EXCEEDS_AUTHORISED'
    if (this.#active(payment.payee!) === undefined) return 'ACCOUNT_NOT_ACTIVE'
    payment.capturable -= amount
    payment.captured += amount
    this.accounts.get(payment.payer!)!.held -= amount
    this.#add(payment.payee!, amount)
    const released = final ? payment.capturable : 0
    const events: PaymentsEvent[] = [
      ['PaymentCaptured', id, { amount, released }],
      ['PaymentSent', payment.payer!, { payment: id, amount }],
      ['PaymentReceived', payment.payee!, { payment: id, amount }],
    ]
    if (released > 0) events.push(this.#release(id, payment))
    if (payment.capturable === 0) payment.status = 'captured'
    return events
  }

  #giveUp({ type, payment: id }: Of<'VoidPayment' | 'ExpirePayment'>): PaymentsOutcome {
    const payment = this.payments.get(id)
    if (payment === undefined) return 'UNKNOWN_PAYMENT'
    if (payment.status !== 'authorised') return 'PAYMENT_NOT_AUTHORISED'
    const isVoid = type === 'VoidPayment'
    if (!isVoid && payment.expiresAtUs > this.timeUs) return 'NOT_YET_EXPIRED'
    if (payment.captured > 0) payment.status = 'captured'
    else payment.status = isVoid ? 'voided' : 'expired'
    const released = payment.capturable
    return [
      [isVoid ? 'PaymentVoided' : 'PaymentExpired', id, { released }],
      this.#release(id, payment),
    ]
  }

  #refund({ payment: id, amount }: Of<'RefundPayment'>): PaymentsOutcome {
    const payment = this.payments.get(id)
    if (payment === undefined) return 'UNKNOWN_PAYMENT'
    if (amount < 1) return 'INVALID_AMOUNT'
    if (payment.refunded + amount > payment.captured) return 'EXCEEDS_CAPTURED'
    const { payer, payee } = payment
    const problem = this.#cannotMove(payee!, payer!, amount)
    if (problem !== undefined) return problem
    payment.refunded += amount
    this.#add(payee!, -amount)
    this.#add(payer!, amount)
    return [
      ['PaymentRefunded', id, { amount }],
      ['RefundSent', payee!, { payment: id, amount }],
      ['RefundReceived', payer!, { payment: id, amount }],
    ]
  }

  #active(id: number): AccountView | undefined {
    const account = this.accounts.get(id)
    return account?.status === 'active' ? account : undefined
  }

  #cannotMove(from: number, to: number, amount: number): string | undefined {
    if (from === to) return 'SAME_ACCOUNT'
    const [giver, taker] = [this.#active(from), this.#active(to)]
    if (giver === undefined || taker === undefined) return 'ACCOUNT_NOT_ACTIVE'
    if (giver.currency !== taker.currency) return 'CURRENCY_MISMATCH'
    return amount > giver.available ? 'INSUFFICIENT_FUNDS' : undefined
  }

  #add(id: number, amount: number): void {
    this.accounts.get(id)!.available += amount
  }

  #release(id: number, payment: PaymentView): PaymentsEvent {
    const amount = payment.capturable
    const payer = payment.payer!
    payment.capturable = 0
    this.accounts.get(payer)!.held -= amount
    this.#add(payer, amount)
    return ['FundsReleased', payer, { payment: id, amount }]
  }
}
