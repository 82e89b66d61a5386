/**
 * Every state that a loss of power can leave (all-subsets.ts), at every point of a run where
 * something becomes durable.
 */
import { describe, expect, it } from 'vitest'
import { forAllSubsets } from './support/disk/all-subsets.js'
import type { SimulatedDisk } from './support/disk/simulated-disk.js'
import { opened, recover } from './support/recover.js'
import { CanonicalRun, type PowerLossPoint } from './support/simulation/canonical-run.js'
import { Coverage } from './support/simulation/coverage.js'
import { LEDGERS } from './support/simulation/ledger.js'
import { describeState } from './support/simulation/naive-ledger.js'
import { seedEntropy } from './support/simulation/seeded-entropy.js'
import { recoverLedger } from './support/simulation/simulated-engine.js'

describe('power loss', () => {
  it('power loss: every subset of what is not synced leaves a prefix with every answer', async () => {
    const coverage = new Coverage()
    const restore = seedEntropy(1)
    try {
      await new CanonicalRun((point) => {
        coverage.add('points')
        coverage.add(`points of: ${point.where.split(':')[0]}`)
        coverage.add(
          'states',
          forAllSubsets(point.disk, (disk) => tryState(point, disk)),
        )
      }).run()
    } finally {
      restore()
    }
    console.log(`power loss, every subset:\n${coverage}`)
    expect(coverage.of('points')).toBeGreaterThan(40)
    expect(coverage.of('states')).toBeGreaterThan(1000)
  })
})

function tryState(point: PowerLossPoint, disk: SimulatedDisk): void {
  const { where, dueSequence, states, version, level } = point
  const options = { durability: level, keyCountMax: 40 }
  const { runtime, journal } = recoverLedger(disk, LEDGERS[version], options)
  expect(runtime.sequence, where).toBeGreaterThanOrEqual(dueSequence)
  expect(describeState(runtime), where).toBe(states.get(runtime.sequence))
  // What was found is durable, and needs no mending. The hash of the last block covers all of them.
  disk.losePower(() => 0)
  const again = opened(recover(disk, { durability: level }))
  const { cut, repaired } = again.report
  expect({ cut, repaired }, where).toEqual({ cut: undefined, repaired: [] })
  const due = { ...journal?.end, epoch: again.end.epoch }
  expect(JSON.stringify(again.end), where).toBe(JSON.stringify(due))
}
