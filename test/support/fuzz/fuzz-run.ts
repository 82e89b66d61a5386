/**
 * Gives one target its inputs, one after the other, and measures what they cost. Runs in a worker
 * (fuzz-worker.ts), so that an input that never ends can be ended from outside.
 */
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type FuzzTarget, inputOf, isTyped, seedOf } from './fuzz-target.js'

export interface TargetResult {
  readonly name: string
  readonly inputs: number
  /** Of which no error came. */
  readonly values: number
  readonly errors: number
  readonly ms: number
  readonly slowestMs: number
  /** The most by which heap and array buffers grew from one measurement to the next. */
  readonly growthBytes: number
  /** What was still there after a collection. */
  readonly keptBytes: number
}

/** What one input did that none may do. */
export class FuzzFinding extends Error {
  readonly inputSeed: number

  constructor(inputSeed: number, what: string, cause?: unknown) {
    super(what, { cause })
    this.inputSeed = inputSeed
  }
}

/** Far above what any input needs, so that a pause of the machine is not taken for a slow decoder. */
export const TIME_MS_MAX = 2000
/** What one input may allocate, or a few that are measured together. */
const GROWTH_BYTES_MAX = 64 * 1024 * 1024
const KEPT_BYTES_MAX = 16 * 1024 * 1024
/** Above so many inputs, only one in MEASURE_EVERY is measured. */
const ALL_MEASURED_MAX = 20_000
const MEASURE_EVERY = 16

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

export async function runTarget(
  target: FuzzTarget,
  targetIndex: number,
  runSeed: number,
  inputs: number,
  onInput: (inputSeed: number) => void,
): Promise<TargetResult> {
  const run = new TargetRun(target)
  // What a target sets up on its first input is not the input's.
  await new TargetRun(target).take(seedOf(runSeed, targetIndex, 0))
  const startBytes = await keptBytesNow()
  const startedMs = performance.now()
  const measureEvery = inputs > ALL_MEASURED_MAX ? MEASURE_EVERY : 1
  const { name, growthBytesMax = GROWTH_BYTES_MAX } = target
  let growthBytes = 0
  let beforeBytes = startBytes
  for (let ordinal = 0; ordinal < inputs; ordinal++) {
    const inputSeed = seedOf(runSeed, targetIndex, ordinal)
    onInput(inputSeed)
    const pending = run.take(inputSeed)
    if (pending !== undefined) await pending
    if (ordinal % measureEvery !== 0) continue
    const nowBytes = usedBytes()
    growthBytes = Math.max(growthBytes, nowBytes - beforeBytes)
    beforeBytes = nowBytes
    if (growthBytes > growthBytesMax) {
      const which =
        measureEvery === 1 ? 'it takes' : `it takes, with the ${MEASURE_EVERY} before it,`
      throw new FuzzFinding(inputSeed, `${which} ${growthBytes} bytes of memory`)
    }
  }
  const ms = performance.now() - startedMs
  const keptBytes = (await keptBytesNow()) - startBytes
  if (keptBytes > KEPT_BYTES_MAX) {
    throw new FuzzFinding(0, `${inputs} inputs leave ${keptBytes} bytes behind`)
  }
  const { values, errors, slowestMs } = run
  return { name, inputs, values, errors, ms, slowestMs, growthBytes, keptBytes }
}

class TargetRun {
  values = 0
  errors = 0
  slowestMs = 0
  private readonly target: FuzzTarget

  constructor(target: FuzzTarget) {
    this.target = target
  }

  /** @throws FuzzFinding */
  take(inputSeed: number): Promise<void> | undefined {
    const bytes = inputOf(this.target, inputSeed)
    const startedMs = performance.now()
    try {
      const pending = this.target.decode(bytes)
      if (pending !== undefined) return this.finish(inputSeed, pending, startedMs)
      this.values++
    } catch (error) {
      this.refused(inputSeed, error)
    }
    this.note(inputSeed, performance.now() - startedMs)
    return undefined
  }

  private async finish(
    inputSeed: number,
    pending: Promise<void>,
    startedMs: number,
  ): Promise<void> {
    try {
      await pending
      this.values++
    } catch (error) {
      this.refused(inputSeed, error)
    }
    this.note(inputSeed, performance.now() - startedMs)
  }

  private refused(inputSeed: number, error: unknown): void {
    if (!isTyped(this.target, error)) {
      throw new FuzzFinding(inputSeed, 'it ends in an error that is not typed', error)
    }
    this.errors++
  }

  private note(inputSeed: number, ms: number): void {
    this.slowestMs = Math.max(this.slowestMs, ms)
    const { timeMsMax = TIME_MS_MAX } = this.target
    if (ms > timeMsMax && this.isSlowAgain(inputSeed, timeMsMax)) {
      throw new FuzzFinding(inputSeed, `it takes more than ${timeMsMax} ms, three times in a row`)
    }
  }

  /** A busy machine pauses a thread now and then; a slow input is slow each time. */
  private isSlowAgain(inputSeed: number, timeMsMax: number): boolean {
    for (let attempt = 0; attempt < 2; attempt++) {
      const bytes = inputOf(this.target, inputSeed)
      const startedMs = performance.now()
      try {
        // What an asynchronous decoder does later is watched from outside.
        this.target.decode(bytes)?.then(undefined, () => undefined)
      } catch {
        // Which error it is was judged the first time.
      }
      if (performance.now() - startedMs <= timeMsMax) return false
    }
    return true
  }
}

/** The second collection waits for the first one to have given array buffers back. */
async function keptBytesNow(): Promise<number> {
  collectGarbage()
  await setImmediate()
  collectGarbage()
  return usedBytes()
}

function usedBytes(): number {
  const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics()
  return heapBytes + externalBytes
}
