/**
 * Processes that the tests start, watch and kill:
 *
 *   node engine-process.js TASK MODE DIRECTORY [FIRST]
 */
import { readdirSync, writeSync } from 'node:fs'
import { Engine, type EngineOptions, Producer, type Receipt } from '../../../engine/index.js'
import { segmentName } from '../../../journal/segment-layout.js'
import probe, { Account, Count, Counter, Credit, Run } from '../domains/probe.js'
import { seededRandom } from '../seeded-random.js'

const [task = '', mode = '', directory = '', first = '1'] = process.argv.slice(2)
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }

function open(options: EngineOptions = {}): Promise<Engine> {
  const processor = mode as 'inline' | 'thread'
  const segmentBytes = 2 * 1024 * 1024
  return Engine.open(directory, probe, { processor, segmentBytes, logger: quiet, ...options })
}

/** Synchronous, so that what was said has left this process when it is killed. */
function say(text: string): void {
  writeSync(1, `${text}\n`)
}

/**
 * Credits FIRST, FIRST + 1, … to one account, several at a time, until it is killed; says each one
 * that was answered. Every other one has a key. Of some sizes, so that segments roll.
 */
async function drill(): Promise<void> {
  const engine = await open()
  say('ready')
  let next = Number(first)
  const random = seededRandom(next)
  for (;;) {
    const pending = Array.from({ length: 1 + random.below(50) }, async () => {
      const amount = next++
      const options = amount % 2 === 0 ? { key: `key-${amount}` } : {}
      const receipt = await engine.execute(Credit, { account: 'drill', amount }, options)
      say(`${amount} ${receipt.sequence}`)
    })
    const blobs = { account: 'blobs', bytes: random.below(10_000), times: 3 }
    engine.submit(Run, { scenario: 'emit blobs', with: blobs })
    await Promise.all(pending)
  }
}

/**
 * A service as the guide writes it: its clients work until a signal closes the engine. Says each
 * credit that was answered, then how its clients ended. It ends by itself, so nothing that it says
 * is lost, and its parent may be slow.
 */
async function serve(): Promise<void> {
  const engine = await open()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void engine.close())
  }
  console.log('ready')
  let next = 1
  const credit = async (): Promise<never> => {
    for (;;) {
      const amount = next++
      const { sequence } = await engine.execute(Credit, { account: 'served', amount })
      console.log(`${amount} ${sequence}`)
    }
  }
  const write = async (): Promise<never> => {
    const blobs = { account: 'blobs', bytes: 10_000, times: 3 }
    for (;;) await engine.execute(Run, { scenario: 'emit blobs', with: blobs })
  }
  const ends = await Promise.allSettled([...Array.from({ length: 10 }, credit), write()])
  const reasons = ends.map((end) => end.status === 'rejected' && end.reason)
  console.log([...new Set(reasons.map(({ code, outcome }) => `${code} ${outcome}`))].join())
}

/** Open, and nothing else, until it is killed. */
async function hold(): Promise<void> {
  await open()
  say('ready')
  setInterval(() => undefined, 1_000_000)
}

/** Ends by itself: an engine that is open and idle keeps no process alive. */
async function idle(): Promise<void> {
  const engine = await open()
  await engine.execute(Count, { counter: 1, by: 1 })
  process.on('exit', () => say('exit'))
}

/** Nobody awaits these, yet they keep the process alive until they are answered. */
async function pending(): Promise<void> {
  const engine = await open()
  void engine
    .execute(Count, { counter: 1, by: 2 })
    .then(({ accepted }) => say(`execute ${accepted}`))
  void engine.query(Counter, 1).then((state) => say(`query ${state?.value}`))
  engine.submit(Count, { counter: 1, by: 3 })
  void engine.synced().then(() => say('synced'))
}

/** CPU time of two seconds of doing nothing, in per cent. */
async function cpu(): Promise<void> {
  const engine = await open()
  engine.producer()
  await engine.execute(Count, { counter: 1, by: 1 })
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const { user, system } = process.cpuUsage(before)
  say(`${(user + system) / 20_000}`)
  await engine.close()
}

function hasNextSegment(engine: Engine): boolean {
  return readdirSync(directory).includes(segmentName(engine.journalPosition().segmentNumber + 1))
}

/** On a small file system: until it is full, then what the engine says; goes on when there is room. */
async function fill(): Promise<void> {
  const engine = await open()
  let latest = 0
  const codes = new Set<string>()
  let message = ''
  const note = (error: { code?: string; outcome?: string; message: string }): void => {
    codes.add(`${error.code} ${error.outcome}`)
    message = error.message
  }
  const take = ({ sequence }: Receipt): void => {
    latest = Math.max(latest, sequence)
  }
  const blobs = { account: 'full', bytes: 50_000, times: 4 }
  const credit = { account: 'full', amount: 1 }
  while (codes.size === 0) {
    const pending = Array.from({ length: 3 }, () =>
      engine.execute(Run, { scenario: 'emit blobs', with: blobs }).then(take, note),
    )
    await Promise.all(pending)
    // On a busy machine, files this small are full before the thread that watches has its turn.
    while (codes.size === 0 && !hasNextSegment(engine)) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      await engine.execute(Credit, credit).then(take, note)
    }
  }
  const handle = Producer.connect(engine.producer(), probe)
  // Answered when the producer is known.
  const balance = (await engine.query(Account, 'full'))?.balance
  const producer = await handle.execute(Credit, credit).catch((error) => error.code)
  let sequence = 0
  for await (const event of engine.readAll()) sequence = event.sequence
  say(JSON.stringify({ latest, codes: [...codes], message, producer, balance, sequence }))
  for (;;) {
    const receipt = await engine.execute(Credit, credit).catch(note)
    if (receipt !== undefined) {
      say(`goes on after ${receipt.sequence - 1}`)
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await handle.close()
  await engine.close()
}

/** Opens what is there and says how far it goes. */
async function look(): Promise<void> {
  const engine = await open()
  const state = await engine.query(Account, 'full')
  const receipt = await engine.execute(Credit, { account: 'full', amount: 0 })
  say(JSON.stringify({ balance: state?.balance, sequence: receipt.sequence - 1 }))
  await engine.close()
}

const tasks: Record<string, () => Promise<void>> = {
  drill,
  serve,
  hold,
  idle,
  pending,
  cpu,
  fill,
  look,
}
await tasks[task]?.()
