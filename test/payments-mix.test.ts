import { describe, expect, it } from 'vitest'
import { PaymentsMix } from '../bench/payments-mix.js'
import { Engine } from '../engine/index.js'
import payments, { Account, OutsideWorld } from '../examples/payments/payments.js'
import { imbalanceOf } from '../examples/payments/queries.js'

const ACCOUNTS = 1_000
const COMMANDS = 40_000

function mixOf(seed: number) {
  return new PaymentsMix({ seed, accounts: ACCOUNTS })
}

describe('payments mix', () => {
  it('is the same for the same seed, and another for another', () => {
    const first = (seed: number) => {
      const mix = mixOf(seed)
      return Array.from({ length: 1_000 }, () => {
        mix.next()
        return JSON.stringify([mix.command.name, mix.value])
      })
    }
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
  })

  it('has all commands in it, some refused, and no money made or lost', async () => {
    const engine = await Engine.open('unused', payments, { durability: 'none' })
    const mix = mixOf(7)
    const names = new Map<number, string>()
    const accepted: Record<string, number> = {}
    const rejected: Record<string, number> = {}
    engine.onReceipts((_first, _last, view) => {
      while (view.next()) {
        if (!names.has(view.ticket)) continue
        const [counts, name] = view.accepted
          ? [accepted, names.get(view.ticket)!]
          : [rejected, view.code]
        counts[name] = (counts[name] ?? 0) + 1
      }
    })
    for (const [command, value] of mix.opening()) {
      while (engine.submit(command, value) === 0) await engine.room()
    }
    const numbers = new Set<number>(Array.from({ length: ACCOUNTS }, (_, index) => index + 1))
    for (let count = 0; count < COMMANDS; count++) {
      mix.next()
      const { command, value } = mix
      let ticket = engine.submit(command, value)
      while (ticket === 0) {
        await engine.room()
        ticket = engine.submit(command, value)
      }
      names.set(ticket, command.name)
      if (command.name === 'OpenAccount') numbers.add((value as { account: number }).account)
    }
    await engine.synced()

    const sum = (counts: Record<string, number>) =>
      Object.values(counts).reduce((total, count) => total + count, 0)
    expect(sum(accepted) + sum(rejected)).toBe(COMMANDS)
    console.info('payments mix:', accepted, rejected)
    // All but perhaps ExpirePayment, which asks the system's clock.
    for (const { name } of payments.commands) {
      if (name !== 'ExpirePayment') expect(accepted[name], name).toBeGreaterThan(100)
    }
    expect(sum(rejected) / COMMANDS).toBeGreaterThan(0.01)
    expect(sum(rejected) / COMMANDS).toBeLessThan(0.1)
    for (const currency of ['EUR', 'USD']) {
      const accounts = [...numbers]
        .map((number) => engine.get(Account, number)!)
        .filter((account) => account.currency === currency)
      expect(imbalanceOf(engine.get(OutsideWorld, currency)!, accounts)).toBe(0)
    }
    await engine.close()
  })
})
