import { pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { firstDifference, outlineOf } from '../../engine/determinism/state-outline.js'
import { DomainRuntime } from '../../engine/domain-runtime.js'
import type { Domain, Engine } from '../../engine/index.js'
import { Replay } from '../../engine/replay.js'
import { findDifference } from '../../engine/state-difference.js'
import { STREAMS_A_PIECE } from '../../engine/state-digest.js'
import { journalBlocks } from '../../journal/event-reader.js'
import { openJournalFolder } from '../../journal/journal-folder.js'
import saved, { Count } from '../support/domains/saved.js'
import { describeModes, EngineBench, failureOf } from '../support/engine-fixture.js'
import { growTo, SAVED_SEGMENT_BYTES } from '../support/saved-journal.js'
import { seededRandom } from '../support/seeded-random.js'
import { TIDEWHEEL, UserModules } from '../support/user-modules.js'

const modules = new UserModules()
afterAll(() => modules.remove())

async function load(path: string): Promise<Domain> {
  return ((await import(pathToFileURL(path).href)) as { default: Domain }).default
}

/** One command for each of so many streams; those with `by` 77 are what evolves look for. */
async function sell(engine: Engine, domain: Domain, streams: number, moody: number): Promise<void> {
  const command = domain.commands[0]!
  for (let i = 1; i <= streams; i++) {
    const value = { item: `item${i}`, by: i === moody ? 77 : 1 }
    while (engine.submit(command, value) === 0) await engine.room()
  }
  await engine.synced()
}

describeModes('determinism check', (bench) => {
  it('check: the replayed state is the live one, and commands go on (from the start, from a snapshot)', async () => {
    const path = bench.path()
    const options = {
      durability: 'os',
      segmentBytes: SAVED_SEGMENT_BYTES,
      keyCountMax: 300,
    } as const
    const engine = await bench.open(path, options, saved)
    const fresh = await engine.checkDeterminism()
    expect(fresh).toMatchObject({ ok: true, sequence: 0, events: 0, digest: await engine.digest() })
    await growTo(engine, 2, 21)
    const start = await engine.checkDeterminism()
    expect(start).toMatchObject({ ok: true, digest: await engine.digest(), snapshot: undefined })
    expect(start.events).toBe(start.sequence)

    const file = await engine.snapshot()
    // Frames go on behind the place that is compared, in the same block too.
    let running = true
    const unique = '00000000-0000-4000-8000-000000000001'
    const load = (async () => {
      for (let i = 0; running; i++) {
        await engine.execute(Count, { small: i % 20, wide: 1n, unique }, { key: `load${i % 50}` })
      }
    })()
    const checks = []
    for (let i = 0; i < 3; i++) checks.push(await engine.checkDeterminism())
    running = false
    await load
    for (const check of checks) {
      expect(check).toMatchObject({ ok: true, snapshot: file })
      expect(check.events).toBeLessThan(check.sequence)
      expect(check.pausedMs).toBeGreaterThan(0)
    }
    expect(checks[2]!.sequence).toBeGreaterThan(start.sequence)
    await bench.close(engine)
    expect((await failureOf(engine.checkDeterminism())).code).toBe('ENGINE_CLOSED')
  })

  it.each([
    ['the clock', 'item.note = Date.now() % 1e9'],
    ['the date', 'item.note = new Date().getFullYear() * 400 + new Date().getMonth()'],
    ['randomness', 'item.note = Math.floor(Math.random() * 1e9)'],
  ])('check: names the first stream whose evolve asks for %s', async (what, evolve) => {
    const name = `${bench.mode}-${what.replaceAll(' ', '-')}.mjs`
    const domain = await load(modules.domain(name, `if (event.by === 77) { ${evolve} }`))
    const engine = await bench.open(bench.path(), {}, domain)
    await sell(engine, domain, 5, 3)
    const check = await engine.checkDeterminism()
    expect(check).toMatchObject({ ok: false, aggregate: 'Item', id: 'item3' })
    expect(check.problem).toContain('first at Item item3')
    await bench.close(engine)
  })

  it('check: names the stream among many, of object state too', async () => {
    const streams = 2 * STREAMS_A_PIECE + 10
    const path = modules.write(
      `objects-${bench.mode}.mjs`,
      `import { domain, int, object, text } from '${TIDEWHEEL}'
       const shop = domain('shop', import.meta.url)
       export default shop
       const Calm = shop.aggregate('Calm', { id: text, state: { count: int } })
       const Counted = Calm.event('Counted', {}, (calm) => { calm.count += 1 })
       const Item = shop.aggregate('Item', { id: text, state: object({ create: () => ({ notes: [] }) }) })
       const Sold = Item.event('Sold', { by: int }, (item, event) => {
         item.notes.push(event.by === 77 ? Math.random() : event.by)
       })
       shop.command('Sell', { item: text, by: int }, (command, tx) => {
         tx.emit(Counted, command.item, {})
         tx.emit(Sold, command.item, { by: command.by })
       })`,
    )
    const domain = await load(path)
    const engine = await bench.open(bench.path(), {}, domain)
    await sell(engine, domain, streams, STREAMS_A_PIECE + 7)
    const check = await engine.checkDeterminism()
    const id = `item${STREAMS_A_PIECE + 7}`
    expect(check).toMatchObject({ ok: false, aggregate: 'Item', id, sequence: 2 * streams })
    await bench.close(engine)
  })

  it("check: needs a journal (durability 'none')", async () => {
    const engine = await bench.open(bench.path(), { durability: 'none' }, saved)
    expect((await failureOf(engine.checkDeterminism())).code).toBe('NO_JOURNAL')
    await bench.close(engine)
  })
})

describe('state outline', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  it('first difference: is in the piece of the stream that a comparison of all finds (random bits)', async () => {
    const seed = 5
    const random = seededRandom(seed)
    const domain = await load(modules.domain('outline.mjs', ''))
    const path = bench.path()
    const engine = await bench.open(path, {}, domain)
    const streams = 3 * STREAMS_A_PIECE
    await sell(engine, domain, streams, 1)
    await bench.close(engine)
    const [first, second] = await Promise.all([replayed(path, domain), replayed(path, domain)])
    expect(outlineOf(first)).toEqual(outlineOf(second))
    expect(firstDifference(first, outlineOf(second))).toBeUndefined()
    const { slab, strideBytes, ids } = second.stores[0]!
    const bytes = new Uint8Array(slab.buffer)
    for (const slot of [
      1,
      STREAMS_A_PIECE,
      STREAMS_A_PIECE + 1,
      streams,
      1 + random.below(streams),
    ]) {
      const at = slot * strideBytes + random.below(strideBytes)
      bytes[at]! ^= 1
      const piece = firstDifference(first, outlineOf(second))
      const difference = findDifference(first, second)
      expect(difference?.id, `seed ${seed}, slot ${slot}`).toBe(ids.idOf(slot))
      const firstSlot = 1 + Math.floor((slot - 1) / STREAMS_A_PIECE) * STREAMS_A_PIECE
      expect(piece, `seed ${seed}, slot ${slot}`).toEqual({ storeIndex: 0, firstSlot })
      bytes[at]! ^= 1
    }
  })
})

async function replayed(path: string, domain: Domain): Promise<DomainRuntime> {
  const runtime = new DomainRuntime(domain)
  const replay = new Replay(runtime)
  for await (const { view, frameOffset, payloadBytes } of journalBlocks(openJournalFolder(path))) {
    replay.visit(view, frameOffset, payloadBytes)
  }
  return runtime
}
