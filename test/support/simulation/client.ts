/**
 * The client of a simulated engine: knows what it submitted and what was promised to it, and says
 * after each opening whether the journal kept its word.
 *
 *   submitted, in order   1  2  3  4  5  6  7  8  9
 *   promised              ●  ●     ●  ●                  the last promise makes all before it due
 *   found                 ─────────────────▶             a prefix that holds every promise
 */
import type { EngineHost } from '../../../engine/engine-host.js'
import type { Receipt } from '../../../engine/receipt.js'
import type { SeededRandom } from '../seeded-random.js'
import type { Coverage } from './coverage.js'
import {
  type Answer,
  describeState,
  type Intent,
  NaiveLedger,
  type Outcome,
} from './naive-ledger.js'

/**
 * What an answer survives: at level `disk` a loss of power, at level `os` the end of the process,
 * and a loss of power once a second has passed.
 */
type Promised = 'nothing' | 'process' | 'power'

interface Entry extends Outcome {
  readonly intent: Intent
  readonly key: string | undefined
  readonly framesAfter: number
  promised: Promised
  /** When the journaler's clock first ran after the answer. */
  tickedAtMs: number | undefined
}

const ACCOUNTS = 12
const DIARIES = 4
const RETRIES_KEPT = 60
const SYNC_INTERVAL_MS = 1000

export class Client {
  readonly keyCountMax = 40
  private base = new NaiveLedger(this.keyCountMax)
  private ledger = this.base.clone()
  /** Since the engine was opened. */
  private entries: Entry[] = []
  private answered = 0
  private latestUs = 0
  private marks = 0
  private level: 'disk' | 'os' = 'disk'
  /** Of keyed commands, by their transaction. */
  private readonly keyTimes = new Map<number, number>()
  /** To be sent again, by a client that does not know what became of them. */
  private readonly retries: { intent: Intent; key: string }[] = []
  private readonly random: SeededRandom
  private readonly coverage: Coverage
  private readonly fail: (what: string) => never

  constructor(random: SeededRandom, coverage: Coverage, fail: (what: string) => never) {
    this.random = random
    this.coverage = coverage
    this.fail = fail
  }

  /** Something to submit: new, or sent before. */
  next(version: 1 | 2, noteBytesMax: number): { intent: Intent; key: string | undefined } {
    const { random } = this
    if (this.retries.length > 0 && random.below(6) === 0) {
      const { intent, key } = this.retries[random.below(this.retries.length)]!
      // The same key with other content, which must be refused as long as the key is known.
      const isReused = random.below(8) === 0
      const isKnown = version === 2 || intent.kind !== 'write'
      if (isKnown) return { intent: isReused ? { ...intent, mark: intent.mark + 1 } : intent, key }
    }
    const intent = this.newIntent(version, noteBytesMax)
    const key = random.below(3) === 0 ? `key-${intent.mark}` : undefined
    return { intent, key }
  }

  /** The engine has taken it. */
  submitted(intent: Intent, key: string | undefined): void {
    const outcome = this.ledger.run(intent, key)
    const { answer } = outcome
    const framesAfter = this.ledger.frames
    const promised = 'nothing'
    const tickedAtMs = undefined
    this.entries.push({ intent, key, ...outcome, framesAfter, promised, tickedAtMs })
    this.coverage.add('commands: submitted')
    if (key !== undefined && !answer.repeated && answer.code !== 'KEY_REUSED') {
      this.retries.push({ intent, key })
      if (this.retries.length > RETRIES_KEPT) this.retries.shift()
    }
  }

  receive(receipt: Receipt): void {
    const entry = this.entries[receipt.ticket - 1]
    if (entry === undefined || receipt.ticket !== this.answered + 1) {
      this.fail(`receipt ${receipt.ticket} came after ${this.answered}`)
    }
    this.answered = receipt.ticket
    const { accepted, sequence, repeated, time } = receipt
    const eventCount = receipt.accepted ? receipt.eventCount : 0
    const code = receipt.accepted ? '' : receipt.code
    const answer: Answer = { accepted, eventCount, sequence, code, repeated }
    if (JSON.stringify(answer) !== JSON.stringify(entry.answer)) {
      const [got, due] = [JSON.stringify(answer), JSON.stringify(entry.answer)]
      this.fail(`${JSON.stringify(entry.intent)} got ${got}, and should get ${due}`)
    }
    this.checkTime(entry, time, repeated)
    entry.promised = this.level === 'disk' ? 'power' : 'process'
    this.coverage.add(`commands: ${accepted ? 'accepted' : `rejected ${code}`}`)
    if (repeated) this.coverage.add('commands: answered again')
  }

  /** The journaler's clock has run: at level `os`, what is a second old is synced. */
  ticked(nowMs: number): void {
    for (const entry of this.entries) {
      if (entry.promised !== 'process') continue
      entry.tickedAtMs ??= nowMs
      if (nowMs - entry.tickedAtMs >= SYNC_INTERVAL_MS) entry.promised = 'power'
    }
  }

  /** A clean close: everything was answered, and is on disk. */
  closed(): void {
    if (this.answered !== this.entries.length) {
      this.fail(`a clean close answered ${this.answered} of ${this.entries.length} commands`)
    }
    for (const entry of this.entries) entry.promised = 'power'
  }

  /** The machine has stopped, or the system has given up what it could not write. */
  lostCache(): void {
    for (const entry of this.entries) {
      if (entry.promised === 'process') entry.promised = 'nothing'
    }
  }

  /** Compares what was recovered; from here on, that is what there is. */
  recovered(frames: number, sequence: number): void {
    const due = this.entries.findLastIndex(({ promised }) => promised !== 'nothing') + 1
    // Commands that leave nothing in the journal count as found with the one before.
    let found = this.entries.findLastIndex(({ framesAfter }) => framesAfter <= frames) + 1
    if (this.base.frames > frames) found = -1
    const foundFrames = found > 0 ? this.entries[found - 1]!.framesAfter : this.base.frames
    if (found < due || foundFrames !== frames) {
      const all = this.ledger.frames
      this.fail(
        `${frames} transactions are there: ${this.base.frames} were there before, ${all} were submitted, and ${due} of ${this.entries.length} commands were promised`,
      )
    }
    const ledger = this.base.clone()
    for (const { intent, key } of this.entries.slice(0, found)) ledger.run(intent, key)
    for (const { frame, answer } of this.entries.slice(found)) {
      if (!answer.repeated) this.keyTimes.delete(frame)
    }
    this.coverage.add('commands: lost, never promised', this.entries.length - found)
    if (ledger.sequence !== sequence) {
      this.fail(`the journal ends with event ${sequence}, and should with ${ledger.sequence}`)
    }
    this.base = ledger
    this.entries = []
  }

  /** The engine runs: a new port, new tickets. */
  started(level: 'disk' | 'os', host: EngineHost): void {
    this.level = level
    this.ledger = this.base.clone()
    this.answered = 0
    const { runtime } = host.state
    this.latestUs = runtime.latestUs
    const [found, due] = [describeState(runtime), this.ledger.describe()]
    if (found !== due) this.fail(`the state is ${found}, and should be ${due}`)
  }

  private checkTime(entry: Entry, time: number, repeated: boolean): void {
    const { key, frame } = entry
    if (!repeated && time < this.latestUs) this.fail(`time went back to ${time}`)
    if (!repeated) this.latestUs = time
    if (key === undefined || entry.answer.code === 'KEY_REUSED') return
    const known = this.keyTimes.get(frame)
    if (!repeated) this.keyTimes.set(frame, time)
    else if (known !== undefined && known !== time) {
      this.fail(`${key} was answered at ${known}, and again as if at ${time}`)
    }
  }

  private newIntent(version: 1 | 2, noteBytesMax: number): Intent {
    const { random } = this
    const mark = ++this.marks
    const account = random.below(ACCOUNTS)
    const amount = 1 + random.below(100)
    const kind = random.below(version === 1 ? 8 : 10)
    if (kind < 3) return { kind: 'deposit', account, amount, mark }
    if (kind < 6) {
      return { kind: 'transfer', from: account, to: random.below(ACCOUNTS), amount, mark }
    }
    if (kind === 6) return { kind: 'scatter', count: random.below(ACCOUNTS), amount, mark }
    if (kind === 7) {
      return { kind: 'note', account, size: random.below(noteBytesMax), mark }
    }
    return { kind: 'write', diary: random.below(DIARIES), mark }
  }
}
