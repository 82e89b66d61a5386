/**
 * Sends many commands with keys through one window, archives and snapshots what they leave, opens
 * the journal again, and asks for keys on both sides of the window's edge: the same receipt inside
 * of it, a new one outside.
 *
 *   key 0 … │ keys − countMax … keys − 1 │
 *     new   │ answered as before         │
 */
import ledger, { Deposit } from '../../../bench/domains/ledger.js'
import type { EngineHost } from '../../../engine/engine-host.js'
import { Engine, type Receipt } from '../../../engine/index.js'
import { assert } from '../../../journal/errors.js'

export interface KeyRunOptions {
  readonly directory: string
  readonly keys: number
  readonly countMax: number
  readonly segmentBytes: number
}

export interface KeyRunResult {
  /** Of the table of keys, when half of the keys were sent, at the end, and after the reopening. */
  readonly tableBytes: readonly [half: number, end: number, reopened: number]
  /** Of the process: the most while the keys were sent, and after the reopening. */
  readonly rssBytes: readonly [sending: number, reopened: number]
  readonly plainBytes: number
  readonly archivedBytes: number
  readonly openSeconds: number
  readonly asked: number
}

const ACCOUNTS = 1000
const SAMPLES = 500
const ROUNDS = 100

export async function runKeys(options: KeyRunOptions): Promise<KeyRunResult> {
  const { keys, directory } = options
  let engine = await open(options)
  let halfBytes = 0
  let rssBytes = 0
  const round = Math.ceil(keys / ROUNDS)
  for (let from = 0; from < keys; from += round) {
    const to = Math.min(keys, from + round)
    for (let key = from; key < to; key++) await submit(engine, key)
    await engine.synced()
    rssBytes = Math.max(rssBytes, process.memoryUsage.rss())
    if (halfBytes === 0 && to >= keys / 2) halfBytes = tableBytesOf(engine)
  }
  assert(engine.journalPosition().sequence === keys, 'each key has one event')
  const endBytes = tableBytesOf(engine)
  const digest = await engine.digest()
  const { plainBytes, archivedBytes } = await engine.archive()
  await engine.snapshot()
  await engine.close()

  const startedMs = performance.now()
  engine = await open(options)
  const openSeconds = (performance.now() - startedMs) / 1000
  const reopenedBytes = tableBytesOf(engine)
  const reopenedRss = process.memoryUsage.rss()
  assert((await engine.digest()) === digest, `the digest of ${directory} is the same`)
  const asked = await ask(engine, options)
  await engine.close()
  return {
    tableBytes: [halfBytes, endBytes, reopenedBytes],
    rssBytes: [rssBytes, reopenedRss],
    plainBytes,
    archivedBytes,
    openSeconds,
    asked,
  }
}

/** Both sides of the edge first, and samples of the rest. */
async function ask(engine: Engine, { keys, countMax }: KeyRunOptions): Promise<number> {
  const first = Math.max(0, keys - countMax)
  let asked = 0
  const expectKnown = async (key: number): Promise<void> => {
    asked++
    const { repeated, sequence, accepted } = await execute(engine, key)
    const isAsBefore = repeated && accepted && sequence === key + 1
    assert(isAsBefore, `key ${key} is answered as before`)
  }
  await expectKnown(first)
  await expectKnown(keys - 1)
  for (let sample = 1; sample < SAMPLES; sample++) {
    await expectKnown(first + Math.floor((sample * (keys - first)) / SAMPLES))
  }
  if (first > 0) {
    // It takes effect again, and pushes the first known one out.
    const { repeated, sequence } = await execute(engine, first - 1)
    assert(!repeated && sequence === keys + 1, 'a key outside of the window is new')
    const again = await execute(engine, first)
    assert(!again.repeated, 'and the oldest one goes for it')
  }
  return asked
}

function open({ directory, countMax, segmentBytes }: KeyRunOptions): Promise<Engine> {
  const options = { durability: 'os', keyCountMax: countMax, segmentBytes } as const
  return Engine.open(directory, ledger, options)
}

async function submit(engine: Engine, key: number): Promise<void> {
  while (engine.submit(Deposit, depositOf(key), { key: nameOf(key) }) === 0) await engine.room()
}

function execute(engine: Engine, key: number): Promise<Receipt> {
  return engine.execute(Deposit, depositOf(key), { key: nameOf(key) })
}

function depositOf(key: number): { account: number; amount: number } {
  return { account: 1 + (key % ACCOUNTS), amount: 1 + (key % 97) }
}

function nameOf(key: number): string {
  return `payment-${key}`
}

/** Inline, the state is on this thread. */
function tableBytesOf(engine: Engine): number {
  const { side } = engine as unknown as { side: { host: EngineHost } }
  return side.host.state.runtime.keys.memoryBytes
}
