/** How the benchmarks use the ledger with text ids: every transfer has an idempotency key. */
import { textId } from '../ids.js'
import type { LedgerUser } from '../transfer-engine.js'
import { AMOUNT, INITIAL_BALANCE } from '../transfer-workload.js'
import ledger, { Account, Deposit, Transfer } from './text-ledger.js'

export function textLedgerUser(): LedgerUser {
  let transfers = 0
  return {
    domain: ledger,
    deposit: (engine, account) =>
      engine.submit(Deposit, { account: textId(account), amount: INITIAL_BALANCE }),
    async transfer(engine, workload, count) {
      const command = { from: '', to: '', amount: AMOUNT }
      const options = { key: '' }
      for (let i = 0; i < count; i++) {
        command.from = textId(workload.nextAccount())
        command.to = textId(workload.nextAccount())
        options.key = keyOf(++transfers)
        while (engine.submit(Transfer, command, options) === 0) await engine.room()
      }
    },
    balance: (engine, account) => engine.get(Account, textId(account))?.balance ?? 0,
  }
}

/** Of a transfer, counted from 1: 18 characters, as long as the limit's keys. */
export function keyOf(transfer: number): string {
  return `payment-${transfer + 1_000_000_000}`
}
