/**
 * Which idempotency keys are known is a function of the journal alone: of its keyed outcomes and of
 * the windows in its catalogues, whatever the options of the process that opens it.
 */
import { cpSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import type { EngineHost } from '../../engine/engine-host.js'
import { resolveOptions } from '../../engine/engine-options.js'
import type { Engine, EngineOptions, Receipt } from '../../engine/index.js'
import type { KeyTable } from '../../engine/memory/key-table.js'
import { openState } from '../../engine/opening.js'
import { stateDigest } from '../../engine/state-digest.js'
import { surveyJournal } from '../../journal/journal-survey.js'
import { KEY_WINDOW_DEFAULT, type KeyWindow } from '../../journal/key-window.js'
import { verifyJournal } from '../../journal/verify.js'
import probe, { Count } from '../support/domains/probe.js'
import { EngineBench, run } from '../support/engine-fixture.js'
import { readIndependently } from '../support/independent-blocks.js'
import { IndependentEvents } from '../support/independent-frames.js'
import { readFolder } from '../support/journal-files.js'
import { seededRandom } from '../support/seeded-random.js'

interface Entry {
  readonly key: string
  readonly accepted: boolean
  readonly code: string
  readonly sequence: number
  readonly eventCount: number
  readonly time: number
}

interface Table {
  readonly window: KeyWindow
  readonly entries: Entry[]
}

function tableOf(keys: KeyTable, timeUs: number): Table {
  const entries = [...keys.entries(timeUs)].map((reference) => ({
    key: Buffer.from(keys.keyOf(reference)).toString(),
    accepted: keys.acceptedOf(reference),
    code: keys.codeOf(reference),
    sequence: keys.sequenceOf(reference),
    eventCount: keys.eventCountOf(reference),
    time: keys.timeOf(reference),
  }))
  return { window: keys.window, entries }
}

/** Of a running engine: inline, its state is on this thread. */
function liveTable(engine: Engine): Table {
  const { side } = engine as unknown as { side: { host: EngineHost } }
  const { keys, latestUs } = side.host.state.runtime
  return tableOf(keys, latestUs)
}

/** What replaying the files gives; nothing is written. */
function replayed(path: string): { readonly table: Table; readonly digest: string } {
  const { runtime, journal } = openState(path, probe, resolveOptions({ durability: 'os' }))
  try {
    return { table: tableOf(runtime.keys, runtime.latestUs), digest: stateDigest(runtime) }
  } finally {
    journal?.lock.abandon()
  }
}

/** What a decoder tells that follows docs/file-format.md. */
function keysByThePage(path: string): string[] {
  return new IndependentEvents(readIndependently(readFolder(path)).blocks).countingKeys
}

/** The rule of docs/file-format.md, with a Map. */
class NaiveKeys {
  window: KeyWindow = KEY_WINDOW_DEFAULT
  /** Of the last transaction. */
  latestUs = 0
  private readonly entries = new Map<string, Entry>()

  get(key: string, timeUs: number): Entry | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && timeUs - entry.time <= this.window.ageMaxUs ? entry : undefined
  }

  add(entry: Entry): void {
    this.entries.delete(entry.key)
    this.entries.set(entry.key, entry)
    this.limit()
  }

  change(wanted: Partial<KeyWindow>): void {
    this.forgetOld()
    this.window = { ...this.window, ...wanted }
    this.forgetOld()
    this.limit()
  }

  get table(): Table {
    const { window, latestUs } = this
    const visible = ({ key }: Entry): boolean => this.get(key, latestUs) !== undefined
    return { window, entries: [...this.entries.values()].filter(visible) }
  }

  private forgetOld(): void {
    for (const { key } of this.entries.values()) {
      if (this.get(key, this.latestUs) === undefined) this.entries.delete(key)
    }
  }

  private limit(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size > this.window.countMax) this.entries.delete(key)
    }
  }
}

describe('key window', () => {
  const bench = new EngineBench('inline')
  afterAll(() => bench.clear())

  async function playRound(engine: Engine, naive: NaiveKeys, random: Random): Promise<void> {
    for (let i = 0; i < 25; i++) {
      nowUs += random.below(3) === 0 ? random.below(8_000) : 0
      if (random.below(8) === 0) {
        // Without a key, and large: journal time goes on, and segments roll.
        const blobs = { account: 'a', bytes: 90_000, times: 4 }
        naive.latestUs = (await run(engine, 'emit blobs', blobs)).time
        continue
      }
      const key = `k${random.below(12)}`
      // A Count below 0 is rejected; the content goes with the key.
      const by = Number(key.slice(1)) % 3 === 0 ? -1 : 1
      const known = naive.get(key, nowUs)
      const receipt = await engine.execute(Count, { counter: 1, by }, { key })
      expect(receipt.repeated).toBe(known !== undefined)
      if (known !== undefined) expect(entryOf(key, receipt)).toEqual(known)
      else {
        naive.add(entryOf(key, receipt))
        naive.latestUs = receipt.time
      }
      expect(liveTable(engine)).toEqual(naive.table)
    }
  }

  type Random = ReturnType<typeof seededRandom>
  let nowUs = 1_700_000_000_000_000

  function entryOf(key: string, receipt: Receipt): Entry {
    const { accepted, sequence, time } = receipt
    const eventCount = receipt.accepted ? receipt.eventCount : 0
    return { key, accepted, code: receipt.accepted ? '' : receipt.code, sequence, eventCount, time }
  }

  it('live, replayed and naive are the same (random commands, changes, reopenings)', async () => {
    const seed = Date.now() % 2 ** 32
    const random = seededRandom(seed)
    const path = bench.path()
    const naive = new NaiveKeys()
    let changes = 0
    for (let round = 0; round < 8; round++) {
      const wanted = {
        ...(random.below(2) === 0 ? { keyCountMax: 1 + random.below(9) } : {}),
        ...(random.below(2) === 0 ? { keyAgeMsMax: random.below(40) } : {}),
      }
      const options = { clock: () => nowUs, durability: 'os' as const, ...wanted }
      const engine = await bench.open(path, options)
      naive.change({
        ...(wanted.keyCountMax === undefined ? {} : { countMax: wanted.keyCountMax }),
        ...(wanted.keyAgeMsMax === undefined ? {} : { ageMaxUs: wanted.keyAgeMsMax * 1000 }),
      })
      if (Object.keys(wanted).length > 0) changes++
      expect(liveTable(engine), `seed ${seed}`).toEqual(naive.table)
      await playRound(engine, naive, random).catch((error: Error) => {
        throw new Error(`seed ${seed}, round ${round}: ${error.message}`, { cause: error })
      })
      // As a crash would leave it, after the last answer.
      await engine.execute(Count, { counter: 2, by: 1 })
      naive.latestUs = nowUs
      const copy = bench.path()
      // A segment that is being prepared may go while it is copied.
      cpSync(path, copy, { recursive: true, filter: (file) => !file.endsWith('.preparing') })
      const digest = await engine.digest()
      await bench.close(engine)
      for (const files of [path, copy]) {
        expect(replayed(files), `seed ${seed}`).toEqual({ table: naive.table, digest })
      }
      const keys = naive.table.entries.map((entry) => entry.key)
      expect(keysByThePage(path), `seed ${seed}`).toEqual(keys)
    }
    expect(changes).toBeGreaterThan(0)
    const survey = await surveyJournal(path)
    expect(survey.segments.length, 'segments have rolled').toBeGreaterThan(2)
    expect(survey.keyWindow).toEqual(naive.window)
  })

  it('stays that of the journal, and is changed in part, at its place (both modes)', async () => {
    const path = bench.path()
    const threads = new EngineBench('thread')
    const opened = async (options: EngineOptions, wanted: KeyWindow, known: string[]) => {
      const engine = await threads.open(path, options)
      const digest = await engine.digest()
      await threads.close(engine)
      const again = replayed(path)
      const { window, entries } = again.table
      expect([window, entries.map(({ key }) => key)]).toEqual([wanted, known])
      expect(again.digest).toBe(digest)
      expect((await surveyJournal(path)).keyWindow).toEqual(wanted)
    }
    const { ageMaxUs, countMax } = KEY_WINDOW_DEFAULT
    const engine = await bench.open(path)
    for (const key of ['a', 'b', 'c', 'd']) {
      await engine.execute(Count, { counter: 1, by: 1 }, { key })
    }
    await bench.close(engine)
    await opened({}, KEY_WINDOW_DEFAULT, ['a', 'b', 'c', 'd'])
    await opened({ keyCountMax: 3 }, { countMax: 3, ageMaxUs }, ['b', 'c', 'd'])
    await opened({}, { countMax: 3, ageMaxUs }, ['b', 'c', 'd'])
    await opened({ keyAgeMsMax: 60_000 }, { countMax: 3, ageMaxUs: 60_000_000 }, ['b', 'c', 'd'])
    await opened({ keyCountMax: 1 }, { countMax: 1, ageMaxUs: 60_000_000 }, ['d'])
    const larger = { keyCountMax: countMax, keyAgeMsMax: ageMaxUs / 1000 }
    await opened(larger, KEY_WINDOW_DEFAULT, ['d'])
    await threads.clear()
  })

  it('is another digest, and is kept without any command (a journal without a block)', async () => {
    const path = bench.path()
    let engine = await bench.open(path)
    const digest = await engine.digest()
    await bench.close(engine)
    expect((await surveyJournal(path)).blocks).toBe(0)
    engine = await bench.open(path, { keyCountMax: 5 })
    const changed = await engine.digest()
    expect(changed).not.toBe(digest)
    await bench.close(engine)
    engine = await bench.open(path)
    expect(await engine.digest()).toBe(changed)
    await bench.close(engine)
    expect(await verifyJournal(path)).toMatchObject({ ok: true })
  })
})
