import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../engine/index.js'
import payments, {
  Account,
  Deposit,
  OpenAccount,
  OutsideWorld,
  Transfer,
  TransferSent,
} from '../examples/payments/payments.js'
import { imbalanceOf } from '../examples/payments/queries.js'
import { parseDecimal } from '../scripts/feeds/decimal.js'
import { readFeedLines } from '../scripts/feeds/feed-lines.js'
import { parseCsvLine } from './support/csv.js'
import { findData } from './support/data-folder.js'

const paymentsFile = findData('uk-cabinet-office-spend/payments-2010-04_2018-12.csv.gz')
const totalsFile = findData('uk-cabinet-office-spend/monthly-totals-2010_2018.csv')

/** The publisher dropped or re-dated rows of these months before the totals were made. */
const UNRELIABLE = ['2010-05', '2012-01', '2012-02', '2012-03', '2012-04', '2012-05']

/** Accounts of payers have numbers below this, those of payees from it on. */
const FIRST_PAYEE = 1_000
const PENNIES = 2

interface Payment {
  /** ISO, without a time. */
  readonly date: string
  readonly pence: number
  readonly payer: number
  readonly payee: number
}

/** Numbers the names that it is given, from `first` on. */
function numbering(first: number) {
  const numbers = new Map<string, number>()
  return {
    numbers,
    numberOf(name: string): number {
      const number = numbers.get(name) ?? first + numbers.size
      numbers.set(name, number)
      return number
    },
  }
}

async function linesOf(file: string): Promise<string[][]> {
  const lines: string[][] = []
  const refuse = ({ line, reason }: { line: number; reason: string }) => {
    throw new Error(`line ${line} of ${file} ${reason}`)
  }
  for await (const { text } of readFeedLines(file, refuse)) lines.push(parseCsvLine(text))
  return lines.slice(1)
}

const isMissing = paymentsFile === undefined || totalsFile === undefined

describe.skipIf(isMissing)('published spending', () => {
  const rows: Payment[] = []
  const payers = numbering(1)
  const payees = numbering(FIRST_PAYEE)
  let notANumber = 0

  beforeAll(async () => {
    for (const [, date, amount, payer, payee] of await linesOf(paymentsFile!)) {
      const pence = parseDecimal(amount!, PENNIES)
      if (pence === undefined) notANumber += 1
      else {
        rows.push({
          date: date!,
          pence,
          payer: payers.numberOf(payer!),
          payee: payees.numberOf(payee!),
        })
      }
    }
    // Time only goes forward in a journal.
    rows.sort((a, b) => a.date.localeCompare(b.date))
  })

  it('reads every row', () => {
    expect(rows.length + notANumber).toBe(17_961)
    expect(notANumber).toBe(20)
    expect(rows.filter(({ pence }) => pence < 0)).toHaveLength(6)
    expect(rows.filter(({ pence }) => pence === 0)).toHaveLength(0)
    expect(rows.every(({ date }) => /^20\d\d-\d\d-\d\d$/.test(date))).toBe(true)
  })

  it('monthly totals, from the events of a journal, are the published ones', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidewheel-spend-'))
    let nowUs = dayUs(rows[0]!.date)
    const engine = await Engine.open(join(folder, 'journal'), payments, {
      durability: 'os',
      clock: () => nowUs,
    })
    const accounts = [...payers.numbers.values(), ...payees.numbers.values()]
    const receipts = await Promise.all([
      ...accounts.map((account) => engine.execute(OpenAccount, { account, currency: 'GBP' })),
      ...budgets(rows).map((budget) => engine.execute(Deposit, budget)),
    ])
    for (const ofTheDay of days(rows)) {
      nowUs = dayUs(ofTheDay[0]!.date)
      const transfers = ofTheDay.map(({ pence, payer, payee }) => {
        // A negative payment is a refund.
        const [from, to] = pence > 0 ? [payer, payee] : [payee, payer]
        return engine.execute(Transfer, { from, to, amount: Math.abs(pence) })
      })
      receipts.push(...(await Promise.all(transfers)))
    }
    expect(receipts.filter((receipt) => !receipt.accepted)).toEqual([])

    const { totals, transfers } = await totalsFromEvents(engine)
    const { sum, payeeCount } = await accountsOf(engine)
    await engine.close()
    rmSync(folder, { recursive: true })

    expect(transfers).toBe(rows.length)
    expect(payeeCount).toBe(payees.numbers.size)
    expect(sum).toBe(0)
    const published = await linesOf(totalsFile!)
    expect(published).toHaveLength(105)
    const reliable = published.filter(([month]) => !UNRELIABLE.includes(month!))
    expect(reliable).toHaveLength(99)
    for (const [month, gbp] of reliable) {
      // A month without any payment is published, too.
      expect(totals.get(month!) ?? 0, month!).toBe(parseDecimal(gbp!, PENNIES))
    }
    console.info(`spending: ${reliable.length} monthly totals equal, ${transfers} payments`)
  })

  /** What each payer needs so that it never has to wait for a refund. */
  function budgets(all: readonly Payment[]): { account: number; amount: number }[] {
    const sums = new Map<number, number>()
    for (const { payer, pence } of all) {
      sums.set(payer, (sums.get(payer) ?? 0) + Math.max(0, pence))
    }
    return [...sums].map(([account, amount]) => ({ account, amount }))
  }

  async function totalsFromEvents(engine: Engine) {
    const totals = new Map<string, number>()
    let transfers = 0
    for await (const event of engine.readAll()) {
      if (!TransferSent.is(event)) continue
      transfers += 1
      const month = new Date(event.time / 1000).toISOString().slice(0, 7)
      const pence = event.id < FIRST_PAYEE ? event.data.amount : -event.data.amount
      totals.set(month, (totals.get(month) ?? 0) + pence)
    }
    return { totals, transfers }
  }

  async function accountsOf(engine: Engine) {
    const numbers = [...payers.numbers.values(), ...payees.numbers.values()]
    const accounts = numbers.map((number) => engine.get(Account, number)!)
    const sum = imbalanceOf(engine.get(OutsideWorld, 'GBP')!, accounts)
    return { sum, payeeCount: accounts.length - payers.numbers.size }
  }
})

/** Sorted rows, day by day. */
function days(rows: readonly Payment[]): Payment[][] {
  const byDate = new Map<string, Payment[]>()
  for (const row of rows) {
    const day = byDate.get(row.date) ?? []
    day.push(row)
    byDate.set(row.date, day)
  }
  return [...byDate.values()]
}

/** Noon in London, whatever the season. */
function dayUs(date: string): number {
  return Date.parse(`${date}T12:00:00Z`) * 1000
}
