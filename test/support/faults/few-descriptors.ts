/**
 * A process with a running engine that is left with hardly any file descriptors, and with enough
 * again: what it says for each is what became of everything that starts a thread or opens a file.
 *
 *   node few-descriptors.js DIRECTORY MODE LEFT…
 *
 *   [ 'left', LEFT, what, code ]   what: snapshot, backup, archive, check, read, execute; code: null
 *   [ 'stopped', answered, code ]  the journal needed a file, with no descriptor left
 *   [ 'untyped', text ]            an error that is none of ours
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Engine, TidewheelError } from '../../../engine/index.js'
import probe, { Count, Counter } from '../domains/probe.js'

const ENOUGH = 1024
const [directory = '', mode = '', ...counts] = process.argv.slice(2)

function tell(...what: unknown[]): void {
  process.stdout.write(`${JSON.stringify(what)}\n`)
}

/** Started while there are descriptors: it sets the limits of this process. */
const shell = spawn('sh', { stdio: ['pipe', 'pipe', 'inherit'] })

async function limitTo(descriptors: number): Promise<void> {
  shell.stdin.write(`prlimit --pid ${process.pid} --nofile=${descriptors}:4096; echo\n`)
  await once(shell.stdout, 'data')
}

async function leave(count: number): Promise<void> {
  // The one that reads the directory is in the list.
  await limitTo(readdirSync('/proc/self/fd').length - 1 + count)
}

async function codeOf(work: () => Promise<unknown>): Promise<string | null> {
  try {
    await work()
    return null
  } catch (error) {
    if (error instanceof TidewheelError) return error.code
    tell('untyped', String(error))
    return 'untyped'
  }
}

process.on('uncaughtException', (error) => {
  tell('untyped', String(error))
  process.exitCode = 1
})
await limitTo(ENOUGH)
const engine = await Engine.open(directory, probe, {
  processor: mode as 'inline' | 'thread',
  segmentBytes: 1_056_768,
  snapshot: { everyBytes: Number.POSITIVE_INFINITY },
  logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
})

async function fill(commands: number): Promise<number> {
  let taken = 0
  while (taken < commands) {
    if (engine.submit(Count, { counter: 1, by: 1 }) === 0) await engine.room()
    else taken++
  }
  await engine.synced()
  return taken
}

async function readOne(): Promise<void> {
  for await (const _ of engine.read(Counter, 1)) break
}

const WORK: readonly (readonly [string, (left: number) => Promise<unknown>])[] = [
  ['snapshot', () => engine.snapshot()],
  ['backup', (left) => engine.backup(`${directory}-copy-${left}`)],
  ['archive', () => engine.archive()],
  ['check', () => engine.checkDeterminism()],
  ['read', readOne],
  ['execute', () => engine.execute(Count, { counter: 1, by: 1 })],
]

await fill(60_000)
for (const left of counts.map(Number)) {
  await leave(left)
  for (const [what, work] of WORK) tell('left', left, what, await codeOf(() => work(left)))
  await limitTo(ENOUGH)
}
// Whatever number is free then, it is too high.
await limitTo(3)
let answered = 0
const code = await codeOf(async () => {
  for (let i = 0; i < 300; i++) {
    await engine.execute(Count, { counter: 2, by: 1 })
    answered++
    await fill(1000)
  }
})
tell('stopped', answered, code)
await limitTo(ENOUGH)
await engine.close().catch(() => undefined)
shell.stdin.end()
