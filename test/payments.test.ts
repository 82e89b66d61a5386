import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PaymentsCommand } from './support/naive-payments.js'
import {
  ALICE,
  accepted,
  authorise,
  BOB,
  capture,
  capturePart,
  deposit,
  expire,
  open,
  opened,
  PAYMENT,
  refund,
  rejected,
  transfer,
  voidPayment,
  withdraw,
} from './support/payments-cases.js'
import { type Backend, EngineBackend, NaiveBackend } from './support/payments-runner.js'

const MOST = Number.MAX_SAFE_INTEGER

const implementations: [name: string, open: () => Promise<Backend>][] = [
  ['inline', () => EngineBackend.open({ durability: 'none', processor: 'inline' })],
  [
    'on a thread',
    () =>
      EngineBackend.open({ durability: 'os', processor: 'thread', segmentBytes: 4 * 1024 * 1024 }),
  ],
  ['naive model', async () => new NaiveBackend()],
]

describe.each(implementations)('payments, %s', (name, openBackend) => {
  let backend: Backend
  beforeAll(async () => {
    backend = await openBackend()
  })
  afterAll(() => backend.close())

  async function bankWith(given: readonly PaymentsCommand[]) {
    const bank = backend.newBank()
    await bank.given(given)
    return bank
  }

  it.each(Object.entries(accepted))('%s', async (_name, { given, when, gives, ...after }) => {
    const bank = await bankWith(given)
    expect(await bank.run(when)).toEqual(gives)
    for (const [id, expected] of [
      [ALICE, after.alice],
      [BOB, after.bob],
    ] as const) {
      if (expected === undefined) continue
      const [available, held] = expected
      expect(await bank.account(id)).toMatchObject({ status: 'active', available, held })
    }
    if (after.payment === undefined) return
    const [status, capturable, captured, refunded] = after.payment
    const expected = { status, payer: ALICE, payee: BOB, capturable, captured, refunded }
    expect(await bank.payment(PAYMENT)).toMatchObject(expected)
  })

  it.each(rejected)('rejects with %s and changes nothing (%s)', async (code, _, given, when) => {
    const bank = await bankWith(given)
    const digest = await bank.digest()
    expect(await bank.run(when)).toBe(code)
    expect(await bank.digest()).toBe(digest)
  })

  // The only tests with yen: the limit is on all accounts of a currency together.
  it('Deposit: rejects with LIMIT_EXCEEDED what cannot be counted exactly', async () => {
    const bank = await bankWith([open(ALICE, 'JPY'), open(BOB, 'JPY'), deposit(ALICE, MOST - 1)])
    expect(await bank.run(deposit(BOB, 2))).toBe('LIMIT_EXCEEDED')
    expect(await bank.run(deposit(BOB, MOST))).toBe('LIMIT_EXCEEDED')
    expect(await bank.run(deposit(BOB, 1))).toHaveLength(2)
    expect(await bank.run(transfer(ALICE, BOB, MOST - 1))).toHaveLength(2)
    expect(await bank.account(BOB)).toMatchObject({ available: MOST })
    expect(await bank.run(deposit(ALICE, 1))).toBe('LIMIT_EXCEEDED')
    expect(await bank.run(withdraw(BOB, MOST))).toHaveLength(2)
  })

  it('ExpirePayment: gives the funds back as soon as it is accepted', async () => {
    const bank = await bankWith([...opened, authorise(60, { validForMs: 1 })])
    let outcome = await bank.run(expire)
    while (outcome === 'NOT_YET_EXPIRED') {
      if (backend.isClocked) backend.advanceUs(100)
      outcome = await bank.run(expire)
    }
    expect(outcome).toEqual([
      ['PaymentExpired', PAYMENT, { released: 60 }],
      ['FundsReleased', ALICE, { payment: PAYMENT, amount: 60 }],
    ])
    expect(await bank.account(ALICE)).toMatchObject({ available: 100, held: 0 })
    expect(await bank.payment(PAYMENT)).toMatchObject({ status: 'expired', capturable: 0 })
    expect(await bank.run(capture(1))).toBe('PAYMENT_NOT_AUTHORISED')
    expect(await bank.run(expire)).toBe('PAYMENT_NOT_AUTHORISED')
  })

  const canMoveTheClock = name !== 'on a thread'

  it.runIf(canMoveTheClock)('expiry: both sides of the moment (a microsecond)', async () => {
    const bank = await bankWith([...opened, authorise(60, { validForMs: 2 })])
    backend.advanceUs(1_999)
    expect(await bank.run(expire)).toBe('NOT_YET_EXPIRED')
    expect(await bank.run(capturePart(20))).toHaveLength(3)
    backend.advanceUs(1)
    expect(await bank.run(capture(1))).toBe('PAYMENT_EXPIRED')
    expect(await bank.run(expire)).toEqual([
      ['PaymentExpired', PAYMENT, { released: 40 }],
      ['FundsReleased', ALICE, { payment: PAYMENT, amount: 40 }],
    ])
    expect(await bank.payment(PAYMENT)).toMatchObject({ status: 'captured', captured: 20 })
    expect(await bank.run(refund(20))).toHaveLength(3)
  })

  it.runIf(canMoveTheClock)('VoidPayment: gives back what has expired', async () => {
    const bank = await bankWith([...opened, authorise(60, { validForMs: 2 })])
    backend.advanceUs(2_000)
    expect(await bank.run(voidPayment)).toHaveLength(2)
    expect(await bank.payment(PAYMENT)).toMatchObject({ status: 'voided' })
  })
})

it('payments: every documented code is tested', () => {
  const codes = new Set(rejected.map(([code]) => code))
  // These two have tests of their own.
  codes.add('LIMIT_EXCEEDED').add('PAYMENT_EXPIRED')
  expect(codes.size).toBe(17)
})
