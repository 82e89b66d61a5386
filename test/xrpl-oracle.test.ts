import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../engine/index.js'
import { readFeedLines } from '../scripts/feeds/feed-lines.js'
import { findData } from './support/data-folder.js'
import xrpLedger, {
  Account,
  ApplyTransaction,
  type BalanceChange,
  BalanceChanged,
  Network,
  TransactionApplied,
} from './support/xrp-ledger-domain.js'

const recording = findData('xrpl-mainnet-ledgers/ledgers.jsonl.gz')

/** What the network reports of a ledger entry: Modified, Created or Deleted, with its fields. */
interface AffectedNode {
  readonly LedgerEntryType: string
  readonly FinalFields?: { readonly Account?: string; readonly Balance?: string }
  readonly NewFields?: { readonly Account?: string; readonly Balance?: string }
  readonly PreviousFields?: { readonly Balance?: string }
}

interface RecordedLedger {
  readonly ledger_index: string | number
  readonly transactions: readonly {
    readonly hash: string
    readonly Account: string
    readonly Fee: string
    readonly metaData: {
      readonly TransactionIndex: number
      readonly TransactionResult: string
      readonly AffectedNodes: readonly Readonly<Record<string, AffectedNode>>[]
    }
  }[]
}

type Command = ReturnType<typeof commandsOf>[number]

function commandsOf(ledgers: readonly RecordedLedger[]) {
  const sorted = ledgers.toSorted((a, b) => Number(a.ledger_index) - Number(b.ledger_index))
  let run = 0
  let previous = Number.NaN
  return sorted.flatMap(({ ledger_index, transactions }) => {
    if (Number(ledger_index) !== previous + 1) run += 1
    previous = Number(ledger_index)
    const ownRun = run
    const inOrder = transactions.toSorted(
      (a, b) => a.metaData.TransactionIndex - b.metaData.TransactionIndex,
    )
    return inOrder.map(({ hash, Account: payer, Fee, metaData }) => ({
      hash,
      run: ownRun,
      payer,
      fee: Number(Fee),
      succeeded: metaData.TransactionResult === 'tesSUCCESS',
      touched: metaData.AffectedNodes.length,
      changes: changesOf(metaData.AffectedNodes),
    }))
  })
}

function changesOf(nodes: readonly Readonly<Record<string, AffectedNode>>[]): BalanceChange[] {
  return nodes.flatMap((each) => {
    const [kind, node] = Object.entries(each)[0]!
    const fields = node.FinalFields ?? node.NewFields
    // A few nodes say only that an account was touched.
    if (node.LedgerEntryType !== 'AccountRoot' || fields?.Account === undefined) return []
    const after = Number(fields.Balance)
    const before = kind === 'CreatedNode' ? 0 : Number(node.PreviousFields?.Balance ?? after)
    return [{ account: fields.Account, before, after }]
  })
}

function executeAll(engine: Engine, commands: readonly Command[]) {
  return Promise.all(commands.map((command) => engine.execute(ApplyTransaction, command)))
}

describe.skipIf(recording === undefined)('a recorded public ledger', () => {
  let commands: readonly Command[] = []
  let folder = ''
  let engine: Engine | undefined

  beforeAll(async () => {
    const ledgers: RecordedLedger[] = []
    const refuse = ({ line, reason }: { line: number; reason: string }) => {
      throw new Error(`line ${line} ${reason}`)
    }
    for await (const { text } of readFeedLines(recording!, refuse)) ledgers.push(JSON.parse(text))
    expect(ledgers).toHaveLength(36)
    commands = commandsOf(ledgers)
  })

  afterEach(async () => {
    await engine?.close()
    if (folder !== '') rmSync(folder, { recursive: true })
    folder = ''
  })

  async function open(processor: 'inline' | 'thread') {
    if (folder === '') folder = mkdtempSync(join(tmpdir(), 'tidewheel-xrpl-'))
    const options = { durability: 'os', processor, segmentBytes: 4 * 1024 * 1024 } as const
    engine = await Engine.open(join(folder, 'journal'), xrpLedger, options)
    return engine
  }

  it.each(['inline', 'thread'] as const)(
    'conserves XRP, chains all balances, and failures cost the fee only (%s)',
    async (processor) => {
      let ledger = await open(processor)
      const receipts = await executeAll(ledger, commands)
      expect(receipts.filter((receipt) => !receipt.accepted)).toEqual([])
      const digest = await ledger.digest()
      await ledger.close()
      ledger = await open(processor)
      expect(await ledger.digest()).toBe(digest)

      const network = await ledger.query(Network, 'main')
      const expected = { succeeded: 501, failed: 18, chained: 395, feesBurned: 6_265_680 }
      expect(network).toEqual(expected)
      let changed = 0
      const latest = new Map<string, number>()
      const changesOfFailed: number[] = []
      let changesSoFar = 0
      for await (const event of ledger.readAll()) {
        if (BalanceChanged.is(event)) {
          changed += event.data.after - event.data.before
          changesSoFar += 1
          latest.set(event.id, event.data.after)
        } else if (TransactionApplied.is(event)) {
          if (!event.data.succeeded) changesOfFailed.push(changesSoFar)
          changesSoFar = 0
        }
      }
      expect(changed).toBe(-expected.feesBurned)
      expect(changesOfFailed).toEqual(Array(18).fill(1))
      for (const [account, balance] of latest) {
        expect(await ledger.query(Account, account)).toMatchObject({ balance })
      }
      console.info(`xrpl, ${processor}:`, network, 'accounts', latest.size)
    },
  )

  it('rejects a balance that is off by one drop, wherever it is', async () => {
    const ledger = await open('inline')
    const tampered = commands.map((command) => {
      const changes = command.changes.map((each, i) =>
        i === 0 ? { ...each, after: each.after + 1 } : each,
      )
      return { ...command, changes }
    })
    const receipts = await executeAll(ledger, tampered)
    expect(receipts.map((each) => each.accepted || each.code)).toEqual(
      Array(519).fill('NOT_CONSERVED'),
    )
  })

  it('rejects every transaction that does not go on from the balances before it', async () => {
    const ledger = await open('inline')
    // Shifted by a different amount each, and conserving all the same.
    const shifted = commands.map((command, index) => {
      const changes = command.changes.map(({ account, before, after }) => {
        return { account, before: before + index, after: after + index }
      })
      return { ...command, changes }
    })
    const receipts = await executeAll(ledger, shifted)
    const rejected = receipts.filter((receipt) => !receipt.accepted)
    expect(new Set(rejected.map(({ code }) => code))).toEqual(new Set(['CHAIN_BROKEN']))
    // Those that were accepted are the first of their accounts in a run.
    expect(await ledger.query(Network, 'main')).toMatchObject({ chained: 0 })
    expect(rejected.length).toBeGreaterThan(200)
  })

  it('rejects a failed transaction that changes more than its payer', async () => {
    const ledger = await open('inline')
    const failed = commands.map((command) => ({ ...command, succeeded: false }))
    const receipts = await executeAll(ledger, failed)
    const codes = receipts.flatMap((each) => (each.accepted ? [] : [each.code]))
    const others = codes.filter((code) => code !== 'CHAIN_BROKEN')
    expect(new Set(others)).toEqual(new Set(['FAILED_CHANGED_MORE']))
    expect(others.length).toBeGreaterThan(250)
  })
})
