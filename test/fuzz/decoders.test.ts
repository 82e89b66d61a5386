/**
 * Inputs for all decoders of untrusted bytes, a million for each in CI and a hundredth of that
 * elsewhere: each ends in a value or a typed error, in bounded time and memory.
 * `npm run soak -- --suite fuzz` goes on for as long as wanted.
 */
import { describe, expect, it } from 'vitest'
import { describeResults, fuzz } from '../support/fuzz/fuzz-session.js'
import { EVERY_DECODER } from '../support/fuzz/fuzz-target.js'

const SHARE = process.env['CI'] === 'true' ? 1 : 0.01
const TIMEOUT_MS = 1_500_000
/** Of these there are enough that some must be good. */
const JUDGED_MIN = 1000

describe('decoders of untrusted bytes', () => {
  it(`decoders: give a value or a typed error (${SHARE * EVERY_DECODER} inputs each)`, {
    timeout: TIMEOUT_MS,
  }, async () => {
    const seed = Date.now() >>> 0
    const results = await fuzz(seed, SHARE)
    console.log(`fuzzed inputs, run ${seed}:\n${describeResults(results)}`)
    const millions = results.filter(({ inputs }) => inputs === SHARE * EVERY_DECODER)
    expect(millions.length).toBeGreaterThan(10)
    // A target that refuses even what is intact tests nothing.
    for (const { name, inputs, values } of results) {
      if (inputs >= JUDGED_MIN) expect(values, name).toBeGreaterThan(0)
    }
  })
})
