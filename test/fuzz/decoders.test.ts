/**
 * Inputs over all decoders of untrusted bytes, a million in CI and a tenth of that elsewhere: each ends
 * in a value or a typed error, in bounded time and memory. `npm run soak -- --suite fuzz` goes on for
 * as long as wanted.
 */
import { describe, expect, it } from 'vitest'
import { describeResults, fuzz } from '../support/fuzz/fuzz-session.js'

const SCALE = process.env['CI'] === 'true' ? 1 : 0.1
const INPUTS_MIN = SCALE * 1_000_000
const TIMEOUT_MS = 600_000

describe('decoders of untrusted bytes', () => {
  it(`decoders: give a value or a typed error (${INPUTS_MIN} inputs)`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const seed = Date.now() >>> 0
    const results = await fuzz(seed, SCALE)
    console.log(`fuzzed inputs, run ${seed}:\n${describeResults(results)}`)
    const inputs = results.reduce((sum, result) => sum + result.inputs, 0)
    expect(inputs).toBeGreaterThanOrEqual(INPUTS_MIN)
    // A target that refuses even what is intact tests nothing. One that gives a value for every
    // tenth input may give none for fifteen, which is what a small run has of it.
    for (const { name, inputs, values } of results) {
      if (inputs >= 100) expect(values, name).toBeGreaterThan(0)
    }
  })
})
