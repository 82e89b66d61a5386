/**
 * Transfers through the engine's public `submit`: what the benchmarks of transfers have in common.
 * Each brings its ledger (the domain and how it is used) and its options.
 *
 * The loop that submits is the fastest that a user would write: one value object is filled in and
 * given again and again (`submit` has encoded it when it returns), and the loop waits only when
 * nothing was taken. The receipts are all read.
 */
import { rmSync } from 'node:fs'
import { type Domain, Engine, type EngineOptions } from '../engine/index.js'
import type { Contender } from './benchmark.js'
import { NO_SNAPSHOTS } from './no-snapshots.js'
import { INITIAL_BALANCE, type TransferOptions, TransferWorkload } from './transfer-workload.js'

/** A ledger's domain, and how it is used. Accounts are counted from 0. */
export interface LedgerUser {
  readonly domain: Domain
  /** Opens an account with {@link INITIAL_BALANCE}; a ticket, or 0: nothing was taken. */
  deposit(engine: Engine, account: number): number
  /** Resolves when all were taken. */
  transfer(engine: Engine, workload: TransferWorkload, count: number): Promise<void>
  balance(engine: Engine, account: number): number
}

/** A ledger in an engine, with all accounts open. */
export class LedgerEngine {
  readonly engine: Engine
  /** Commands after the opening of the accounts that were accepted, as their receipts say. */
  accepted = 0
  private readonly ledger: LedgerUser
  private readonly options: TransferOptions
  private readonly engineOptions: EngineOptions

  static async open(
    ledger: LedgerUser,
    options: TransferOptions,
    engineOptions: EngineOptions = {},
  ): Promise<LedgerEngine> {
    rmSync(options.directory, { recursive: true, force: true })
    const engine = await Engine.open(options.directory, ledger.domain, {
      ...NO_SNAPSHOTS,
      ...engineOptions,
    })
    for (let account = 0; account < options.accounts; account++) {
      while (ledger.deposit(engine, account) === 0) await engine.room()
    }
    await engine.synced()
    const opened = new LedgerEngine(ledger, options, engineOptions, engine)
    opened.countReceipts()
    return opened
  }

  private constructor(
    ledger: LedgerUser,
    options: TransferOptions,
    engineOptions: EngineOptions,
    engine: Engine,
  ) {
    this.ledger = ledger
    this.options = options
    this.engineOptions = engineOptions
    this.engine = engine
  }

  countReceipts(): void {
    this.engine.onReceipts((_first, _last, view) => {
      let accepted = 0
      while (view.next()) if (view.accepted) accepted++
      this.accepted += accepted
    })
  }

  /** Returns when all of them are answered, so durable. */
  async transfer(workload: TransferWorkload, count: number): Promise<void> {
    await this.ledger.transfer(this.engine, workload, count)
    await this.engine.synced()
  }

  /**
   * That `transfers` were accepted, no money came or went, and a restart brings the same state;
   * then closes the engine and removes its files.
   */
  async verify(transfers: number): Promise<void> {
    const { engine, ledger, options, engineOptions } = this
    if (this.accepted !== transfers) {
      throw new Error(`${this.accepted} of ${transfers} transfers were accepted`)
    }
    const digest = await engine.digest()
    await engine.close()
    // Inline, whatever it was: that is where state can be read at once.
    const reopening = { ...engineOptions, processor: 'inline' } as const
    const reopened = await Engine.open(options.directory, ledger.domain, reopening)
    try {
      if (digest !== (await reopened.digest())) throw new Error('another digest after reopening')
      let sum = 0
      for (let account = 0; account < options.accounts; account++) {
        sum += ledger.balance(reopened, account)
      }
      if (sum !== options.accounts * INITIAL_BALANCE) throw new Error(`the balances make ${sum}`)
    } finally {
      await reopened.close()
    }
    rmSync(options.directory, { recursive: true, force: true })
  }
}

/** The contender of the benchmarks that count transfers a second. */
export async function prepareTransfers(
  ledger: LedgerUser,
  options: TransferOptions,
  engineOptions: EngineOptions = {},
): Promise<Contender<number>> {
  const { accounts, transfers, warmUp, seed } = options
  const opened = await LedgerEngine.open(ledger, options, engineOptions)
  const workload = new TransferWorkload(seed, accounts)
  await opened.transfer(workload, warmUp)
  let rounds = 0
  return {
    async round() {
      rounds++
      const startedMs = performance.now()
      await opened.transfer(workload, transfers)
      return (transfers * 1000) / (performance.now() - startedMs)
    },
    end: () => opened.verify(warmUp + rounds * transfers),
  }
}
