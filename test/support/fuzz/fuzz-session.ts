/**
 * A run over all targets in a thread of its own, watched: a thread that makes no progress, or that
 * runs out of the memory it is given, is ended, and the input that it was at is told. A finding
 * names the target, the input's seed and its bytes.
 */
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type FuzzMessage,
  type FuzzTask,
  INPUT_SEED,
  INPUTS,
  PROGRESS_WORDS,
  TARGET,
} from './fuzz-messages.js'
import type { TargetResult } from './fuzz-run.js'
import { inputOf } from './fuzz-target.js'
import { makeFuzzTargets } from './fuzz-targets.js'
import { makeFuzzFolder } from './text-targets.js'

export class FuzzFailure extends Error {}

/** Also what making the targets may take, on a busy machine. */
const STANDSTILL_MS = 20_000
const LOOK_EVERY_MS = 500
const HEAP_MB_MAX = 512
/** Of an input, in a message. */
const HEX_BYTES_MAX = 4096

/**
 * @param share how many inputs: 1 is a million for each decoder
 * @throws FuzzFailure for the first input that no decoder may be brought down by
 */
export async function fuzz(runSeed: number, share: number): Promise<TargetResult[]> {
  const { folder, remove } = makeFuzzFolder()
  const progress = new SharedArrayBuffer(PROGRESS_WORDS * Int32Array.BYTES_PER_ELEMENT)
  const results: TargetResult[] = []
  let finding: Extract<FuzzMessage, { kind: 'finding' }> | undefined
  let isDone = false
  const worker = new Worker(new URL('./fuzz-worker.js', import.meta.url), {
    workerData: { runSeed, share, folder, progress } satisfies FuzzTask,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  })
  worker.on('message', (message: FuzzMessage) => {
    if (message.kind === 'result') results.push(message.result)
    else if (message.kind === 'finding') finding = message
    else isDone = true
  })
  let ending = 'its thread ended'
  worker.on('error', (error: Error) => {
    ending = `its thread ended with ${error.stack ?? error.message}`
  })
  const watch = watchProgress(new Int32Array(progress), () => {
    ending = `nothing happened for ${STANDSTILL_MS} ms`
    void worker.terminate()
  })
  try {
    await once(worker, 'exit')
    if (isDone) return results
    const words = new Int32Array(progress)
    const { targetIndex, inputSeed, what, cause } = finding ?? {
      targetIndex: words[TARGET] as number,
      inputSeed: (words[INPUT_SEED] as number) >>> 0,
      what: ending,
      cause: '',
    }
    throw await failureOf(runSeed, targetIndex, inputSeed, `${what}\n${cause}`, folder)
  } finally {
    clearInterval(watch)
    remove()
  }
}

function watchProgress(words: Int32Array, onStandstill: () => void): NodeJS.Timeout {
  let seen = -1
  let sinceMs = performance.now()
  return setInterval(() => {
    // Pairs with the addition of the worker.
    const inputs = Atomics.load(words, INPUTS)
    if (inputs !== seen) {
      seen = inputs
      sinceMs = performance.now()
    } else if (performance.now() - sinceMs > STANDSTILL_MS) onStandstill()
  }, LOOK_EVERY_MS)
}

/** The input is made again from its seed: it need not be carried about. */
async function failureOf(
  runSeed: number,
  targetIndex: number,
  inputSeed: number,
  what: string,
  folder: string,
): Promise<FuzzFailure> {
  const again = join(folder, 'again')
  mkdirSync(again, { recursive: true })
  const target = (await makeFuzzTargets(again))[targetIndex]
  if (target === undefined) return new FuzzFailure(`run ${runSeed}: ${what}`)
  const bytes = inputOf(target, inputSeed)
  const hex = Buffer.from(bytes.subarray(0, HEX_BYTES_MAX)).toString('hex')
  const rest = bytes.length > HEX_BYTES_MAX ? `, the first ${HEX_BYTES_MAX}` : ''
  return new FuzzFailure(
    `fuzz target '${target.name}', input seed ${inputSeed} (run ${runSeed}): ${what}\n` +
      `its ${bytes.length} bytes${rest}: ${hex}`,
  )
}

export function describeResults(results: readonly TargetResult[]): string {
  const lines = results.map(({ name, inputs, values, errors, ms, slowestMs, growthBytes }) => {
    const cost = `${((ms * 1000) / inputs).toFixed(1)} µs each, slowest ${slowestMs.toFixed(1)} ms`
    const mib = (growthBytes / 2 ** 20).toFixed(1)
    const counts = `${count(inputs)}  ${count(values)} values ${count(errors)} errors`
    return `  ${name.padEnd(30)}${counts}  ${cost}, takes up to ${mib} MiB`
  })
  const inputs = results.reduce((sum, result) => sum + result.inputs, 0)
  const ms = results.reduce((sum, result) => sum + result.ms, 0)
  return `${lines.join('\n')}\n  ${inputs.toLocaleString('en')} inputs in ${(ms / 1000).toFixed(1)} s`
}

function count(value: number): string {
  return value.toLocaleString('en').padStart(10)
}
