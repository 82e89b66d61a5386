/**
 * What the simulated domain (ledger.ts) must do, said in the plainest way: maps, and commands one
 * after the other. It knows neither journal nor crash; the simulation gives it a prefix of what was
 * submitted, and compares.
 */
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

interface Remembered {
  readonly content: string
  readonly answer: Answer
}

const EMPTY: NaiveAccount = { balance: 0, events: 0, trace: 0, note: new Uint8Array(0) }

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

  run(intent: Intent, key: string | undefined): Answer {
    const content = JSON.stringify(intent)
    const known = key === undefined ? undefined : this.keys.get(key)
    if (known !== undefined) {
      if (known.content === content) return { ...known.answer, repeated: true }
      return this.rejected('KEY_REUSED')
    }
    const answer = this.decide(intent)
    if (answer.eventCount > 0 || key !== undefined) this.frames++
    if (key !== undefined) this.remember(key, { content, answer })
    return answer
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
        return this.accepted([this.deposit(intent.account, intent.amount, intent.mark)])
      case 'transfer': {
        const { from, to, amount, mark } = intent
        const { balance } = this.accounts.get(accountName(from)) ?? EMPTY
        if (balance < amount) return this.rejected('INSUFFICIENT_FUNDS')
        return this.accepted([this.deposit(from, -amount, mark), this.deposit(to, amount, mark)])
      }
      case 'scatter': {
        const { count, amount, mark } = intent
        const all = Array.from({ length: count }, (_, index) => this.deposit(index, amount, mark))
        return this.accepted(all)
      }
      case 'note':
        return this.accepted([this.note(intent.account, intent.size, intent.mark)])
      case 'write':
        return this.accepted([this.write(intent.diary, intent.mark)])
    }
  }

  /** Each returns after it has changed the state by one event. */
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

  private accepted(events: readonly void[]): Answer {
    const eventCount = events.length
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
