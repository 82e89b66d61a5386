import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findData } from './support/data-folder.js'
import type { Currency, PaymentsCommand } from './support/naive-payments.js'
import { EngineBackend, type EngineBank } from './support/payments-runner.js'
import { readTarGz } from './support/tar.js'
import {
  brokenChargeRules,
  brokenIntentRules,
  type VendorCharge,
  type VendorIntent,
  vendorChargeOf,
  vendorIntentOf,
} from './support/vendor-shapes.js'

const webhooksFile = findData('stripe-event-shapes/webhook_fixtures.tar.gz')
const resourcesFile = findData('stripe-event-shapes/fixtures3.json.gz')
const isMissing = webhooksFile === undefined || resourcesFile === undefined

type Json = Readonly<Record<string, unknown>>
type Step = 'authorise' | 'decline' | 'capture' | 'void' | 'refund'

interface Webhook {
  readonly type: string
  readonly data: { readonly object: Json; readonly previous_attributes?: Json | null }
}

/** What brings a payment where the fixture shows it. */
const STEPS: Readonly<Record<string, readonly Step[]>> = {
  'payment_intent.created': [],
  'payment_intent.payment_failed': ['decline'],
  'payment_intent.amount_capturable_updated': ['authorise'],
  'payment_intent.canceled': ['authorise', 'void'],
  'payment_intent.succeeded': ['authorise', 'capture'],
  'charge.failed': ['decline'],
  'charge.succeeded': ['authorise', 'capture'],
  'charge.captured': ['authorise', 'capture'],
  'charge.updated': ['authorise', 'capture'],
  'charge.refunded': ['authorise', 'capture', 'refund'],
}

/** Here one command moves the money, so there is no state between asking and having. */
const WAITING = ['payment_intent.processing', 'payment_intent.requires_action']
/** Another object than an intent or a charge. */
const OTHER_OBJECTS = [
  'charge.dispute.closed',
  'charge.dispute.created',
  'charge.dispute.funds_reinstated',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.updated',
  'charge.refund.updated',
]

const [PAYER, PAYEE, PAYMENT] = [1, 2, 1]
const NO_CHARGE = vendorChargeOf(undefined, 0)

describe.skipIf(isMissing)('payments against a vendor’s fixtures', () => {
  const webhooks = new Map<string, Webhook>()
  let backend: EngineBackend

  beforeAll(async () => {
    for (const [name, text] of readTarGz(webhooksFile!)) {
      if (!/^(payment_intent|charge)\./.test(name)) continue
      const webhook = JSON.parse(text) as Webhook
      webhooks.set(webhook.type, webhook)
    }
    backend = await EngineBackend.open({ durability: 'none' })
  })
  afterAll(() => backend?.close())

  it('every fixture of an intent or a charge is accounted for', () => {
    const names = [...Object.keys(STEPS), ...WAITING, ...OTHER_OBJECTS]
    expect([...webhooks.keys()].sort()).toEqual(names.sort())
  })

  it.each(Object.entries(STEPS))(
    '%s: the payment has its status and amounts',
    async (type, steps) => {
      const { object, previous_attributes: previous } = webhooks.get(type)!.data
      const bank = await bankFor(object)
      // The fields that a fixture says it has changed are those of before the last step.
      const showsBefore = Object.keys(previous ?? {}).some((name) => name in NO_CHARGE)
      for (const [index, step] of steps.entries()) {
        const isLast = index === steps.length - 1
        if (isLast && showsBefore) await compare(bank, { ...object, ...previous })
        await take(bank, step, object)
      }
      await compare(bank, object)
      const charges = (object['charges'] as { data: Json[] } | undefined)?.data ?? []
      for (const charge of charges) await compare(bank, charge)
    },
  )

  it.each(WAITING)('%s: no money is held or has moved yet', async (type) => {
    const { object } = webhooks.get(type)!.data
    const bank = await bankFor(object)
    const { status: _, ...amounts } = vendorIntentOf(await bank.payment(PAYMENT), amountOf(object))
    expect(object).toMatchObject(amounts)
  })

  it('charge.refund.updated: a refund has its amount', async () => {
    const refund = webhooks.get('charge.refund.updated')!.data.object
    const bank = await bankFor(refund)
    await take(bank, 'authorise', refund)
    await take(bank, 'capture', refund)
    const amount = amountOf(refund)
    expect(await bank.run({ type: 'RefundPayment', payment: PAYMENT, amount })).toContainEqual([
      'PaymentRefunded',
      PAYMENT,
      { amount: refund['amount'] },
    ])
  })

  it('the rules between amounts hold in every intent and charge of the vendor', () => {
    const resources = gunzipSync(readFileSync(resourcesFile!)).toString()
    const found = { payment_intent: 0, charge: 0 }
    const all = [...readTarGz(webhooksFile!).values(), resources].map((text) => JSON.parse(text))
    for (const each of objectsIn(all)) {
      if (each['object'] === 'payment_intent' && 'amount_capturable' in each) {
        found.payment_intent += 1
        expect(brokenIntentRules(each as unknown as VendorIntent)).toEqual([])
      }
      // A charge that is still being processed says `captured` before it has an amount captured.
      if (each['object'] === 'charge' && 'amount_refunded' in each) {
        found.charge += 1
        expect(brokenChargeRules(each as Partial<VendorCharge>)).toEqual([])
      }
    }
    console.info('stripe, objects checked:', found)
    expect(found.payment_intent).toBeGreaterThanOrEqual(8)
    expect(found.charge).toBeGreaterThanOrEqual(11)
  })

  /** A payer who can pay what the object asks for, and a payee. */
  async function bankFor(object: Json): Promise<EngineBank> {
    const bank = backend.newBank()
    const currency = String(object['currency']).toUpperCase() as Currency
    await bank.given([
      { type: 'OpenAccount', account: PAYER, currency },
      { type: 'OpenAccount', account: PAYEE, currency },
      { type: 'Deposit', account: PAYER, amount: amountOf(object) },
    ])
    return bank
  }

  async function take(bank: EngineBank, step: Step, object: Json): Promise<void> {
    const amount = amountOf(object)
    const [payment, payer, payee] = [PAYMENT, PAYER, PAYEE]
    const authorise = {
      type: 'AuthorisePayment',
      payment,
      payer,
      payee,
      validForMs: 1_000,
    } as const
    if (step === 'decline') {
      // More than the payer has.
      const outcome = await bank.run({ ...authorise, amount: amount + 1 })
      return expect(outcome).toBe('INSUFFICIENT_FUNDS')
    }
    const commands: Record<typeof step, PaymentsCommand> = {
      authorise: { ...authorise, amount },
      capture: { type: 'CapturePayment', payment, amount, final: true },
      void: { type: 'VoidPayment', payment },
      refund: { type: 'RefundPayment', payment, amount },
    }
    await bank.given([commands[step]])
  }

  /** Compares all fields that both have. */
  async function compare(bank: EngineBank, object: Json): Promise<void> {
    const payment = await bank.payment(PAYMENT)
    const isIntent = object['object'] === 'payment_intent'
    const own = isIntent
      ? vendorIntentOf(payment, amountOf(object))
      : vendorChargeOf(payment, amountOf(object))
    const broken = isIntent
      ? brokenIntentRules(own as VendorIntent)
      : brokenChargeRules(own as VendorCharge)
    expect(broken).toEqual([])
    const common = Object.entries(own).filter(([name]) => name in object)
    expect(common.length).toBeGreaterThanOrEqual(4)
    expect(object).toMatchObject(Object.fromEntries(common))
  }
})

function amountOf(object: Json): number {
  return object['amount'] as number
}

function* objectsIn(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Json
  for (const each of Object.values(value)) yield* objectsIn(each)
}
