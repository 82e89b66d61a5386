/** The long run of the fuzz harness: a tenth of what CI does a run, run after run. */
import { describeResults, FuzzFailure, fuzz } from '../../test/support/fuzz/fuzz-session.js'
import { Coverage } from '../../test/support/simulation/coverage.js'
import type { SuiteResult } from './suite-result.js'

const SEED_MAX = 2 ** 32
const SHARE = 0.1

export async function soakFuzz(minutes: number, from: number): Promise<SuiteResult> {
  const endMs = performance.now() + minutes * 60_000
  const coverage = new Coverage()
  for (let seed = from; performance.now() < endMs; seed++) {
    try {
      const results = await fuzz(seed % SEED_MAX, SHARE)
      coverage.add('runs')
      for (const { name, inputs } of results) coverage.add(name, inputs)
      console.log(`run ${seed}:\n${describeResults(results)}`)
    } catch (error) {
      if (!(error instanceof FuzzFailure)) throw error
      console.error(error.message)
      return { isRight: false, counts: coverage.toJSON() }
    }
  }
  console.log(`inputs from run ${from} on, without a finding:\n${coverage}`)
  return { isRight: true, counts: coverage.toJSON() }
}
