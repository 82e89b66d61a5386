/**
 * What the handlers of the probe domain do, by name. A scenario tells what it saw by rejecting with
 * `SAW` and the observations as detail, so that it can be compared on any thread.
 */
import type { Transaction } from '../../../engine/index.js'
import {
  Account,
  Burst,
  Counted,
  Counter,
  Credited,
  Filled,
  Linked,
  Log,
  Logged,
  MetaNoted,
  OwnerSet,
  Padded,
  ParentSet,
  SmallSet,
  Thing,
  Tinied,
  TinyNamed,
  Wide,
  Widened,
} from './probe.js'

type Scenario = (tx: Transaction, given: unknown, command: unknown) => undefined

let keptView: { readonly balance: number; readonly owner: string } | undefined
let keptCommand: { readonly scenario: string; readonly with: unknown } | undefined
let keptTx: Transaction | undefined

/** The code or the name of what `action` throws. */
function outcomeOf(action: () => unknown): string {
  try {
    action()
    return 'done'
  } catch (error) {
    const { code, name } = error as { code?: string; name?: string }
    return code ?? name ?? 'nothing'
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  nothing: () => undefined,

  reject: (tx, given) => {
    const { code, detail } = given as { code: string; detail?: unknown }
    tx.reject(code, detail)
  },
  'reject with a code of bytes': (tx, given) => tx.reject('c'.repeat(given as number)),
  'reject with a detail of bytes': (tx, given) => tx.reject('D', new Uint8Array(given as number)),
  'reject with a number as code': (tx) => tx.reject(7 as never),
  'reject with a function as detail': (tx) => tx.reject('D', () => undefined),
  'reject with a cycle as detail': (tx) => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    tx.reject('D', cycle)
  },
  'reject with a detail that throws': (tx) => {
    const detail = {
      get trap(): never {
        throw new Error('a trap')
      },
    }
    tx.reject('D', detail)
  },
  'reject, then emit, reject and return': (tx, given) => {
    tx.reject('FIRST', 1)
    tx.emit(Credited, given as string, { amount: 1 })
    tx.emit(Credited, '', { amount: Number.NaN })
    tx.reject('SECOND', 2)
  },
  'emit, then reject': (tx, given) => {
    const ids = given as string[]
    for (const id of ids) tx.emit(Credited, id, { amount: 1 })
    tx.emit(Counted, 4_000_000_001, { by: 1 })
    tx.reject('AFTER_ALL')
  },
  'emit, then throw': (tx, given) => {
    for (const id of given as string[]) tx.emit(Credited, id, { amount: 1 })
    throw new Error('half-way')
  },
  'credit each': (tx, given) => {
    for (const [id, amount] of given as [string, number][]) tx.emit(Credited, id, { amount })
  },
  'throw undefined': () => {
    throw undefined
  },
  'throw an object without a prototype': () => {
    throw Object.create(null)
  },
  'throw an error with a strange message': () => {
    throw Object.assign(new Error('x'), { message: { strange: true } })
  },
  'throw an error whose message throws': () => {
    throw Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('again')
      },
    })
  },
  'throw a symbol': () => {
    throw Symbol('s')
  },
  'throw a long lone surrogate': () => {
    throw new Error('\ud800'.repeat(100_000))
  },
  'return a value': () => 1 as never,
  'return a promise': (tx, given) => {
    tx.emit(Credited, given as string, { amount: 1 })
    return Promise.resolve() as never
  },
  'return a promise that fails': () => Promise.reject(new Error('later')) as never,
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what must be refused
  'return a thenable': () => ({ then: () => undefined }) as never,
  'swallow the error of an emit': (tx, given) => {
    tx.emit(Credited, given as string, { amount: 1 })
    outcomeOf(() => tx.emit(Credited, given as string, { amount: Number.NaN }))
  },
  'swallow READ_AFTER_EMIT': (tx, given) => {
    tx.emit(Credited, given as string, { amount: 1 })
    outcomeOf(() => tx.get(Account, given as string))
  },
  'read after emit': (tx, given) => {
    tx.emit(Credited, given as string, { amount: 1 })
    tx.get(Account, given as string)
  },
  'versions after emit': (tx, given) => {
    const id = given as string
    tx.emit(Credited, id, { amount: 1 })
    tx.emit(Credited, id, { amount: 1 })
    tx.reject('SAW', { exists: tx.exists(Account, id), version: tx.version(Account, id) })
  },
  'state of': (tx, given) => {
    const { balance, small, owner, note, open, tag, token, wide, signed, ratio, parent } = tx.get(
      Account,
      given as string,
    )
    const seen = { balance, small, owner, open, tag, token, wide, signed, ratio }
    tx.reject('SAW', { ...seen, note: note ?? null, parent: parent ?? null })
  },
  'views of': (tx, given) => {
    const { ids, wides, uuids } = given as { ids: string[]; wides: bigint[]; uuids: string[] }
    const views = ids.map((id) => tx.get(Account, id))
    const again = ids.map((id) => tx.get(Account, id))
    const logs = ids.map((id) => tx.get(Log, id))
    tx.reject('SAW', {
      same: views.every((view, i) => view === again[i]),
      different: new Set(views).size === ids.length,
      logsDiffer: new Set(logs).size === ids.length,
      wideAsNumber: wides.every((id) => tx.get(Wide, id) === tx.get(Wide, Number(id))),
      wideSame: wides
        .map((id) => tx.get(Wide, id))
        .every((view, i) => view === tx.get(Wide, wides[i]!)),
      wideDifferent: new Set(wides.map((id) => tx.get(Wide, id))).size === wides.length,
      uuidSame: uuids
        .map((id) => tx.get(Thing, id))
        .every((view, i) => view === tx.get(Thing, uuids[i]!)),
    })
  },
  'write to a view': (tx, given) => {
    const account = tx.get(Account, given as string) as { balance: number; owner: string }
    const first = outcomeOf(() => {
      account.balance = 1_000_000
    })
    const second = outcomeOf(() => {
      account.owner = 'thief'
    })
    tx.reject('SAW', [first, second, account.balance, account.owner])
  },
  'write to the command': (tx, _given, command) => {
    const writable = command as { scenario: string }
    const outcome = outcomeOf(() => {
      writable.scenario = 'other'
    })
    tx.reject('SAW', [outcome, writable.scenario])
  },
  'keep a view': (tx, given, command) => {
    keptView = tx.get(Account, given as string)
    keptCommand = command as NonNullable<typeof keptCommand>
    keptTx = tx
  },
  'use what was kept': (tx) => {
    tx.reject('SAW', [
      outcomeOf(() => keptView?.balance),
      outcomeOf(() => keptView?.owner),
      // The flyweight is this command's own now: of the same type.
      keptCommand?.scenario,
    ])
  },
  'use the transaction later': (tx, given) => {
    const late: string[] = []
    queueMicrotask(() => {
      late.push(outcomeOf(() => tx.emit(Credited, given as string, { amount: 1_000 })))
      late.push(outcomeOf(() => tx.emit(Credited, `${given as string}-new`, { amount: 1_000 })))
      late.push(outcomeOf(() => tx.get(Account, given as string).balance))
      late.push(outcomeOf(() => tx.reject('LATE')))
    })
    tx.emit(Credited, given as string, { amount: 1 })
  },
  'no id': (tx, given, command) => {
    const id = (command as { missing: never }).missing
    const how = given as string
    if (how === 'get') tx.get(Account, id)
    else if (how === 'exists') tx.exists(Account, id)
    else if (how === 'version') tx.version(Account, id)
    else tx.emit(Credited, id, { amount: 1 })
  },
  'ask for an id': (tx, given) => {
    const { aggregate, id } = given as { aggregate: string; id: never }
    const asked = { Account, Counter, Wide, Thing }[aggregate] as typeof Account
    tx.reject('SAW', [tx.exists(asked, id), tx.version(asked, id)])
  },
  'emit to an id': (tx, given) => {
    const { aggregate, id } = given as { aggregate: string; id: never }
    if (aggregate === 'Account') tx.emit(Credited, id, { amount: 1 })
    if (aggregate === 'Counter') tx.emit(Counted, id, { by: 1 })
    if (aggregate === 'Wide') tx.emit(Widened, id, { by: 1 })
    if (aggregate === 'Thing') {
      tx.emit(Linked, id, { owner: 'linked', wide: 1, counter: 1 })
    }
  },
  'set the parent': (tx, given) => {
    const { account, parent } = given as { account: string; parent: string }
    tx.emit(ParentSet, account, { parent })
  },
  'fill in': (tx, given) => {
    const { account, data } = given as { account: string; data: never }
    tx.emit(Filled, account, data)
    tx.emit(OwnerSet, account, { owner: 'Ö\u{1f600}', note: { a: [1, null, 'x', true] } })
  },
  'a new owner': (tx, given) => {
    const { account, owner, note } = given as { account: string; owner: string; note: unknown }
    tx.emit(OwnerSet, account, { owner, note })
  },
  'note the meta': (tx, given) => {
    tx.emit(Credited, given as string, { amount: 0 })
    tx.emit(MetaNoted, given as string, {})
  },
  'set small': (tx, given) => {
    const { account, value } = given as { account: string; value: number }
    tx.emit(SmallSet, account, { value })
  },
  'change much, then a value out of range': (tx, given) => {
    const [first, second] = given as [string, string]
    tx.emit(OwnerSet, first, { owner: 'changed', note: { changed: true } })
    tx.emit(Credited, first, { amount: 5 })
    tx.emit(Credited, second, { amount: 5 })
    tx.emit(Counted, 77, { by: 5 })
    tx.emit(ParentSet, first, { parent: second })
    tx.emit(OwnerSet, first, { owner: 'changed again', note: [2] })
    tx.emit(SmallSet, first, { value: -1 })
  },
  'change object state, then a value out of range': (tx, given) => {
    tx.emit(Logged, given as string, { line: 'changed' })
    tx.emit(SmallSet, given as string, { value: -1 })
  },
  'burst after two': (tx, given) => {
    const { account, how } = given as { account: string; how: string }
    tx.emit(Credited, account, { amount: 1_000 })
    tx.emit(Logged, account, { line: 'lost' })
    tx.emit(Burst, account, { how })
  },
  'open many tiny': (tx, given) => {
    for (const id of given as string[]) tx.emit(Tinied, id, { by: 1 })
  },
  'name a tiny': (tx, given) => {
    const { account, tiny } = given as { account: string; tiny: string }
    tx.emit(TinyNamed, account, { tiny })
  },
  'emit blobs': (tx, given) => {
    const { account, bytes, times } = given as { account: string; bytes: number; times: number }
    const blob = new Uint8Array(bytes).fill(7)
    for (let i = 0; i < times; i++) tx.emit(Padded, account, { blob })
  },
  'emit times': (tx, given) => {
    const { counter, times } = given as { counter: number; times: number }
    for (let i = 0; i < times; i++) tx.emit(Counted, counter, { by: 1 })
  },
  time: (tx) => tx.reject('SAW', tx.time),
  luck: (tx) => {
    const tosses = Array.from({ length: 1000 }, () => tx.random())
    const uuids = Array.from({ length: 100 }, () => tx.uuid())
    tx.reject('SAW', {
      inRange: tosses.every((toss) => toss >= 0 && toss < 1),
      differ: new Set(tosses).size > 990 && new Set(uuids).size === 100,
      uuid: uuids[0],
    })
  },
}

export function lateTransaction(): Transaction | undefined {
  return keptTx
}
