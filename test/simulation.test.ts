/** The small run of the simulation; the long one is `npm run soak -- --minutes N`. */
import { describe, expect, it } from 'vitest'
import { Coverage } from './support/simulation/coverage.js'
import { simulate } from './support/simulation/simulation.js'

const SEEDS = 20
const GENERATIONS = 15
/** Other ones each time, unless they are asked for. */
const FIRST_SEED = Number(process.env['SIMULATION_SEED'] ?? Date.now() % 1_000_000_000)

describe('simulation', () => {
  it(`simulation: no answer is lost, and nothing is there twice (${SEEDS} seeds from ${FIRST_SEED})`, async () => {
    const coverage = new Coverage()
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      coverage.merge((await simulate(seed, GENERATIONS)).coverage)
    }
    console.log(`simulation, seeds from ${FIRST_SEED}:\n${coverage}`)
    expect(coverage.of('generations')).toBe(SEEDS * GENERATIONS)
    expect(coverage.of('ends: crash')).toBeGreaterThan(0)
    expect(coverage.of('restarts: power lost')).toBeGreaterThan(0)
    expect(coverage.of('recovery: cuts')).toBeGreaterThan(0)
    expect(coverage.of('recovery: from a snapshot')).toBeGreaterThan(0)
    expect(coverage.of('archives: made')).toBeGreaterThan(0)
  })

  it('simulation: the same seed gives the same run, to the byte', async () => {
    const first = await simulate(7, GENERATIONS)
    const second = await simulate(7, GENERATIONS)
    expect(second.trace).toBe(first.trace)
    expect(String(second.coverage)).toBe(String(first.coverage))
    const other = await simulate(8, GENERATIONS)
    expect(other.trace).not.toBe(first.trace)
  })
})
