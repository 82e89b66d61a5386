/**
 * The canonical workloads that real faults meet, one call at a time:
 *
 *   append     a new journal: made, written to one by one and many at once, read, sealed
 *   recover    what a killed process has left: opened, written to, sealed
 *   roll       over the ends of two segments, with the next ones being prepared
 *   snapshot   a journal with a snapshot: opened from it, two newer ones made while it is written to
 *   archive    a journal with an archived segment: opened, the next ones archived while it is written to,
 *              all read
 *
 * Another one is an entry in WORKLOADS. Command n is the same in every run, whoever sends it, so a
 * model knows the state after the first n.
 */
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import {
  type CommandOptions,
  Engine,
  type EngineOptions,
  type Receipt,
} from '../../../engine/index.js'
import { BLOCK_BYTES_MAX } from '../../../journal/block-layout.js'
import { segmentName } from '../../../journal/segment-layout.js'
import ledger, { Add } from '../domains/fault-ledger.js'

export interface Work {
  readonly engine: Engine
  /** Sends so many of the next commands, at once, and waits for their answers. */
  send(count: number): Promise<void>
  snapshot(): Promise<void>
  /** Of all segments that are sealed. */
  archive(): Promise<void>
  /** All events, from the files. */
  read(): Promise<void>
  /**
   * Waits until the segment after this one has its name, so that each run comes to the same calls;
   * not for long, since a fault may keep it from being made.
   */
  nextSegment(): Promise<void>
}

export interface Workload {
  readonly name: string
  /** Of what a command writes. */
  readonly noteBytes: number
  /** Commands that are in the journal before. */
  readonly before: number
  prepare?(work: Work): Promise<void>
  run(work: Work): Promise<void>
}

/** The smallest segments that there can be, so that a few writes fill one. */
const SEGMENT_BYTES = BLOCK_BYTES_MAX + 128 * 1024
/** So that the states of two runs can be compared to the last bit: keys have times. */
const TIME_US = 1_700_000_000_000_000
const SEGMENT_WAIT_MS = 1000
const SEGMENT_LOOK_MS = 5
const BIG = 90_000
const SMALL = 100

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'append',
    noteBytes: SMALL,
    before: 0,
    async run(work) {
      for (let i = 0; i < 4; i++) await work.send(1)
      await work.send(6)
      await work.read()
      await work.nextSegment()
    },
  },
  {
    name: 'recover',
    noteBytes: SMALL,
    before: 5,
    async run(work) {
      for (let i = 0; i < 3; i++) await work.send(1)
    },
  },
  {
    name: 'roll',
    noteBytes: BIG,
    before: 0,
    async run(work) {
      // One by one, so that each run makes the same writes; `append` sends many at once.
      for (let i = 0; i < 27; i++) await work.send(1)
      await work.nextSegment()
    },
  },
  {
    name: 'snapshot',
    noteBytes: BIG,
    before: 15,
    async prepare(work) {
      await work.snapshot()
    },
    async run(work) {
      await work.send(1)
      await work.snapshot()
      // One by one, so that segments end at the same events in each run, and files have the same names.
      for (let i = 0; i < 15; i++) await work.send(1)
      await work.snapshot()
    },
  },
  {
    name: 'archive',
    noteBytes: BIG,
    before: 20,
    async prepare(work) {
      await work.archive()
    },
    async run(work) {
      await work.send(1)
      for (let i = 0; i < 7; i++) await work.send(3)
      await Promise.all([work.archive(), work.send(1)])
      await work.read()
      await work.nextSegment()
    },
  },
]

export function workloadNamed(name: string): Workload {
  const workload = WORKLOADS.find((each) => each.name === name)
  if (workload === undefined) throw new Error(`there is no workload ${name}`)
  return workload
}

export function openLedger(directory: string, options: EngineOptions = {}): Promise<Engine> {
  const clock = () => TIME_US
  return Engine.open(directory, ledger, { clock, segmentBytes: SEGMENT_BYTES, ...options })
}

/** Command n, from 1. */
export function sendCommand(engine: Engine, workload: Workload, n: number): Promise<Receipt> {
  const note = new Uint8Array(workload.noteBytes).fill(1 + (n % 255))
  const options: CommandOptions = { key: `key-${n}` }
  return engine.execute(Add, { account: `account-${n % 3}`, amount: n, note }, options)
}

export async function readAll(engine: Engine): Promise<void> {
  let latest = 0
  for await (const { sequence } of engine.readAll()) {
    if (sequence !== ++latest) throw new Error(`event ${latest} has sequence ${sequence}`)
  }
}

export async function nextSegment(engine: Engine, directory: string): Promise<void> {
  const { segmentNumber } = engine.journalPosition()
  const file = join(directory, segmentName(segmentNumber + 1))
  const untilMs = performance.now() + SEGMENT_WAIT_MS
  while (!existsSync(file) && performance.now() < untilMs) await setTimeout(SEGMENT_LOOK_MS)
}

/**
 * Leaves in `directory` what a process would that was killed after the first commands: a copy of the
 * files of an engine that is open.
 */
export async function prepareJournal(workload: Workload, directory: string): Promise<void> {
  if (workload.before === 0) return
  const living = join(directory, '..', `living-${randomBytes(4).toString('hex')}`)
  const engine = await openLedger(living)
  let sent = 0
  const work: Work = {
    engine,
    send: async (count) => {
      for (let i = 0; i < count; i++) await sendCommand(engine, workload, ++sent)
    },
    snapshot: async () => void (await engine.snapshot()),
    archive: async () => void (await engine.archive()),
    read: () => readAll(engine),
    nextSegment: () => nextSegment(engine, living),
  }
  await work.send(workload.before)
  await workload.prepare?.(work)
  mkdirSync(directory)
  for (const name of readdirSync(living)) {
    // What is being prepared changes its name while it is looked at, and is not missed.
    if (name !== 'lock' && !name.endsWith('.preparing')) {
      copyFileSync(join(living, name), join(directory, name))
    }
  }
  await engine.close()
  rmSync(living, { recursive: true })
}
