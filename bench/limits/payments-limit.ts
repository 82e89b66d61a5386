/**
 * The limit of the payments mix: all ten commands by hand (flat-payments.ts), read from the same tape
 * as the engine's, in batches with sweeps ahead of them.
 *
 * Included beyond transfer-limit.ts: UUIDs of payments read from text and looked up in a table, ids
 * of new accounts and payments in the journal, the accounts of a payment touched before it runs.
 * Left out: what transfer-limit.ts leaves out; numbers of accounts are below 2³² and index a table;
 * a currency is a number.
 */
import { STREAM_OPENED_RECORD } from '../../journal/record-layout.js'
import type { Contender } from '../benchmark.js'
import {
  AUTHORISE,
  CAPTURE,
  CLOSE_ACCOUNT,
  DEPOSIT,
  EXPIRE,
  OPEN_ACCOUNT,
  type PaymentsOptions,
  PaymentsTape,
  REFUND,
  TRANSFER,
  VOID,
  WITHDRAW,
} from '../payments-tape.js'
import { FlatPayments } from './flat-payments.js'
import { FrameWriter } from './frame-writer.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'
import { parseUuid, UUID_WORDS, UuidTable } from './uuid-table.js'

const BATCH = 256
const FRAME_BYTES_MAX = 256
/** Rounds in a process, at most. */
const ROUNDS_MAX = 4

export async function prepare(options: PaymentsOptions): Promise<Contender<number>> {
  const journal = await LimitJournal.start(options.directory)
  const loop = new PaymentsLoop(journal, options)
  loop.open()
  return limitContender(journal, loop, options.commands, options.warmUp)
}

class PaymentsLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly tape: PaymentsTape
  private readonly writer: FrameWriter
  private readonly flat: FlatPayments
  /** Number of an account → slot. */
  private readonly index: Int32Array
  private accountCount = 0
  private readonly payments: UuidTable
  /** Of a batch. */
  private readonly uuids = new Int32Array(BATCH * UUID_WORDS)
  private readonly homes = new Int32Array(BATCH)
  private readonly slots = new Int32Array(BATCH)
  /** Named by the commands of a batch. */
  private readonly accounts = new Int32Array(2 * BATCH)
  private accepted = 0
  private rejected = 0

  constructor(journal: LimitJournal, options: PaymentsOptions) {
    const commands = options.warmUp + ROUNDS_MAX * options.commands
    // Of the mix, so many open accounts, and authorise payments.
    const accounts = options.accounts + Math.ceil(commands * 0.02) + 100
    const payments = Math.ceil(commands * 0.25) + 100
    this.journal = journal
    this.tape = new PaymentsTape(options)
    this.writer = new FrameWriter(journal.view)
    this.flat = new FlatPayments(accounts, payments, this.writer)
    this.index = new Int32Array(accounts + 1)
    this.payments = new UuidTable(payments)
  }

  /** Opens and funds the accounts. */
  open(): void {
    this.tape.planOpening()
    this.run(this.tape.count)
    if (this.rejected > 0) throw new Error('an account could not be opened')
    this.accepted = 0
  }

  plan(commands: number): void {
    this.tape.plan(commands)
  }

  /** Returns when all of them are on disk. */
  run(commands: number): void {
    for (let done = 0; done < commands; done += BATCH) {
      this.batch(done, Math.min(BATCH, commands - done))
    }
    this.journal.drain()
  }

  verify(): void {
    this.flat.verify()
    const share = this.rejected / (this.accepted + this.rejected)
    if (share > 0.2) throw new Error(`a share of ${share} was rejected`)
  }

  private batch(from: number, count: number): void {
    const { journal, writer } = this
    this.sweep(from, count)
    const start = journal.makeRoom(count * FRAME_BYTES_MAX)
    const timeUs = Date.now() * 1000
    let o = start
    for (let i = 0; i < count; i++) {
      writer.begin(o)
      if (this.command(from + i, i, timeUs)) {
        o = writer.end(this.tape.kinds[from + i]! + 40, timeUs)
        this.accepted++
      } else this.rejected++
    }
    journal.publish(o - start)
  }

  /** Finds the payments of a batch, and touches all state that it names. */
  private sweep(from: number, count: number): void {
    const { tape, flat, uuids, homes, slots, payments, index, accounts } = this
    homes.fill(0)
    let named = 0
    for (let i = 0; i < count; i++) {
      const at = from + i
      slots[i] = 0
      if (tape.kinds[at]! < AUTHORISE) {
        accounts[named++] = index[tape.first[at]!]!
        accounts[named++] = index[tape.second[at]!]!
        continue
      }
      parseUuid(tape.payment[at]!, uuids, i * UUID_WORDS)
      homes[i] = payments.home(uuids, i * UUID_WORDS)
    }
    payments.touch(homes, count)
    for (let i = 0; i < count; i++) {
      if (tape.kinds[from + i]! < AUTHORISE) continue
      slots[i] = payments.findFrom(homes[i]!, uuids, i * UUID_WORDS)
    }
    flat.touchPayments(slots, count)
    for (let i = 0; i < count; i++) {
      if (slots[i] === 0) continue
      accounts[named++] = flat.payerOf(slots[i]!)
      accounts[named++] = flat.payeeOf(slots[i]!)
    }
    flat.touchAccounts(accounts, named)
  }

  /** False: refused, and nothing was written. */
  private command(at: number, i: number, timeUs: number): boolean {
    const { tape, flat, index } = this
    const amount = tape.amount[at]!
    const first = index[tape.first[at]!]!
    switch (tape.kinds[at]) {
      case TRANSFER:
        return flat.transfer(first, index[tape.second[at]!]!, amount)
      case DEPOSIT:
        return flat.deposit(first, amount)
      case WITHDRAW:
        return flat.withdraw(first, amount)
      case CLOSE_ACCOUNT:
        return flat.closeAccount(first)
      case OPEN_ACCOUNT:
        if (first !== 0) return false
        return flat.openAccount(this.addAccount(tape.first[at]!), tape.extra[at]!)
      case AUTHORISE:
        return this.authorise(at, i, first, timeUs)
      default:
        return this.changePayment(at, this.paymentOf(i), amount, timeUs)
    }
  }

  private changePayment(at: number, payment: number, amount: number, timeUs: number): boolean {
    const { tape, flat } = this
    if (payment === 0) return false
    switch (tape.kinds[at]) {
      case CAPTURE:
        return flat.capture(payment, amount, tape.extra[at]!, timeUs)
      case REFUND:
        return flat.refund(payment, amount)
      case VOID:
        return flat.void(payment)
      case EXPIRE:
        return flat.expire(payment, timeUs)
      default:
        throw new Error(`kind ${tape.kinds[at]} is not on the tape`)
    }
  }

  private authorise(at: number, i: number, payer: number, timeUs: number): boolean {
    const { tape, flat, uuids, homes, index, writer } = this
    const payee = index[tape.second[at]!]!
    const amount = tape.amount[at]!
    const validForMs = tape.extra[at]!
    if (this.paymentOf(i) !== 0) return false
    if (!flat.canAuthorise(payer, payee, amount, validForMs)) return false
    const payment = this.payments.addFrom(homes[i]!, uuids, i * UUID_WORDS)
    const o = writer.put(STREAM_OPENED_RECORD, payment, 0, 20)
    writer.view.setUint32(o, 16, true)
    for (let word = 0; word < UUID_WORDS; word++) {
      writer.view.setInt32(o + 4 + 4 * word, uuids[i * UUID_WORDS + word]!, false)
    }
    writer.view.setUint32(o + 20, 0, true)
    flat.authorise(payment, payer, payee, amount, timeUs + validForMs * 1000)
    return true
  }

  /** What the sweep found, or what a command of the same batch has opened since. */
  private paymentOf(i: number): number {
    const found = this.slots[i]!
    if (found !== 0) return found
    return this.payments.findFrom(this.homes[i]!, this.uuids, i * UUID_WORDS)
  }

  /** Gives an account its slot, and writes that it was opened. */
  private addAccount(number: number): number {
    const { writer } = this
    const slot = ++this.accountCount
    this.index[number] = slot
    const o = writer.put(STREAM_OPENED_RECORD, slot, 0, 12)
    writer.view.setUint32(o, 8, true)
    writer.view.setUint32(o + 4, number, true)
    writer.view.setUint32(o + 8, 0, true)
    writer.view.setUint32(o + 12, 0, true)
    return slot
  }
}
