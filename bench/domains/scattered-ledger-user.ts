/** How the benchmarks use the ledger with scattered ids. */
import { ScatteredId } from '../ids.js'
import type { LedgerUser } from '../transfer-engine.js'
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import ledger, { Account, Deposit, Transfer } from './scattered-ledger.js'

const id = new ScatteredId()

function idOf(account: number): bigint {
  id.set(account)
  return id.bigint
}

export const scatteredLedgerUser: LedgerUser = {
  domain: ledger,
  deposit: (engine, account) =>
    engine.submit(Deposit, { account: idOf(account), amount: INITIAL_BALANCE }),
  async transfer(engine, workload, count) {
    const command = { from: 0n, to: 0n, amount: AMOUNT }
    for (let i = 0; i < count; i++) {
      command.from = idOf(workload.nextAccount())
      command.to = idOf(workload.nextAccount())
      while (engine.submit(Transfer, command) === 0) await engine.room()
    }
  },
  balance: (engine, account) => engine.get(Account, idOf(account))?.balance ?? 0,
}
