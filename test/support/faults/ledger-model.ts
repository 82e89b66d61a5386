/**
 * What the state must be after the first n commands of a workload: the digest of an engine without
 * files that has run them, whose totals are compared with plain arithmetic.
 */
import { strictEqual } from 'node:assert/strict'
import { Account } from '../domains/fault-ledger.js'
import { openLedger, sendCommand, type Workload } from './workloads.js'

/** Digests after 0, 1, 2 … commands. */
export async function modelDigests(workload: Workload, commands: number): Promise<string[]> {
  const engine = await openLedger('unused', { durability: 'none' })
  const digests = [await engine.digest()]
  const totals = new Map<string, number>()
  for (let n = 1; n <= commands; n++) {
    await sendCommand(engine, workload, n)
    const account = `account-${n % 3}`
    totals.set(account, (totals.get(account) ?? 0) + n)
    strictEqual(engine.get(Account, account)?.total, totals.get(account))
    digests.push(await engine.digest())
  }
  await engine.close()
  return digests
}
