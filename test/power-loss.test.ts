import { describe, expect, it } from 'vitest'
import { tryEverySubset } from './support/simulation/every-subset.js'

describe('power loss', () => {
  it('power loss: every subset of what is not synced leaves a prefix with every answer', async () => {
    const coverage = await tryEverySubset()
    console.log(`power loss, every subset:\n${coverage}`)
    expect(coverage.of('points')).toBeGreaterThan(40)
    expect(coverage.of('states')).toBeGreaterThan(1000)
  })
})
