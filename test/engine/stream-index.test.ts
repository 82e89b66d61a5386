import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual, promisify } from 'node:util'
import { expect, it } from 'vitest'
import type { Engine, RecordedEvent } from '../../engine/index.js'
import { SEGMENT_BYTES_MIN } from '../../journal/segment-layout.js'
import { indexName, temporaryIndexName } from '../../journal/stream-index-layout.js'
import { verifyJournal } from '../../journal/verify.js'
import { Account, Count, Counter, Credit } from '../support/domains/probe.js'
import { all, describeModes, type EngineBench, run } from '../support/engine-fixture.js'

const OPTIONS = { segmentBytes: SEGMENT_BYTES_MIN }

/** Blobs that fill segments, and small events of other streams between them. */
async function fill(engine: Engine, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    engine.submit(Credit, { account: `a${i % 5}`, amount: i })
    engine.submit(Count, { counter: i % 3, by: i })
    const blobs = { account: `blob-${i % 2}`, bytes: 50_000, times: 4 }
    expect((await run(engine, 'emit blobs', blobs)).accepted).toBe(true)
  }
}

/** Some streams, each as `read` gives it and as a filter over all events does. */
async function expectSame(engine: Engine): Promise<void> {
  const events = await all(engine.readAll())
  const expected = (stream: string, id: unknown): RecordedEvent[] =>
    events.filter((event) => event.stream === stream && event.id === id)
  for (const id of ['a0', 'a4', 'blob-1', 'nobody']) {
    // By hand: the matcher takes seconds for the blobs.
    const read = await all(engine.read(Account, id))
    expect(isDeepStrictEqual(read, expected('Account', id)), id).toBe(true)
  }
  for (const id of [0, 2]) {
    expect(await all(engine.read(Counter, id))).toEqual(expected('Counter', id))
  }
}

function sealedSegments(engine: Engine): number[] {
  const { segmentNumber } = engine.journalPosition()
  return Array.from({ length: segmentNumber - 1 }, (_, i) => i + 1)
}

/** Until the indexes of all sealed segments are there. */
async function indexed(engine: Engine, path: string): Promise<void> {
  const isThere = (number: number): boolean => existsSync(join(path, indexName(number)))
  while (!sealedSegments(engine).every(isThere)) await new Promise((r) => setTimeout(r, 5))
}

async function filled(bench: EngineBench): Promise<{ engine: Engine; path: string }> {
  const path = bench.path()
  const engine = await bench.open(path, OPTIONS)
  await fill(engine, 27)
  expect(engine.journalPosition().segmentNumber).toBeGreaterThan(4)
  return { engine, path }
}

describeModes('stream index', (bench) => {
  it('read: the same before and after the indexes are made, and after reopening', async () => {
    const { engine: first, path } = await filled(bench)
    expect(readdirSync(path).filter((name) => name.includes('index'))).toEqual([])
    await expectSame(first)
    await indexed(first, path)
    await expectSame(first)
    const engine = await bench.reopen(first, path, OPTIONS)
    await expectSame(engine)
    await bench.close(engine)
    const { ok, indexes, warnings } = await verifyJournal(path, { threads: 1 })
    expect([ok, indexes >= 4, warnings]).toEqual([true, true, []])
    expect(bench.log.filter((line) => line.includes('index'))).toEqual([])
  })

  it('read: while a writer rolls, and indexes come in', async () => {
    const { engine, path } = await filled(bench)
    let isWriting = true
    const writing = (async () => {
      while (isWriting) await fill(engine, 3)
    })()
    for (let round = 0; round < 8; round++) {
      const before = engine.journalPosition().sequence
      const events = await all(engine.read(Account, 'a2'))
      expect(events.map(({ version }) => version)).toEqual(events.map((_, i) => i + 1))
      const known = await all(engine.readAll())
      const expected = known.filter(({ id, sequence }) => id === 'a2' && sequence <= before)
      expect(events.slice(0, expected.length)).toEqual(expected)
    }
    isWriting = false
    await writing
    await expectSame(engine)
    await indexed(engine, path)
    await expectSame(engine)
    await bench.close(engine)
  })

  it('read: wrong and unfinished indexes are told, replaced and cleaned away', async () => {
    const { engine: first, path } = await filled(bench)
    await expectSame(first)
    await indexed(first, path)
    const intact = [1, 2].map((number) => readFileSync(join(path, indexName(number))))
    await bench.close(first)
    writeFileSync(join(path, indexName(1)), 'no index')
    writeFileSync(join(path, indexName(2)), intact[0] as Buffer)
    writeFileSync(join(path, temporaryIndexName(3)), 'the start of one')
    const engine = await bench.open(path, OPTIONS)
    expect(existsSync(join(path, temporaryIndexName(3)))).toBe(false)
    bench.log.length = 0
    await expectSame(engine)
    await expect
      .poll(() => [1, 2].map((number) => readFileSync(join(path, indexName(number)))))
      .toEqual(intact)
    await expectSame(engine)
    expect(bench.log.map((line) => line.slice(0, 16))).toEqual([indexName(1), indexName(2)])
    bench.log.length = 0
    await bench.close(engine)
  })

  it('close: while indexes are being made', async () => {
    const { engine: first, path } = await filled(bench)
    const events = await all(first.read(Counter, 1))
    await bench.close(first)
    const again = await bench.open(path, OPTIONS)
    expect(readdirSync(path).filter((name) => name.endsWith('.new'))).toEqual([])
    expect(await all(again.read(Counter, 1))).toEqual(events)
    await bench.close(again)
    expect(bench.log.filter((line) => line.includes('index'))).toEqual([])
  })

  it('process: ends by itself after a read, also while indexes would be made', async () => {
    const { engine, path } = await filled(bench)
    await bench.close(engine)
    const imports = ['engine/index.js', 'test/support/domains/probe.js'].map((file) =>
      JSON.stringify(new URL(`../../${file}`, import.meta.url).href),
    )
    const code = `
      const { Engine } = await import(${imports[0]})
      const { default: probe, Counter } = await import(${imports[1]})
      const engine = await Engine.open(${JSON.stringify(path)}, probe, { processor: '${bench.mode}' })
      let count = 0
      for await (const _ of engine.read(Counter, 1)) count++
      console.log(count)`
    const script = join(path, '..', 'read.mjs')
    writeFileSync(script, code)
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 })
    expect(Number(stdout)).toBe(9)
  })
})
