import { afterEach, describe, expect, it } from 'vitest'
import { Account, OutsideWorld } from '../examples/payments/payments.js'
import { balanceOf, entryOf, heldBy, imbalanceOf } from '../examples/payments/queries.js'
import { type Currency, NaivePayments, type PaymentsCommand } from './support/naive-payments.js'
import { EngineBackend, type EngineBank, START_US } from './support/payments-runner.js'
import { type SeededRandom, seededRandom } from './support/seeded-random.js'

const running: EngineBackend[] = []
afterEach(async () => {
  for (const backend of running.splice(0)) await backend.close()
})

async function openBackend(processor: 'inline' | 'thread' = 'inline') {
  const backend = await EngineBackend.open({
    durability: 'os',
    processor,
    segmentBytes: 4 * 1024 * 1024,
  })
  running.push(backend)
  return backend
}

/** Few accounts, payments and sizes, so that rules are met and broken all the time. */
const ACCOUNTS = 8
const PAYMENTS = 60

function randomCommand(random: SeededRandom, newest: number): PaymentsCommand {
  const account = random.below(ACCOUNTS)
  const other = random.below(ACCOUNTS)
  const amount = random.below(random.below(10) === 0 ? 200 : 30)
  // Mostly one of the latest payments, whose business is not finished.
  const payment = Math.max(0, newest - random.below(random.below(10) === 0 ? PAYMENTS : 4))
  switch (random.below(14)) {
    case 0:
      return { type: 'OpenAccount', account, currency: random.below(3) === 0 ? 'USD' : 'EUR' }
    case 1:
      return { type: 'CloseAccount', account }
    case 2:
      return { type: 'Withdraw', account, amount }
    case 3:
      return { type: 'Deposit', account, amount }
    case 4:
    case 5:
      return { type: 'Transfer', from: account, to: other, amount }
    case 6:
    case 7:
    case 8: {
      const [payer, payee] = [account, other]
      const validForMs = random.below(20)
      return { type: 'AuthorisePayment', payment, payer, payee, amount, validForMs }
    }
    case 9:
    case 10:
      return { type: 'CapturePayment', payment, amount, final: random.below(2) === 0 }
    case 11:
      return { type: 'VoidPayment', payment }
    case 12:
      return { type: 'ExpirePayment', payment }
    default:
      return { type: 'RefundPayment', payment, amount }
  }
}

/** Compares every account, and checks that no money was made or lost. */
function compareAccounts(backend: EngineBackend, bank: EngineBank, naive: NaivePayments) {
  const { engine } = backend
  for (const currency of ['EUR', 'USD'] satisfies Currency[]) {
    const accounts = [...naive.accounts.keys()]
      .map((id) => engine.get(Account, bank.accountId(id))!)
      .filter((account) => account.currency === currency)
    const world = engine.get(OutsideWorld, currency) ?? { balance: 0 }
    expect(imbalanceOf(world, accounts)).toBe(0)
    expect(accounts.reduce((sum, account) => sum + balanceOf(account), 0)).toBe(
      naive.circulating[currency],
    )
  }
  for (const [id, account] of naive.accounts) {
    expect(engine.get(Account, bank.accountId(id))).toEqual(account)
  }
}

async function comparePayments(ids: Iterable<number>, bank: EngineBank, naive: NaivePayments) {
  for (const id of ids) {
    const payment = naive.payments.get(id)
    const expected = payment && { ...payment, expiresAtUs: payment.expiresAtUs + START_US }
    expect(await bank.payment(id)).toEqual(expected)
  }
}

/** The entries of an account, from the journal, add up to its balance, and its holds to what is held. */
async function compareStatements(backend: EngineBackend, bank: EngineBank, naive: NaivePayments) {
  const sums = new Map<unknown, { balance: number; held: number }>()
  for await (const event of backend.engine.readAll()) {
    const { balance, held } = sums.get(event.id) ?? { balance: 0, held: 0 }
    sums.set(event.id, { balance: balance + (entryOf(event) ?? 0), held: held + heldBy(event) })
  }
  for (const [id, account] of naive.accounts) {
    const expected = { balance: balanceOf(account), held: account.held }
    expect(sums.get(bank.accountId(id))).toEqual(expected)
  }
  expect(sums.get('EUR')).toEqual({ balance: -naive.circulating.EUR, held: 0 })
}

describe('payments against the naive model', () => {
  const seen = new Set<string>()

  it.each([
    [21, 'one by one', 1, 1_500],
    [22, 'many at once', 60, 120],
    [23, 'many at once', 60, 120],
  ])('comes to the same at every step (seed %i, %s)', async (seed, _, together, rounds) => {
    const random = seededRandom(seed)
    const backend = await openBackend()
    const bank = backend.newBank()
    const naive = new NaivePayments()
    for (let round = 1; round <= rounds; round++) {
      const newest = Math.floor((PAYMENTS * round) / rounds)
      const commands = Array.from({ length: 1 + random.below(together) }, () =>
        randomCommand(random, newest),
      )
      // Issued at once, so that the engine decides many of them in one batch.
      const outcomes = await Promise.all(commands.map((command) => bank.run(command)))
      for (const [index, command] of commands.entries()) {
        const outcome = outcomes[index]!
        expect(outcome, JSON.stringify({ round, command })).toEqual(naive.run(command))
        for (const each of typeof outcome === 'string' ? [outcome] : outcome) {
          seen.add(typeof each === 'string' ? each : each[0])
        }
      }
      compareAccounts(backend, bank, naive)
      const touched = commands.flatMap((each) => ('payment' in each ? [each.payment] : []))
      await comparePayments(new Set(touched), bank, naive)
      const pauseUs = random.below(2_000)
      backend.advanceUs(pauseUs)
      naive.timeUs += pauseUs
      if (round % Math.floor(rounds / 3) !== 0) continue
      const digest = await backend.engine.digest()
      await backend.restart()
      expect(await backend.engine.digest()).toBe(digest)
    }
    await comparePayments(naive.payments.keys(), bank, naive)
    await compareStatements(backend, bank, naive)
  })

  it('meets all events and all codes but LIMIT_EXCEEDED (so nothing was compared in vain)', () => {
    expect([...seen].sort()).toHaveLength(19 + 16)
  })
})

describe.each(['inline', 'thread'] as const)('payments under a key, %s', (processor) => {
  const transfer: PaymentsCommand = { type: 'Transfer', from: 1, to: 2, amount: 30 }
  const tooMuch: PaymentsCommand = { type: 'Transfer', from: 1, to: 2, amount: 1_000 }

  async function openedBank() {
    const backend = await openBackend(processor)
    const bank = backend.newBank()
    await bank.given([
      { type: 'OpenAccount', account: 1, currency: 'EUR' },
      { type: 'OpenAccount', account: 2, currency: 'EUR' },
      { type: 'Deposit', account: 1, amount: 100 },
    ])
    return { backend, bank }
  }

  it('a transfer happens once, in flight, later and after a restart', async () => {
    const { backend, bank } = await openedBank()
    const key = 'invoice-77'
    const [first, second] = await Promise.all([
      bank.execute(transfer, { key }),
      bank.execute(transfer, { key }),
    ])
    expect(first).toMatchObject({ accepted: true, repeated: false, eventCount: 2 })
    const { sequence } = first
    const same = { accepted: true, repeated: true, eventCount: 2, sequence }
    expect(second).toMatchObject(same)
    await backend.restart()
    expect(await bank.execute(transfer, { key })).toMatchObject(same)
    expect(await bank.account(1)).toMatchObject({ available: 70 })
    expect(await bank.account(2)).toMatchObject({ available: 30 })
    const other = await bank.execute({ ...transfer, amount: 31 }, { key })
    expect(other).toMatchObject({ accepted: false, code: 'KEY_REUSED' })
  })

  it('a rejection stays a rejection, although the funds have come since', async () => {
    const { backend, bank } = await openedBank()
    const key = 'invoice-78'
    const code = 'INSUFFICIENT_FUNDS'
    expect(await bank.execute(tooMuch, { key })).toMatchObject({ code, repeated: false })
    await bank.given([{ type: 'Deposit', account: 1, amount: 1_000 }])
    expect(await bank.execute(tooMuch, { key })).toMatchObject({ code, repeated: true })
    await backend.restart()
    expect(await bank.execute(tooMuch, { key })).toMatchObject({ code, repeated: true })
    expect(await bank.execute(tooMuch)).toMatchObject({ accepted: true })
  })
})
