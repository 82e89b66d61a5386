/** The long run of the fuzz harness: a million inputs a run, run after run. */
import { describeResults, FuzzFailure, fuzz } from '../../test/support/fuzz/fuzz-session.js'
import type { SuiteResult } from './suite-result.js'

const SEED_MAX = 2 ** 32

export async function soakFuzz(minutes: number, from: number): Promise<SuiteResult> {
  const endMs = performance.now() + minutes * 60_000
  let inputs = 0
  let runs = 0
  let targets = 0
  for (let seed = from; performance.now() < endMs; seed++) {
    try {
      const results = await fuzz(seed % SEED_MAX, 1)
      inputs += results.reduce((sum, result) => sum + result.inputs, 0)
      runs++
      targets = results.length
      console.log(`run ${seed}:\n${describeResults(results)}`)
    } catch (error) {
      if (!(error instanceof FuzzFailure)) throw error
      console.error(error.message)
      return { isRight: false, counts: { inputs, runs, targets } }
    }
  }
  console.log(`${inputs.toLocaleString('en')} inputs from run ${from} on, without a finding`)
  return { isRight: true, counts: { inputs, runs, targets } }
}
