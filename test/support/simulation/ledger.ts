/**
 * The domain that is simulated: small enough for a naive model (naive-ledger.ts), with record and
 * object state, transactions of several streams, large events, rejections, and a second version that
 * declares more than the first.
 */
import {
  bytes,
  type CommandType,
  type Domain,
  domain,
  int,
  object,
  text,
  u32,
} from '../../../engine/index.js'

export interface Ledger {
  readonly domain: Domain
  readonly Deposit: CommandType<{ account: string; amount: number; mark: number }>
  readonly Transfer: CommandType<{ from: string; to: string; amount: number; mark: number }>
  readonly Scatter: CommandType<{ count: number; amount: number; mark: number }>
  readonly Note: CommandType<{ account: string; size: number; mark: number }>
  /** Undefined in the first version. */
  readonly Write: CommandType<{ diary: number; mark: number }> | undefined
}

export const DIARY_MARKS_MAX = 5

const NOTE_PERIOD = 65_521
const NOTE_BYTES_MAX = 256 * 1024
const PATTERN = Uint8Array.from(
  { length: NOTE_PERIOD + NOTE_BYTES_MAX },
  (_, i) => 1 + ((i * 7 + (i >> 8) * 13) % 255),
)
const TRACE_MODULUS = 1_000_000_007

/** Order matters: a trace tells a missing, repeated or exchanged event. */
export function nextTrace(trace: number, mark: number): number {
  return (trace * 31 + mark) % TRACE_MODULUS
}

export function accountName(index: number): string {
  return `account-${index}`
}

function createLedger(version: 1 | 2): Ledger {
  const ledger = domain('ledger', import.meta.url)
  const Account = ledger.aggregate('Account', {
    id: text,
    capacity: 64,
    state: { balance: int, events: u32, trace: int, note: bytes },
  })
  const Deposited = Account.event('Deposited', { amount: int, mark: int }, (account, event) => {
    account.balance += event.amount
    account.events += 1
    account.trace = nextTrace(account.trace, event.mark)
  })
  const Noted = Account.event('Noted', { note: bytes, mark: int }, (account, event) => {
    account.events += 1
    account.trace = nextTrace(account.trace, event.mark + event.note.length)
    account.note = event.note.subarray(0, 16)
  })
  const Deposit = ledger.command(
    'Deposit',
    { account: Account.id, amount: int, mark: int },
    ({ account, amount, mark }, tx) => {
      tx.emit(Deposited, account, { amount, mark })
    },
  )
  const Transfer = ledger.command(
    'Transfer',
    { from: Account.id, to: Account.id, amount: int, mark: int },
    ({ from, to, amount, mark }, tx) => {
      const { balance } = tx.get(Account, from)
      if (balance < amount) return tx.reject('INSUFFICIENT_FUNDS', { balance })
      tx.emit(Deposited, from, { amount: -amount, mark })
      tx.emit(Deposited, to, { amount, mark })
    },
  )
  const Scatter = ledger.command(
    'Scatter',
    { count: u32, amount: int, mark: int },
    ({ count, amount, mark }, tx) => {
      for (let i = 0; i < count; i++) tx.emit(Deposited, accountName(i), { amount, mark })
    },
  )
  const Note = ledger.command(
    'Note',
    { account: Account.id, size: u32, mark: int },
    ({ account, size, mark }, tx) => {
      tx.emit(Noted, account, { note: noteOf(size, mark), mark })
    },
  )
  const Write = version === 1 ? undefined : declareDiary(ledger)
  return { domain: ledger, Deposit, Transfer, Scatter, Note, Write }
}

function declareDiary(ledger: Domain): Ledger['Write'] {
  const Diary = ledger.aggregate('Diary', {
    id: u32,
    capacity: 64,
    state: object({
      create: (): number[] => [],
      snapshot: (marks) => [...marks],
      restore: (marks: number[]) => [...marks],
    }),
  })
  const Written = Diary.event('Written', { mark: int, luck: u32 }, (marks, event) => {
    marks.push(event.mark)
    if (marks.length > DIARY_MARKS_MAX) marks.shift()
  })
  return ledger.command('Write', { diary: Diary.id, mark: int }, ({ diary, mark }, tx) => {
    tx.emit(Written, diary, { mark, luck: Math.floor(tx.random() * 1_000_000) })
  })
}

/** No sector of it is zero, or like another: a torn block always has something to lose. */
export function noteOf(size: number, mark: number): Uint8Array {
  const from = mark % NOTE_PERIOD
  return PATTERN.slice(from, from + size)
}

export const LEDGERS: Record<1 | 2, Ledger> = { 1: createLedger(1), 2: createLedger(2) }
