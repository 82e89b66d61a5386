/** Transfers through the engine's public `submit`: inline, one producer, segments rolling. */
import { rmSync } from 'node:fs'
import { Engine } from '../engine/index.js'
import ledger, { Account, Deposit, Transfer } from './ledger.js'
import {
  AMOUNT,
  INITIAL_BALANCE,
  type TransferOptions,
  TransferWorkload,
} from './transfer-workload.js'

/** Transfers before the clock starts, while V8 compiles. */
const WARM_UP = 500_000

/** Durable transfers a second. Checks that all were accepted and that no money came or went. */
export async function measure(options: TransferOptions): Promise<number> {
  const { directory, accounts, transfers, seed } = options
  rmSync(directory, { recursive: true, force: true })
  const engine = await Engine.open(directory, ledger)
  await openAccounts(engine, accounts)
  let accepted = 0
  engine.onReceipts((_first, _last, view) => {
    while (view.next()) if (view.accepted) accepted++
  })
  const workload = new TransferWorkload(seed, accounts)
  const warmUp = Math.min(WARM_UP, transfers)
  await transfer(engine, workload, warmUp)
  const startedMs = performance.now()
  await transfer(engine, workload, transfers)
  const seconds = (performance.now() - startedMs) / 1000
  if (accepted !== warmUp + transfers) throw new Error(`${accepted} transfers were accepted`)
  await verify(engine, options)
  return transfers / seconds
}

export async function openAccounts(engine: Engine, accounts: number): Promise<void> {
  for (let account = 0; account < accounts; account++) {
    while (engine.submit(Deposit, { account, amount: INITIAL_BALANCE }) === 0) await engine.room()
  }
  await engine.synced()
}

async function transfer(engine: Engine, workload: TransferWorkload, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const from = workload.nextAccount()
    const to = workload.nextAccount()
    while (engine.submit(Transfer, { from, to, amount: AMOUNT }) === 0) await engine.room()
  }
  await engine.synced()
}

async function verify(engine: Engine, options: TransferOptions): Promise<void> {
  const { directory, accounts } = options
  let sum = 0
  for (let account = 0; account < accounts; account++) {
    sum += engine.get(Account, account)?.balance ?? 0
  }
  if (sum !== accounts * INITIAL_BALANCE) throw new Error(`the balances add up to ${sum}`)
  const digest = await engine.digest()
  await engine.close()
  const reopened = await Engine.open(directory, ledger)
  const same = digest === (await reopened.digest())
  await reopened.close()
  rmSync(directory, { recursive: true, force: true })
  if (!same) throw new Error('the digest differs after reopening')
}
