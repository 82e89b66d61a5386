/**
 * The domain that the engine's conformance tests run: one aggregate of each id type, with record and
 * object state, and one command, `Run`, whose handler is looked up by name in `scenarios`. So a test
 * can say what a handler does, also when the handler runs on another thread.
 */
import {
  any,
  bool,
  bytes,
  domain,
  f64,
  i32,
  int,
  object,
  oneOf,
  ref,
  text,
  u32,
  u64,
  uuid,
} from '../../../engine/index.js'
import { scenarios } from './probe-scenarios.js'

const probe = domain('probe', import.meta.url)
export default probe

/** Text ids, every kind of state field. `parent` names an aggregate that is declared later. */
export const Account = probe.aggregate('Account', {
  id: text,
  capacity: 100_000,
  state: {
    balance: int,
    small: u32,
    signed: i32,
    wide: u64,
    ratio: f64,
    open: bool,
    tag: oneOf('red', 'green', 'blue'),
    token: uuid,
    owner: text,
    blob: bytes,
    note: any,
    parent: ref('Account'),
  },
})
export const Credited = Account.event('Credited', { amount: int }, (account, event) => {
  account.balance += event.amount
})
/** `small` is a u32: an amount out of its range is a range error in `evolve`. */
export const SmallSet = Account.event('SmallSet', { value: int }, (account, event) => {
  account.small = event.value
})
export const OwnerSet = Account.event('OwnerSet', { owner: text, note: any }, (account, event) => {
  account.owner = event.owner
  account.note = event.note
})
export const ParentSet = Account.event('ParentSet', { parent: Account.id }, (account, event) => {
  account.parent = event.parent
})
export const Filled = Account.event(
  'Filled',
  {
    signed: i32,
    wide: u64,
    ratio: f64,
    open: bool,
    tag: oneOf('red', 'green', 'blue'),
    token: uuid,
    blob: bytes,
  },
  (account, event) => {
    account.signed = event.signed
    account.wide = event.wide
    account.ratio = event.ratio
    account.open = event.open
    account.tag = event.tag
    account.token = event.token
    account.blob = event.blob
  },
)
/** What `evolve` was told beside the event. */
export const MetaNoted = Account.event('MetaNoted', {}, (account, _event, meta) => {
  const { id, version, sequence, time } = meta
  account.note = { id, version, sequence, time }
})
export const Burst = Account.event('Burst', { how: text }, (_account, event): undefined => {
  if (event.how === 'value') return 1 as never
  if (event.how === 'nothing') throw undefined
  throw new Error(`burst: ${event.how}`)
})
export const Padded = Account.event('Padded', { blob: bytes }, (account) => {
  account.balance += 1
})

export const Counter = probe.aggregate('Counter', { id: u32, state: { value: int } })
export const Counted = Counter.event('Counted', { by: int }, (counter, event) => {
  counter.value += event.by
})

export const Wide = probe.aggregate('Wide', { id: u64, capacity: 10_000, state: { value: int } })
export const Widened = Wide.event('Widened', { by: int }, (wide, event) => {
  wide.value += event.by
})

export const Thing = probe.aggregate('Thing', {
  id: uuid,
  capacity: 10_000,
  state: { value: int, owner: Account.id, wide: Wide.id, counter: Counter.id },
})
export const Linked = Thing.event(
  'Linked',
  { owner: Account.id, wide: Wide.id, counter: Counter.id },
  (thing, event) => {
    thing.value += 1
    thing.owner = event.owner
    thing.wide = event.wide
    thing.counter = event.counter
  },
)

/** Room for three streams. */
export const Tiny = probe.aggregate('Tiny', { id: text, capacity: 3, state: { value: int } })
export const Tinied = Tiny.event('Tinied', { by: int }, (tiny, event) => {
  tiny.value += event.by
})
export const TinyNamed = Account.event('TinyNamed', { tiny: Tiny.id }, (account) => {
  account.balance += 1
})

/** State with a class. */
export class Lines {
  readonly lines: string[] = []
}
export const Log = probe.aggregate('Log', {
  id: text,
  capacity: 10_000,
  state: object({
    create: () => new Lines(),
    snapshot: (log) => [...log.lines],
    restore: (lines: string[]) => {
      const log = new Lines()
      log.lines.push(...lines)
      return log
    },
  }),
})
export const Logged = Log.event('Logged', { line: text }, (log, event) => {
  log.lines.push(event.line)
})

/** Does what the scenario of this name says. */
export const Run = probe.command('Run', { scenario: text, with: any }, (command, tx) => {
  const scenario = scenarios[command.scenario]
  if (scenario === undefined) throw new Error(`there is no scenario ${command.scenario}`)
  return scenario(tx, command.with, command)
})

/** Fixed layout, no checks: for many. */
export const Credit = probe.command(
  'Credit',
  { account: Account.id, amount: int },
  (command, tx) => {
    tx.emit(Credited, command.account, { amount: command.amount })
  },
)
/** The same fields, another type. */
export const Debit = probe.command('Debit', { account: Account.id, amount: int }, (command, tx) => {
  tx.emit(Credited, command.account, { amount: -command.amount })
})
export const Count = probe.command('Count', { counter: Counter.id, by: int }, (command, tx) => {
  if (command.by < 0) return tx.reject('NEGATIVE', { by: command.by })
  tx.emit(Counted, command.counter, { by: command.by })
})
export const Move = probe.command(
  'Move',
  { from: Account.id, to: Account.id, amount: int },
  (command, tx) => {
    const from = tx.get(Account, command.from)
    if (from.balance < command.amount) return tx.reject('INSUFFICIENT_FUNDS')
    tx.emit(Credited, command.from, { amount: -command.amount })
    tx.emit(Credited, command.to, { amount: command.amount })
  },
)
/** One of each id type. */
export const Link = probe.command(
  'Link',
  { thing: Thing.id, owner: Account.id, wide: Wide.id, counter: Counter.id },
  (command, tx) => {
    const { owner, wide, counter } = command
    tx.emit(Linked, command.thing, { owner, wide, counter })
  },
)
export const WriteLine = probe.command('WriteLine', { log: Log.id, line: text }, (command, tx) => {
  tx.emit(Logged, command.log, { line: command.line })
})
