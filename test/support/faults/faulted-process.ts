/**
 * The process that a fault meets:
 *
 *   node faulted-process.js WORKLOAD DIRECTORY [DESCRIPTORS]
 *
 * DESCRIPTORS: of those that its limit allows, so many are left when it opens the engine.
 *
 * It says what it sees, a JSON array a line, each written before it goes on: what was said has left
 * this process when it is killed. A client that is told DISK_FULL sends its command again, since that
 * says that it was not taken.
 *
 *   ["begun"]                         the modules are loaded
 *   ["opened"]
 *   ["refused", code]                 by Engine.open
 *   ["answered", n, sequence]
 *   ["failed", n, code, outcome]      the answer to command n is not known, or it was not taken
 *   ["snapshot", code]                null: it was made
 *   ["archived", code]                null: all that was sealed
 *   ["read", code]                    null: all events
 *   ["closed", code]                  null: in order
 *   ["untyped", stack]                an error that is none of ours: never right
 *   ["reported", text]                to the logger
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { TidewheelError } from '../../../engine/index.js'
import {
  nextSegment,
  openLedger,
  readAll,
  sendCommand,
  type Work,
  workloadNamed,
} from './workloads.js'

const DISK_FULL_WAIT_MS = 50
const [name = '', directory = '', descriptors = ''] = process.argv.slice(2)

function say(...words: unknown[]): void {
  writeSync(1, `${JSON.stringify(words)}\n`)
}

/** Our code, or nothing for what is not ours, which is told. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof TidewheelError) return error.code
  say('untyped', error instanceof Error ? error.stack : String(error))
  return undefined
}

/** Takes all descriptors that there are, and gives some back. */
function leaveDescriptors(count: number): void {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    for (const descriptor of taken.slice(taken.length - count)) closeSync(descriptor)
  }
}

async function main(): Promise<void> {
  const workload = workloadNamed(name)
  const report = (text: unknown) => say('reported', String(text))
  const logger = { info: () => undefined, warn: report, error: report }
  say('begun')
  if (descriptors !== '') leaveDescriptors(Number(descriptors))
  const engine = await openLedger(directory, { logger }).catch((error: unknown) => {
    say('refused', codeOf(error))
  })
  if (engine === undefined) return
  say('opened')
  let next = workload.before + 1
  /** Whether it is to be sent again. */
  const send = async (n: number): Promise<boolean> => {
    try {
      const { sequence } = await sendCommand(engine, workload, n)
      say('answered', n, sequence)
      return false
    } catch (error) {
      const code = codeOf(error)
      say('failed', n, code, (error as TidewheelError).outcome ?? null)
      return code === 'DISK_FULL'
    }
  }
  const work: Work = {
    engine,
    send: async (count) => {
      let wanted = Array.from({ length: count }, () => next++)
      for (;;) {
        // In one turn, so that either all are taken, in order, or none.
        const again = await Promise.all(wanted.map(send))
        wanted = wanted.filter((_, i) => again[i])
        if (wanted.length === 0) return
        await new Promise((resolve) => setTimeout(resolve, DISK_FULL_WAIT_MS))
      }
    },
    snapshot: async () => {
      const code = await engine.snapshot().then(() => null, codeOf)
      say('snapshot', code)
    },
    archive: async () => say('archived', await engine.archive().then(() => null, codeOf)),
    read: async () => say('read', await readAll(engine).then(() => null, codeOf)),
    nextSegment: () => nextSegment(engine, directory),
  }
  await workload.run(work)
  say('closed', await engine.close().then(() => null, codeOf))
}

process.on('uncaughtException', (error) => {
  say('untyped', error.stack)
  process.exit(1)
})
await main()
