/**
 * What the simulated domain (ledger.ts) must do, said in the plainest way: maps, and commands one
 * after the other. It knows neither journal nor crash; the simulation gives it a prefix of what was
 * submitted, and compares.
 */
import type { DomainRuntime } from '../../../engine/domain-runtime.js'
import { accountName, DIARY_MARKS_MAX, nextTrace, noteOf } from './ledger.js'

export type Intent =
  | { kind: 'deposit'; account: number; amount: number; mark: number }
  | { kind: 'transfer'; from: number; to: number; amount: number; mark: number }
  | { kind: 'scatter'; count: number; amount: number; mark: number }
  | { kind: 'note'; account: number; size: number; mark: number }
  | { kind: 'write'; diary: number; mark: number }

/** What a receipt must say, apart from the time. */
export interface Answer {
  readonly accepted: boolean
  readonly eventCount: number
  readonly sequence: number
  readonly code: string
  readonly repeated: boolean
}

interface NaiveAccount {
  readonly balance: number
  readonly events: number
  readonly trace: number
  readonly note: Uint8Array
}

export interface Outcome {
  readonly answer: Answer
  /** Of the transaction that the answer is of, now or before: its number in the journal. */
  readonly frame: number
}

interface Remembered extends Outcome {
  readonly content: string
}

const EMPTY: NaiveAccount = { balance: 0, events: 0, trace: 0, note: new Uint8Array(0) }

/** The same of an engine's state. */
export function describeState(runtime: DomainRuntime): string {
  const { sequence, stores } = runtime
  const [accounts = [], diaries = []] = stores.map((store) => {
    const all: [string | number, unknown][] = []
    for (let slot = 1; slot <= store.ids.count; slot++) {
      if (store.version(slot) > 0)
        all.push([store.ids.idOf(slot) as string | number, store.copy(slot)])
    }
    return all.sort(([a], [b]) => (a < b ? -1 : 1))
  })
  return JSON.stringify({ sequence, accounts, diaries })
}

export class NaiveLedger {
  readonly accounts = new Map<string, NaiveAccount>()
  readonly diaries = new Map<number, readonly number[]>()
  sequence = 0
  /** Transactions that leave something in the journal. */
  frames = 0
  private readonly keyCountMax: number
  /** In the order added. */
  private readonly keys = new Map<string, Remembered>()

  constructor(keyCountMax: number) {
    this.keyCountMax = keyCountMax
  }

  run(intent: Intent, key: string | undefined): Outcome {
    const content = JSON.stringify(intent)
    const known = key === undefined ? undefined : this.keys.get(key)
    if (known !== undefined) {
      if (known.content !== content) return { answer: this.rejected('KEY_REUSED'), frame: 0 }
      return { answer: { ...known.answer, repeated: true }, frame: known.frame }
    }
    const answer = this.decide(intent)
    if (answer.eventCount > 0 || key !== undefined) this.frames++
    const outcome = { answer, frame: this.frames }
    if (key !== undefined) this.remember(key, { content, ...outcome })
    return outcome
  }

  /** The whole state, to be compared with {@link describeState}. */
  describe(): string {
    const accounts = [...this.accounts].sort(([a], [b]) => (a < b ? -1 : 1))
    const diaries = [...this.diaries].sort(([a], [b]) => a - b)
    return JSON.stringify({ sequence: this.sequence, accounts, diaries })
  }

  clone(): NaiveLedger {
    const clone = new NaiveLedger(this.keyCountMax)
    // Values are never changed, so they are shared.
    for (const [name, account] of this.accounts) clone.accounts.set(name, account)
    for (const [diary, marks] of this.diaries) clone.diaries.set(diary, marks)
    for (const [key, remembered] of this.keys) clone.keys.set(key, remembered)
    clone.sequence = this.sequence
    clone.frames = this.frames
    return clone
  }

  private decide(intent: Intent): Answer {
    switch (intent.kind) {
      case 'deposit':
        this.deposit(intent.account, intent.amount, intent.mark)
        return this.accepted(1)
      case 'transfer': {
        const { from, to, amount, mark } = intent
        const { balance } = this.accounts.get(accountName(from)) ?? EMPTY
        if (balance < amount) return this.rejected('INSUFFICIENT_FUNDS')
        this.deposit(from, -amount, mark)
        this.deposit(to, amount, mark)
        return this.accepted(2)
      }
      case 'scatter': {
        const { count, amount, mark } = intent
        for (let index = 0; index < count; index++) this.deposit(index, amount, mark)
        return this.accepted(count)
      }
      case 'note':
        this.note(intent.account, intent.size, intent.mark)
        return this.accepted(1)
      case 'write':
        this.write(intent.diary, intent.mark)
        return this.accepted(1)
    }
  }

  /** Each of these is one event. */
  private deposit(index: number, amount: number, mark: number): void {
    const account = this.accounts.get(accountName(index)) ?? EMPTY
    this.accounts.set(accountName(index), {
      ...account,
      balance: account.balance + amount,
      events: account.events + 1,
      trace: nextTrace(account.trace, mark),
    })
  }

  private note(index: number, size: number, mark: number): void {
    const account = this.accounts.get(accountName(index)) ?? EMPTY
    this.accounts.set(accountName(index), {
      ...account,
      events: account.events + 1,
      trace: nextTrace(account.trace, mark + size),
      note: noteOf(size, mark).subarray(0, 16),
    })
  }

  private write(diary: number, mark: number): void {
    const marks = this.diaries.get(diary) ?? []
    this.diaries.set(diary, [...marks, mark].slice(-DIARY_MARKS_MAX))
  }

  private accepted(eventCount: number): Answer {
    this.sequence += eventCount
    return { accepted: true, eventCount, sequence: this.sequence, code: '', repeated: false }
  }

  private rejected(code: string): Answer {
    const { sequence } = this
    return { accepted: false, eventCount: 0, sequence, code, repeated: false }
  }

  private remember(key: string, remembered: Remembered): void {
    this.keys.set(key, remembered)
    const [oldest] = this.keys.keys()
    if (this.keys.size > this.keyCountMax && oldest !== undefined) this.keys.delete(oldest)
  }
}
