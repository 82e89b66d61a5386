/** Whatever waits for an engine is answered or told why not, also when the engine stops meanwhile. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import {
  type AcceptedReceipt,
  domain,
  Engine,
  int,
  TidewheelError,
  u32,
} from '../../engine/index.js'
import { RingTail } from '../../engine/read/ring-tail.js'
import bank, { OpenAccount } from '../../examples/bank/bank.js'
import { createEventRing, EventRingReader } from '../../journal/event-ring.js'

const folder = mkdtempSync(join(tmpdir(), 'tidewheel-waiting-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const dist = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const waiting = domain('waiting', import.meta.url)
const Counter = waiting.aggregate('Counter', { id: u32, state: { value: int } })
const Added = Counter.event('Added', { by: int }, (counter, event) => {
  if (event.by === 666) throw new Error('evolve has a bug')
  counter.value += event.by
})
const Add = waiting.command('Add', { counter: Counter.id, by: int }, (command, tx) => {
  tx.emit(Added, command.counter, { by: command.by })
})
const Swallow = waiting.command('Swallow', { counter: Counter.id }, (command, tx) => {
  try {
    tx.emit(Added, command.counter, { by: 0.5 })
  } catch {
    // A handler that thinks that it can go on.
  }
  tx.emit(Added, command.counter, { by: 100 })
})

let opened = 0
const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const options = { segmentBytes: 2 * 1024 * 1024, logger: quiet }
const directory = () => join(folder, `journal-${opened++}`)

function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof TidewheelError ? error.code : String(error)),
  )
}

describe('waiting', () => {
  it('emit: one that failed and was caught fails the command, whatever is emitted after it', async () => {
    const engine = await Engine.open(directory(), waiting, options)
    const receipt = await engine.execute(Swallow, { counter: 1 })
    expect(receipt).toMatchObject({ accepted: false, code: 'HANDLER_FAILED' })
    expect(engine.get(Counter, 1)).toBeUndefined()
    await engine.close()
  })

  it('query: sees everything that was submitted before it (the journal is behind)', async () => {
    const ringBytes = 2 * 1024 * 1024
    const engine = await Engine.open(directory(), waiting, { ...options, ringBytes })
    let taken = 0
    while (taken < 100_000 && engine.submit(Add, { counter: 1, by: 1 }) !== 0) taken++
    expect(await engine.query(Counter, 1)).toEqual({ value: taken })
    await engine.close()
  })

  it('room, synced, query: reject when the engine has stopped, and never hang', async () => {
    const engine = await Engine.open(directory(), waiting, options)
    const stopped = engine.execute(Add, { counter: 1, by: 666 })
    expect(await stopped).toMatchObject({ accepted: false, code: 'EVOLVE_FAILED' })
    expect(await codeOf(engine.query(Counter, 1))).toBe('ENGINE_STOPPED')
    expect(await codeOf(engine.synced(99))).toBe('ENGINE_STOPPED')
    expect(await codeOf(engine.execute(Add, { counter: 1, by: 1 }))).toBe('ENGINE_STOPPED')
    await engine.close()
  })

  it('synced: a lower ticket does not wait for a higher one, an unknown one is refused', async () => {
    const engine = await Engine.open(directory(), waiting, options)
    for (let i = 0; i < 3; i++) engine.submit(Add, { counter: 1, by: 1 })
    expect(await codeOf(engine.synced(4))).toBe('INVALID_OPTION')
    await Promise.all([engine.synced(3), engine.synced(1)])
    await engine.close()
  })

  it('logger: one that throws does not keep the engine from telling its callers', async () => {
    const fail = () => {
      throw new Error('the log is full')
    }
    const logger = { info: fail, warn: fail, error: fail }
    const engine = await Engine.open(directory(), waiting, { ...options, logger })
    const receipts = [
      engine.execute(Add, { counter: 1, by: 666 }),
      engine.execute(Add, { counter: 1, by: 1 }),
    ]
    expect(await receipts[0]).toMatchObject({ code: 'EVOLVE_FAILED' })
    expect(await codeOf(receipts[1]!)).toBe('ENGINE_STOPPED')
    await engine.close()
  })

  it.each(['inline', 'thread'] as const)(
    'subscribe: ends when the engine closes, also while it waits (%s)',
    async (processor) => {
      const engine = await Engine.open(directory(), bank, { ...options, processor })
      const account = { owner: 'A', initialBalance: 1 }
      await engine.execute(OpenAccount, { account: 'a', ...account })
      const seen: number[] = []
      const subscription = (async () => {
        for await (const event of engine.subscribe()) seen.push(event.sequence)
      })()
      while (seen.length < 1) await new Promise(setImmediate)
      await engine.execute(OpenAccount, { account: 'b', ...account })
      while (seen.length < 2) await new Promise(setImmediate)
      await engine.close()
      await subscription
      expect(seen).toEqual([1, 2])
    },
  )

  it('subscribe: a process that waits for events lives, and ends when the engine closes', () => {
    const script = join(folder, 'subscriber.mjs')
    writeFileSync(
      script,
      `import { Engine } from ${JSON.stringify(join(dist, 'engine/index.js'))}
       import bank from ${JSON.stringify(join(dist, 'examples/bank/bank.js'))}
       const engine = await Engine.open(${JSON.stringify(directory())}, bank)
       setTimeout(() => engine.close(), 300).unref()
       for await (const event of engine.subscribe()) console.log(event)
       console.log('ended')`,
    )
    const { status, stdout } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
    expect([status, stdout]).toEqual([0, 'ended\n'])
  })

  it('thread: a domain module that opens an engine itself is refused', () => {
    const script = join(folder, 'single.mjs')
    writeFileSync(
      script,
      `import { domain, Engine, int, u32 } from ${JSON.stringify(join(dist, 'engine/index.js'))}
       export const single = domain('single', import.meta.url)
       single.aggregate('A', { id: u32, state: { n: int } })
       await Engine.open(${JSON.stringify(directory())}, single, { processor: 'thread' })`,
    )
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
    expect(status).toBe(1)
    expect(stderr).toContain('declare the domain in a module of its own')
  })

  it('options: misspelled ones are refused by name', async () => {
    const wrong = { durabilty: 'os' } as object
    expect(await codeOf(Engine.open(directory(), waiting, wrong))).toBe('INVALID_OPTION')
    const engine = await Engine.open(directory(), waiting, options)
    const keyless = { keey: 'a' } as object
    expect(await codeOf(engine.execute(Add, { counter: 1, by: 1 }, keyless))).toBe('INVALID_OPTION')
    expect(await codeOf(engine.execute(Add, { counter: 1, by: 1 }, 'k' as never))).toBe(
      'INVALID_OPTION',
    )
    await engine.close()
  })

  it('handlers: a failure is logged with its stack, once a second at most', async () => {
    const warnings: string[] = []
    const logger = { ...quiet, warn: (message: string) => warnings.push(message) }
    const engine = await Engine.open(directory(), waiting, { ...options, logger })
    for (let i = 0; i < 50; i++) await engine.execute(Swallow, { counter: 1 })
    const failures = warnings.filter((message) => message.includes('handler of Swallow failed'))
    expect(failures.length).toBeGreaterThanOrEqual(1)
    expect(failures.length).toBeLessThan(25)
    expect(failures[0]).toContain("INVALID_EVENT: Added: field 'by' must be")
    await engine.close()
  })

  it('events: of several receipts in any order, and refused when they are gone', async () => {
    const ringBytes = 2 * 1024 * 1024
    const engine = await Engine.open(directory(), waiting, { ...options, ringBytes })
    const receipts: AcceptedReceipt[] = []
    for (let i = 0; i < 20; i++) {
      receipts.push((await engine.execute(Add, { counter: i, by: i })) as AcceptedReceipt)
    }
    for (const i of [19, 0, 7, 7, 12]) {
      expect([...engine.events(receipts[i]!)]).toMatchObject([{ id: i, data: { by: i } }])
    }
    for (let i = 0; i < 60_000; i++) {
      while (engine.submit(Add, { counter: 1, by: 1 }) === 0) await engine.room()
    }
    await engine.synced()
    expect(() => engine.events(receipts[0]!)).toThrow('EVENTS_NOT_IN_MEMORY')
    await engine.close()
  })
})

describe('ring tail', () => {
  it('position: far behind, by whatever distance, is never taken for near', () => {
    const memory = createEventRing(2 * 1024 * 1024)
    const tail = new RingTail(memory, 0, 1)
    for (const gigabytes of [1, 15, 16, 17, 20, 31, 32, 33, 64]) {
      const position = gigabytes * 2 ** 30
      new EventRingReader(memory, position).releaseSynced(position)
      expect(tail.isPassedBy(position)).toBe(true)
    }
    expect(tail.isPassedBy(2 * 1024 * 1024)).toBe(false)
  })
})
