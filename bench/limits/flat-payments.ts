/**
 * The payments domain of examples/payments by hand: state in slabs with as many bytes as the engine
 * gives it, the rules of all ten commands, and their events, written as the engine writes them.
 *
 *   account, 32 bytes:  │ version, – │ available f64 │ held f64 │ status, currency │
 *   payment, 64 bytes:  │ version, – │ amount, capturable, captured, refunded, expiry f64 │
 *                       │ payer, payee │ status, – │
 *   world, 16 bytes:    │ version, – │ balance f64 │
 *
 * A command that is refused writes nothing and returns false. Slots are the caller's
 * (payments-limit.ts); slot 0 has no events, and is all zero.
 */
import { touchWords } from '../../engine/memory/touch.js'
import { setU64 } from '../../journal/layout.js'
import type { FrameWriter } from './frame-writer.js'

// Words and doubles of a slot.
const ACCOUNT_WORDS = 8
const ACCOUNT_DOUBLES = 4
const AVAILABLE = 1
const HELD = 2
const ACCOUNT_STATUS = 6
const CURRENCY = 7
const PAYMENT_WORDS = 16
const PAYMENT_DOUBLES = 8
const AMOUNT = 1
const CAPTURABLE = 2
const CAPTURED = 3
const REFUNDED = 4
const EXPIRES = 5
const PAYER = 12
const PAYEE = 13
const PAYMENT_STATUS = 14
const WORLD_DOUBLES = 2
const WORLDS = 5

const ACTIVE = 1
const CLOSED = 2
const AUTHORISED = 1
const FULLY_CAPTURED = 2
const VOIDED = 3
const EXPIRED = 4

// Types of events, numbered as a catalogue would.
const OPENED = 20
const CLOSED_EVENT = 21
const DEPOSITED = 22
const WITHDRAWN = 23
const SENT = 24
const RECEIVED = 25
const FUNDS_HELD = 26
const FUNDS_RELEASED = 27
const PAYMENT_SENT = 28
const PAYMENT_RECEIVED = 29
const REFUND_SENT = 30
const REFUND_RECEIVED = 31
const PAYMENT_AUTHORISED = 32
const PAYMENT_CAPTURED = 33
const PAYMENT_VOIDED = 34
const PAYMENT_EXPIRED = 35
const PAYMENT_REFUNDED = 36
const CAME_IN = 37
const WENT_OUT = 38

export class FlatPayments {
  /** Keeps the touching loops from being optimised away. */
  touched = 0
  private readonly writer: FrameWriter
  private readonly view: DataView
  private readonly accountWords: Int32Array
  private readonly accounts: Float64Array
  private readonly paymentWords: Int32Array
  private readonly payments: Float64Array
  private readonly worldWords = new Int32Array(WORLDS * WORLD_DOUBLES * 2)
  private readonly worlds = new Float64Array(this.worldWords.buffer)

  constructor(accounts: number, payments: number, writer: FrameWriter) {
    this.writer = writer
    this.view = writer.view
    this.accountWords = new Int32Array((accounts + 1) * ACCOUNT_WORDS)
    this.accounts = new Float64Array(this.accountWords.buffer)
    this.paymentWords = new Int32Array((payments + 1) * PAYMENT_WORDS)
    this.payments = new Float64Array(this.paymentWords.buffer)
  }

  touchAccounts(accounts: Int32Array, count: number): void {
    this.touched = touchWords(this.accountWords, accounts, count, ACCOUNT_WORDS)
  }

  touchPayments(payments: Int32Array, count: number): void {
    this.touched = touchWords(this.paymentWords, payments, count, PAYMENT_WORDS)
  }

  payerOf(payment: number): number {
    return this.paymentWords[payment * PAYMENT_WORDS + PAYER]!
  }

  payeeOf(payment: number): number {
    return this.paymentWords[payment * PAYMENT_WORDS + PAYEE]!
  }

  openAccount(account: number, currency: number): boolean {
    const words = account * ACCOUNT_WORDS
    if (this.accountWords[words] !== 0) return false
    setU64(this.view, this.accountEvent(OPENED, account, 8), currency)
    this.accountWords[words + ACCOUNT_STATUS] = ACTIVE
    this.accountWords[words + CURRENCY] = currency
    return true
  }

  closeAccount(account: number): boolean {
    const { accounts, accountWords } = this
    if (!this.isActive(account)) return false
    if (accounts[account * ACCOUNT_DOUBLES + HELD] !== 0) return false
    if (accounts[account * ACCOUNT_DOUBLES + AVAILABLE] !== 0) return false
    this.accountEvent(CLOSED_EVENT, account, 0)
    accountWords[account * ACCOUNT_WORDS + ACCOUNT_STATUS] = CLOSED
    return true
  }

  deposit(account: number, amount: number): boolean {
    if (amount <= 0 || !this.isActive(account)) return false
    const currency = this.currencyOf(account)
    const world = (currency + 1) * WORLD_DOUBLES + 1
    if (amount > Number.MAX_SAFE_INTEGER + this.worlds[world]!) return false
    this.worldEvent(CAME_IN, currency, account, amount)
    this.worlds[world]! -= amount
    this.move(DEPOSITED, account, amount)
    return true
  }

  withdraw(account: number, amount: number): boolean {
    if (amount <= 0 || !this.isActive(account)) return false
    if (this.accounts[account * ACCOUNT_DOUBLES + AVAILABLE]! < amount) return false
    const currency = this.currencyOf(account)
    this.move(WITHDRAWN, account, -amount)
    this.worldEvent(WENT_OUT, currency, account, amount)
    this.worlds[(currency + 1) * WORLD_DOUBLES + 1]! += amount
    return true
  }

  transfer(from: number, to: number, amount: number): boolean {
    const { accounts } = this
    if (amount <= 0 || from === to || !this.isActive(from) || !this.isActive(to)) return false
    if (this.currencyOf(from) !== this.currencyOf(to)) return false
    if (accounts[from * ACCOUNT_DOUBLES + AVAILABLE]! < amount) return false
    this.referringEvent(SENT, from, to, amount)
    accounts[from * ACCOUNT_DOUBLES + AVAILABLE]! -= amount
    this.referringEvent(RECEIVED, to, from, amount)
    accounts[to * ACCOUNT_DOUBLES + AVAILABLE]! += amount
    return true
  }

  /** Whether it may be: then the caller gives the payment its slot and calls {@link authorise}. */
  canAuthorise(payer: number, payee: number, amount: number, validForMs: number): boolean {
    if (amount <= 0 || validForMs === 0 || payer === payee) return false
    if (!this.isActive(payer) || !this.isActive(payee)) return false
    if (this.currencyOf(payer) !== this.currencyOf(payee)) return false
    return this.accounts[payer * ACCOUNT_DOUBLES + AVAILABLE]! >= amount
  }

  authorise(
    payment: number,
    payer: number,
    payee: number,
    amount: number,
    expiresAtUs: number,
  ): void {
    const { view, payments, paymentWords, accounts } = this
    const o = this.paymentEvent(PAYMENT_AUTHORISED, payment, 24)
    view.setFloat64(o, amount, true)
    view.setFloat64(o + 8, expiresAtUs, true)
    view.setUint32(o + 16, payer, true)
    view.setUint32(o + 20, payee, true)
    payments[payment * PAYMENT_DOUBLES + AMOUNT] = amount
    payments[payment * PAYMENT_DOUBLES + CAPTURABLE] = amount
    payments[payment * PAYMENT_DOUBLES + EXPIRES] = expiresAtUs
    paymentWords[payment * PAYMENT_WORDS + PAYER] = payer
    paymentWords[payment * PAYMENT_WORDS + PAYEE] = payee
    paymentWords[payment * PAYMENT_WORDS + PAYMENT_STATUS] = AUTHORISED
    this.referringEvent(FUNDS_HELD, payer, payment, amount)
    accounts[payer * ACCOUNT_DOUBLES + AVAILABLE]! -= amount
    accounts[payer * ACCOUNT_DOUBLES + HELD]! += amount
  }

  capture(payment: number, amount: number, final: number, timeUs: number): boolean {
    const { payments, paymentWords, accounts } = this
    const words = payment * PAYMENT_WORDS
    const doubles = payment * PAYMENT_DOUBLES
    const capturable = payments[doubles + CAPTURABLE]!
    if (paymentWords[words + PAYMENT_STATUS] !== AUTHORISED) return false
    if (timeUs >= payments[doubles + EXPIRES]! || amount <= 0 || amount > capturable) return false
    const payer = paymentWords[words + PAYER]!
    const payee = paymentWords[words + PAYEE]!
    if (!this.isActive(payee)) return false
    const released = final === 1 ? capturable - amount : 0
    const o = this.paymentEvent(PAYMENT_CAPTURED, payment, 16)
    this.view.setFloat64(o, amount, true)
    this.view.setFloat64(o + 8, released, true)
    payments[doubles + CAPTURED]! += amount
    payments[doubles + CAPTURABLE] = capturable - amount - released
    if (capturable === amount + released) paymentWords[words + PAYMENT_STATUS] = FULLY_CAPTURED
    this.referringEvent(PAYMENT_SENT, payer, payment, amount)
    accounts[payer * ACCOUNT_DOUBLES + HELD]! -= amount
    this.referringEvent(PAYMENT_RECEIVED, payee, payment, amount)
    accounts[payee * ACCOUNT_DOUBLES + AVAILABLE]! += amount
    if (released > 0) this.releaseFunds(payer, payment, released)
    return true
  }

  void(payment: number): boolean {
    if (this.paymentWords[payment * PAYMENT_WORDS + PAYMENT_STATUS] !== AUTHORISED) return false
    this.endPayment(PAYMENT_VOIDED, payment, VOIDED)
    return true
  }

  expire(payment: number, timeUs: number): boolean {
    if (this.paymentWords[payment * PAYMENT_WORDS + PAYMENT_STATUS] !== AUTHORISED) return false
    if (timeUs < this.payments[payment * PAYMENT_DOUBLES + EXPIRES]!) return false
    this.endPayment(PAYMENT_EXPIRED, payment, EXPIRED)
    return true
  }

  refund(payment: number, amount: number): boolean {
    const { payments, paymentWords, accounts } = this
    const doubles = payment * PAYMENT_DOUBLES
    const payer = paymentWords[payment * PAYMENT_WORDS + PAYER]!
    const payee = paymentWords[payment * PAYMENT_WORDS + PAYEE]!
    if (amount <= 0) return false
    if (amount > payments[doubles + CAPTURED]! - payments[doubles + REFUNDED]!) return false
    if (!this.isActive(payee) || !this.isActive(payer)) return false
    if (accounts[payee * ACCOUNT_DOUBLES + AVAILABLE]! < amount) return false
    this.view.setFloat64(this.paymentEvent(PAYMENT_REFUNDED, payment, 8), amount, true)
    payments[doubles + REFUNDED]! += amount
    this.referringEvent(REFUND_SENT, payee, payment, amount)
    accounts[payee * ACCOUNT_DOUBLES + AVAILABLE]! -= amount
    this.referringEvent(REFUND_RECEIVED, payer, payment, amount)
    accounts[payer * ACCOUNT_DOUBLES + AVAILABLE]! += amount
    return true
  }

  /** That the books of each currency balance, and what is held is what can be captured. */
  verify(): void {
    let held = 0
    const sums = Array.from({ length: WORLDS - 1 }, (_, currency) => {
      return this.worlds[(currency + 1) * WORLD_DOUBLES + 1]!
    })
    for (let at = 0; at < this.accounts.length; at += ACCOUNT_DOUBLES) {
      const currency = this.accountWords[2 * at + CURRENCY]!
      sums[currency]! += this.accounts[at + AVAILABLE]! + this.accounts[at + HELD]!
      held += this.accounts[at + HELD]!
    }
    for (let at = 0; at < this.payments.length; at += PAYMENT_DOUBLES) {
      held -= this.payments[at + CAPTURABLE]!
    }
    if (held !== 0) throw new Error(`${held} is held that cannot be captured`)
    if (sums.some((sum) => sum !== 0)) throw new Error(`money came from nowhere: ${sums}`)
  }

  private isActive(account: number): boolean {
    return this.accountWords[account * ACCOUNT_WORDS + ACCOUNT_STATUS] === ACTIVE
  }

  private currencyOf(account: number): number {
    return this.accountWords[account * ACCOUNT_WORDS + CURRENCY]!
  }

  private move(type: number, account: number, amount: number): void {
    this.view.setFloat64(this.accountEvent(type, account, 8), Math.abs(amount), true)
    this.accounts[account * ACCOUNT_DOUBLES + AVAILABLE]! += amount
  }

  private endPayment(type: number, payment: number, status: number): void {
    const { payments, paymentWords } = this
    const doubles = payment * PAYMENT_DOUBLES
    const released = payments[doubles + CAPTURABLE]!
    this.view.setFloat64(this.paymentEvent(type, payment, 8), released, true)
    payments[doubles + CAPTURABLE] = 0
    paymentWords[payment * PAYMENT_WORDS + PAYMENT_STATUS] =
      payments[doubles + CAPTURED]! > 0 ? FULLY_CAPTURED : status
    this.releaseFunds(paymentWords[payment * PAYMENT_WORDS + PAYER]!, payment, released)
  }

  private releaseFunds(payer: number, payment: number, amount: number): void {
    this.referringEvent(FUNDS_RELEASED, payer, payment, amount)
    this.accounts[payer * ACCOUNT_DOUBLES + HELD]! -= amount
    this.accounts[payer * ACCOUNT_DOUBLES + AVAILABLE]! += amount
  }

  private accountEvent(type: number, account: number, payloadBytes: number): number {
    const version = ++this.accountWords[account * ACCOUNT_WORDS]!
    return this.writer.event(type, account, version, payloadBytes)
  }

  /** An event of an account that names another stream. */
  private referringEvent(type: number, account: number, reference: number, amount: number): void {
    const o = this.accountEvent(type, account, 16)
    this.view.setFloat64(o, amount, true)
    setU64(this.view, o + 8, reference)
  }

  private paymentEvent(type: number, payment: number, payloadBytes: number): number {
    const version = ++this.paymentWords[payment * PAYMENT_WORDS]!
    return this.writer.event(type, payment, version, payloadBytes)
  }

  private worldEvent(type: number, currency: number, account: number, amount: number): void {
    const version = ++this.worldWords[(currency + 1) * WORLD_DOUBLES * 2]!
    const o = this.writer.event(type, currency + 1, version, 16)
    this.view.setFloat64(o, amount, true)
    setU64(this.view, o + 8, account)
  }
}
