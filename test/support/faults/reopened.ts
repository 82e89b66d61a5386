/**
 * What must be true of a journal after anything that a machine can do to a process: it opens, every
 * answer is in it, nothing is there twice or in part, the state is one that the model knows, the same
 * keys get the same receipts, and it goes on.
 */
import type { Engine } from '../../../engine/index.js'
import { EVENTS_A_COMMAND } from '../domains/fault-ledger.js'
import type { Said } from './fault-verdict.js'
import { openLedger, sendCommand, type Workload } from './workloads.js'

/** Answers that are asked for again. */
const REPEATED = 3

/**
 * @param digests of the model, after 0, 1, 2 … commands
 * @param said by the process, see faulted-process.ts
 * @throws Error that says what is not true
 */
export async function checkReopened(
  directory: string,
  workload: Workload,
  digests: readonly string[],
  said: readonly Said[],
): Promise<void> {
  let engine = await openLedger(directory)
  try {
    const kept = (await countEvents(engine)) / EVENTS_A_COMMAND
    const answered = said.filter(([what]) => what === 'answered').map(([, n]) => Number(n))
    const latest = Math.max(workload.before, ...answered)
    if (!Number.isInteger(kept)) throw new Error('it holds a part of a command')
    if (kept < latest) throw new Error(`${latest} commands were answered, ${kept} are there`)
    await expectDigest(engine, digests[kept])
    for (let n = Math.max(1, latest - REPEATED + 1); n <= kept + 1; n++) {
      const { accepted, sequence, repeated } = await sendCommand(engine, workload, n)
      const isRight = accepted && sequence === n * EVENTS_A_COMMAND && repeated === n <= kept
      if (!isRight) throw new Error(`command ${n}, sent again, has ${sequence}, ${repeated}`)
    }
    await engine.close()
    engine = await openLedger(directory)
    await expectDigest(engine, digests[kept + 1])
  } finally {
    await engine.close()
  }
}

async function countEvents(engine: Engine): Promise<number> {
  let count = 0
  for await (const { sequence } of engine.readAll()) {
    if (sequence !== ++count) throw new Error(`event ${count} has sequence ${sequence}`)
  }
  return count
}

async function expectDigest(engine: Engine, due: string | undefined): Promise<void> {
  const digest = await engine.digest()
  if (digest !== due) throw new Error(`the digest is ${digest}, the model has ${due}`)
}
