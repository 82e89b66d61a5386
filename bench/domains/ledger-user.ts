/** How the benchmarks use the ledger with dense ids. */
import type { LedgerUser } from '../transfer-engine.js'
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import ledger, { Account, Deposit, Transfer } from './ledger.js'

export const ledgerUser: LedgerUser = {
  domain: ledger,
  deposit: (engine, account) => engine.submit(Deposit, { account, amount: INITIAL_BALANCE }),
  async transfer(engine, workload, count) {
    const command = { from: 0, to: 0, amount: AMOUNT }
    for (let i = 0; i < count; i++) {
      command.from = workload.nextAccount()
      command.to = workload.nextAccount()
      while (engine.submit(Transfer, command) === 0) await engine.room()
    }
  },
  balance: (engine, account) => engine.get(Account, account)?.balance ?? 0,
}
