/**
 * Range errors in the middle of a transaction, at random places, against a naive model: several
 * streams, new ones and one of them twice, record states of every shape, partly written before the
 * error. What was rejected must leave no trace: not in states, versions, ids or columns, nor in what
 * replay makes of the journal.
 */
import { afterAll, describe, expect, test } from 'vitest'
import {
  any,
  domain,
  type Engine,
  i32,
  int,
  ref,
  type Transaction,
  text,
  u32,
  u64,
  uuid,
} from '../../engine/index.js'
import { EngineBench } from '../support/engine-fixture.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

const undo = domain('undo', import.meta.url)

/** Two columns and fixed fields; `small` is where the range ends. */
const Mixed = undo.aggregate('Mixed', {
  id: text,
  capacity: 1000,
  state: { total: int, name: text, small: u32, note: any, peer: ref('Sparse', u32) },
})
/** One word. */
const Sparse = undo.aggregate('Sparse', { id: u32, capacity: 1000, state: { small: u32 } })
/** More words than are saved one by one: 2 for each `int`. */
const WIDE_FIELDS = 20
const wideFields = Object.fromEntries(
  Array.from({ length: WIDE_FIELDS }, (_, i) => [`f${i}`, int] as const),
)
const Wide = undo.aggregate('Wide', {
  id: u64,
  capacity: 1000,
  state: { ...wideFields, small: i32, last: int },
})
/** Columns alone. */
const Texts = undo.aggregate('Texts', { id: uuid, capacity: 1000, state: { a: text, b: any } })

/** Writes on both sides of the field that may refuse its value. */
const MixedSet = Mixed.event(
  'MixedSet',
  { value: int, peer: Sparse.id },
  (state, { value, peer }) => {
    state.total += value
    state.name += `${value},`
    state.peer = peer
    state.small = value
    state.note = { value }
  },
)
const SparseSet = Sparse.event('SparseSet', { value: int }, (state, event) => {
  state.small = event.value
})
const WideSet = Wide.event('WideSet', { value: int }, (state, event) => {
  const fields = state as unknown as Record<string, number>
  for (let i = 0; i < WIDE_FIELDS; i++) fields[`f${i}`] = fields[`f${i}`]! + event.value + i
  state.small = event.value
  state.last = event.value
})
const TextsSet = Texts.event('TextsSet', { value: int }, (state, event) => {
  state.a += `${event.value};`
  state.b = [event.value]
  // The limit of a text is 256 KiB.
  if (event.value < 0) state.a = 'x'.repeat(256 * 1024 + 1)
})

const AGGREGATES = { Mixed, Sparse, Wide, Texts } as const
type Name = keyof typeof AGGREGATES

interface Step {
  readonly name: Name
  /** Of the stream, and of the one that is referred to. */
  readonly id: number
  readonly peer: number
  readonly value: number
}

const IDS = {
  Mixed: (id: number) => `m${id}`,
  Sparse: (id: number) => id,
  Wide: (id: number) => BigInt(id) + 2n ** 40n,
  Texts: (id: number) => `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
} as const

function emit(tx: Transaction, { name, id, peer, value }: Step): void {
  if (name === 'Mixed') tx.emit(MixedSet, IDS.Mixed(id), { value, peer })
  else if (name === 'Sparse') tx.emit(SparseSet, id, { value })
  else if (name === 'Wide') tx.emit(WideSet, IDS.Wide(id), { value })
  else tx.emit(TextsSet, IDS.Texts(id), { value })
}

const Steps = undo.command('Steps', { steps: any.of<readonly Step[]>() }, (command, tx) => {
  for (const step of command.steps) emit(tx, step)
})
const Versions = undo.command('Versions', { name: text, count: u32 }, (command, tx) => {
  const name = command.name as Name
  const versions = Array.from({ length: command.count }, (_, id) =>
    tx.version(AGGREGATES[name] as typeof Mixed, IDS[name](id) as string),
  )
  return tx.reject('SAW', versions)
})

interface Stream {
  readonly version: number
  readonly state: Record<string, unknown>
}

/** Copies everything before each command, and goes back to the copy. */
class NaiveStreams {
  streams = new Map<string, Stream>()

  /** Whether the transaction is accepted. */
  run(steps: readonly Step[]): boolean {
    const before = new Map(this.streams)
    for (const step of steps) {
      const key = `${step.name} ${step.id}`
      const { version, state } = this.streams.get(key) ?? { version: 0, state: initial(step.name) }
      const next = applied(step, state)
      if (next === undefined) {
        this.streams = before
        return false
      }
      this.streams.set(key, { version: version + 1, state: next })
    }
    return true
  }
}

function initial(name: Name): Record<string, unknown> {
  if (name === 'Mixed') return { total: 0, name: '', small: 0, note: undefined, peer: undefined }
  if (name === 'Sparse') return { small: 0 }
  if (name === 'Texts') return { a: '', b: undefined }
  const fields = Array.from({ length: WIDE_FIELDS }, (_, i) => [`f${i}`, 0])
  return { ...Object.fromEntries(fields), small: 0, last: 0 }
}

function applied(step: Step, state: Record<string, unknown>): Record<string, unknown> | undefined {
  const { name, value, peer } = step
  if (name === 'Wide' ? value !== (value | 0) : value !== value >>> 0) {
    if (name !== 'Texts' || value < 0) return undefined
  }
  if (name === 'Sparse') return { small: value }
  if (name === 'Texts') return { a: `${state['a']}${value};`, b: [value] }
  if (name === 'Mixed') {
    const total = (state['total'] as number) + value
    return { total, name: `${state['name']}${value},`, small: value, note: { value }, peer }
  }
  const fields = Array.from({ length: WIDE_FIELDS }, (_, i) => {
    return [`f${i}`, (state[`f${i}`] as number) + value + i]
  })
  return { ...Object.fromEntries(fields), small: value, last: value }
}

const STREAMS = 12
const VALUES_REFUSED = [-1, 2 ** 32, 2 ** 40]

function randomSteps(random: SeededRandom): Step[] {
  const names = Object.keys(AGGREGATES) as Name[]
  const count = 1 + random.below(random.below(10) === 0 ? 250 : 8)
  // Where it fails, if it does: anywhere, so that much or nothing precedes it.
  const fails = random.below(2) === 0 ? random.below(count) : -1
  return Array.from({ length: count }, (_, i) => {
    const refused = VALUES_REFUSED[random.below(VALUES_REFUSED.length)]!
    const value = i === fails ? refused : random.below(1000)
    const name = names[random.below(names.length)]!
    return { name, id: random.below(STREAMS), peer: STREAMS + random.below(300), value }
  })
}

async function expectSame(engine: Engine, naive: NaiveStreams): Promise<void> {
  for (const name of Object.keys(AGGREGATES) as Name[]) {
    const receipt = await engine.execute(Versions, { name, count: STREAMS })
    const versions: number[] = []
    for (let id = 0; id < STREAMS; id++) {
      const stream = naive.streams.get(`${name} ${id}`)
      versions.push(stream?.version ?? 0)
      const state = engine.get(AGGREGATES[name] as typeof Mixed, IDS[name](id) as string)
      expect(state, `${name} ${id}`).toEqual(stream?.state)
    }
    expect(receipt).toMatchObject({ code: 'SAW', detail: versions })
  }
}

const COMMANDS = 120

describe('undo', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  test.each([1, 2, 3, 4])('rejected transactions leave no trace (seed %i)', async (seed) => {
    const random = seededRandom(seed)
    const naive = new NaiveStreams()
    const engine = await bench.open('undo', { durability: 'none' }, undo)
    // Sees what was accepted alone.
    const other = await bench.open('undo', { durability: 'none' }, undo)
    const outcomes = new Set<boolean>()
    for (let i = 0; i < COMMANDS; i++) {
      const steps = randomSteps(random)
      const accepted = naive.run(steps)
      outcomes.add(accepted)
      const receipt = await engine.execute(Steps, { steps })
      expect(receipt.accepted, `command ${i}: ${JSON.stringify(receipt)}`).toBe(accepted)
      if (!receipt.accepted) expect(receipt.code).toBe('HANDLER_FAILED')
      else await other.execute(Steps, { steps })
      if (i % 10 === 0) await expectSame(engine, naive)
    }
    expect(outcomes.size, 'some are accepted and some are not').toBe(2)
    await expectSame(engine, naive)
    expect(await engine.digest()).toBe(await other.digest())
    await bench.close(engine)
    await bench.close(other)
  })

  test('all is taken back (more slots than the log has room for at first)', async () => {
    const engine = await bench.open('undo', { durability: 'none' }, undo)
    const steps = Array.from({ length: 300 }, (_, id): Step => {
      return { name: 'Wide', id, peer: 0, value: id }
    })
    await engine.execute(Steps, { steps })
    const digest = await engine.digest()
    const failing = steps.map((step) => (step.id === 299 ? { ...step, value: 2 ** 40 } : step))
    expect((await engine.execute(Steps, { steps: failing })).accepted).toBe(false)
    expect(await engine.digest()).toBe(digest)
    await bench.close(engine)
  })

  test('replay agrees (rejected with keys, many in a batch)', async () => {
    const random = seededRandom(5)
    const naive = new NaiveStreams()
    const path = bench.path()
    const engine = await bench.open(path, {}, undo)
    const answers = Array.from({ length: COMMANDS }, (_, i) => {
      const steps = randomSteps(random)
      const accepted = naive.run(steps)
      const options = random.below(2) === 0 ? { key: `key ${i}` } : {}
      return engine.execute(Steps, { steps }, options).then((receipt) => {
        expect(receipt.accepted, `command ${i}`).toBe(accepted)
      })
    })
    await Promise.all(answers)
    await expectSame(engine, naive)
    const digest = await engine.digest()
    await bench.close(engine)
    const again = await bench.open(path, {}, undo)
    expect(await again.digest()).toBe(digest)
    await expectSame(again, naive)
    await bench.close(again)
  })
})
