/** The thread in which inputs are decoded: tells what it did, and leaves its last seed in shared memory. */
import { parentPort, workerData } from 'node:worker_threads'
import { type FuzzMessage, type FuzzTask, INPUT_SEED, INPUTS, TARGET } from './fuzz-messages.js'
import { FuzzFinding, runTarget } from './fuzz-run.js'
import { makeFuzzTargets } from './fuzz-targets.js'

const { runSeed, share, folder, progress } = workerData as FuzzTask
const words = new Int32Array(progress)
const tell = (message: FuzzMessage): void => parentPort?.postMessage(message)

async function run(): Promise<void> {
  const targets = await makeFuzzTargets(folder)
  for (const [targetIndex, target] of targets.entries()) {
    const inputs = Math.ceil(target.inputs * share)
    words[TARGET] = targetIndex
    try {
      const onInput = (inputSeed: number): void => {
        words[INPUT_SEED] = inputSeed
        // Publishes the two before it; pairs with the load of the session.
        Atomics.add(words, INPUTS, 1)
      }
      tell({
        kind: 'result',
        result: await runTarget(target, targetIndex, runSeed, inputs, onInput),
      })
    } catch (error) {
      if (!(error instanceof FuzzFinding)) throw error
      const { inputSeed, message: what, cause } = error
      const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause ?? '')
      tell({ kind: 'finding', targetIndex, inputSeed, what, cause: text })
      return
    }
  }
  tell({ kind: 'done' })
}

await run()
