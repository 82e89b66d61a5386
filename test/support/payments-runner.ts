/**
 * Runs commands of the payments domain one by one and gives what they came to, in one form for all:
 * an engine whose processor is inline or on a thread, and the naive model that is their oracle.
 * Each `Bank` has accounts and payments of its own, so that many tests can share one engine.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CommandOptions,
  type CommandType,
  Engine,
  type EngineOptions,
  type Receipt,
  type RecordedEvent,
} from '../../engine/index.js'
import payments, { Account, OutsideWorld, PaymentIntent } from '../../examples/payments/payments.js'
import { entryOf } from '../../examples/payments/queries.js'
import {
  type AccountView,
  type Currency,
  NaivePayments,
  type PaymentsCommand,
  type PaymentsEvent,
  type PaymentsOutcome,
  type PaymentView,
} from './naive-payments.js'

export interface Bank {
  /** Runs all of them, each of which has to be accepted. */
  given(commands: readonly PaymentsCommand[]): Promise<void>
  run(command: PaymentsCommand): Promise<PaymentsOutcome>
  account(id: number): Promise<AccountView | undefined>
  payment(id: number): Promise<PaymentView | undefined>
  /** Changes with any change of any state. */
  digest(): Promise<string>
}

/** What many banks run on. */
export interface Backend {
  /** With a clock that the test moves. */
  readonly isClocked: boolean
  newBank(): Bank
  advanceUs(us: number): void
  close(): Promise<void>
}

/** What a moved clock shows first. */
export const START_US = 1_700_000_000_000_000
/** How many accounts and payments a bank may number. */
const NUMBERS_A_BANK = 1_000

export class EngineBackend implements Backend {
  readonly isClocked: boolean
  engine: Engine
  #nowUs = START_US
  #bankCount = 0
  readonly #path: string
  readonly #options: EngineOptions

  private constructor(isClocked: boolean, path: string, options: EngineOptions) {
    this.isClocked = isClocked
    this.#path = path
    this.#options = isClocked ? { ...options, clock: () => this.#nowUs } : options
    this.engine = undefined as unknown as Engine
  }

  static async open(options: EngineOptions): Promise<EngineBackend> {
    const path = join(mkdtempSync(join(tmpdir(), 'tidewheel-payments-')), 'journal')
    const backend = new EngineBackend(options.processor !== 'thread', path, options)
    backend.engine = await Engine.open(path, payments, backend.#options)
    return backend
  }

  newBank(): EngineBank {
    this.#bankCount += 1
    return new EngineBank(this, this.#bankCount * NUMBERS_A_BANK)
  }

  advanceUs(us: number): void {
    this.#nowUs += us
  }

  /** Closes the engine and opens it again on the same journal. */
  async restart(): Promise<void> {
    await this.engine.close()
    this.engine = await Engine.open(this.#path, payments, this.#options)
  }

  async close(): Promise<void> {
    await this.engine.close()
    rmSync(join(this.#path, '..'), { recursive: true })
  }
}

const COMMANDS = new Map(payments.commands.map((command) => [command.name, command]))

export class EngineBank implements Bank {
  readonly #backend: EngineBackend
  readonly #firstNumber: number

  constructor(backend: EngineBackend, firstNumber: number) {
    this.#backend = backend
    this.#firstNumber = firstNumber
  }

  async given(commands: readonly PaymentsCommand[]): Promise<void> {
    const receipts = await Promise.all(commands.map((command) => this.execute(command)))
    for (const receipt of receipts) if (!receipt.accepted) throw new Error(receipt.code)
  }

  async run(command: PaymentsCommand): Promise<PaymentsOutcome> {
    const receipt = await this.execute(command)
    if (!receipt.accepted) return receipt.code
    const { engine, isClocked } = this.#backend
    const { sequence, eventCount } = receipt
    // Only an inline processor shows the events of a receipt from memory.
    const events = isClocked
      ? [...engine.events(receipt)]
      : await take(engine.readAll({ from: sequence - eventCount + 1 }), eventCount)
    assertBalanced(events)
    return events.map((event) => this.#outcomeOf(event))
  }

  execute(command: PaymentsCommand, options?: CommandOptions): Promise<Receipt> {
    const { type, ...value } = command
    const input = Object.fromEntries(
      Object.entries(value).map(([name, each]) => {
        if (name === 'payment') return [name, this.paymentId(each as number)]
        return [name, isAccountField(name) ? this.accountId(each as number) : each]
      }),
    )
    const commandType = COMMANDS.get(type) as CommandType<unknown>
    return this.#backend.engine.execute(commandType, input, options)
  }

  async account(id: number): Promise<AccountView | undefined> {
    return this.#backend.engine.query(Account, this.accountId(id))
  }

  async payment(id: number): Promise<PaymentView | undefined> {
    const state = await this.#backend.engine.query(PaymentIntent, this.paymentId(id))
    if (state === undefined) return undefined
    const { payer, payee } = state
    return { ...state, payer: this.#numberOf(payer!), payee: this.#numberOf(payee!) }
  }

  digest(): Promise<string> {
    return this.#backend.engine.digest()
  }

  accountId(number: number): bigint {
    return BigInt(this.#firstNumber + number)
  }

  paymentId(number: number): string {
    return `00000000-0000-4000-8000-${String(this.#firstNumber + number).padStart(12, '0')}`
  }

  /** The inverse of the two above, for any of their values. */
  #numberOf(id: bigint | string): number {
    return Number(typeof id === 'bigint' ? id : id.slice(-12)) - this.#firstNumber
  }

  #outcomeOf({ type, stream, id, data }: RecordedEvent): PaymentsEvent {
    const fields = Object.entries(data as Record<string, unknown>)
      // Times differ from run to run; that they are right shows in when a payment expires.
      .filter(([name]) => name !== 'expiresAtUs')
      .map(([name, value]) => {
        const isId = name === 'payment' || isAccountField(name)
        return [name, isId ? this.#numberOf(value as bigint | string) : value]
      })
    const ownId = stream === OutsideWorld.name ? (id as Currency) : this.#numberOf(id as bigint)
    return [type, ownId, Object.fromEntries(fields)]
  }
}

/** The naive model in the same form. */
export class NaiveBackend implements Backend {
  readonly isClocked = true
  readonly #banks: NaivePayments[] = []

  newBank(): Bank {
    const naive = new NaivePayments()
    this.#banks.push(naive)
    return {
      given: async (commands) => {
        for (const command of commands) {
          const outcome = naive.run(command)
          if (typeof outcome === 'string') throw new Error(outcome)
        }
      },
      run: async (command) => naive.run(command),
      account: async (id) => naive.accounts.get(id),
      payment: async (id) => naive.payments.get(id),
      digest: async () => JSON.stringify([...naive.accounts, ...naive.payments]),
    }
  }

  advanceUs(us: number): void {
    for (const naive of this.#banks) naive.timeUs += us
  }

  async close(): Promise<void> {}
}

function isAccountField(name: string): boolean {
  return ['account', 'from', 'to', 'payer', 'payee'].includes(name)
}

async function take<T>(items: AsyncIterable<T>, count: number): Promise<T[]> {
  const taken: T[] = []
  for await (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}

/** Double entry: whatever a command does adds up to zero. */
function assertBalanced(events: readonly RecordedEvent[]): void {
  let sum = 0
  for (const event of events) sum += entryOf(event) ?? 0
  if (sum !== 0) throw new Error(`the entries of one command add up to ${sum}, not to 0`)
}
