/**
 * Every state that a loss of power can leave, at every point of a run where something becomes
 * durable: all subsets of what is not synced, of sectors, sizes of files and changes of the
 * directory. Where there are more than eight of them, all subsets of eight (the first four, which
 * hold the headers, and the last four), with all others lost and with all others kept.
 */
import { describe, expect, it } from 'vitest'
import type { Choose } from './support/disk/simulated-inode.js'
import { opened, recover } from './support/recover.js'
import { CanonicalRun, type PowerLossPoint } from './support/simulation/canonical-run.js'
import { Coverage } from './support/simulation/coverage.js'
import { LEDGERS } from './support/simulation/ledger.js'
import { describeState } from './support/simulation/naive-ledger.js'
import { seedEntropy } from './support/simulation/seeded-entropy.js'
import { recoverLedger } from './support/simulation/simulated-engine.js'

const FREE_DECISIONS_MAX = 8

describe('power loss', () => {
  it('power loss: every subset of what is not synced leaves a prefix with every answer', async () => {
    const coverage = new Coverage()
    const restore = seedEntropy(1)
    try {
      await new CanonicalRun((point) => {
        coverage.add('points')
        coverage.add(`points of: ${point.where.split(':')[0]}`)
        coverage.add('states', tryAllStates(point))
      }).run()
    } finally {
      restore()
    }
    console.log(`power loss, every subset:\n${coverage}`)
    expect(coverage.of('points')).toBeGreaterThan(40)
    expect(coverage.of('states')).toBeGreaterThan(1000)
  })
})

/** Returns how many. */
function tryAllStates(point: PowerLossPoint): number {
  const decisions = point.disk.pendingCount()
  const rests = decisions > FREE_DECISIONS_MAX ? ['lost', 'kept'] : ['lost']
  let states = 0
  for (const rest of rests) {
    const counter: { chosen: number; count: number }[] = []
    do {
      let decision = 0
      let depth = 0
      tryState(point, (count) => {
        if (!isFree(decision++, decisions)) return rest === 'kept' ? count - 1 : 0
        if (depth === counter.length) counter.push({ chosen: 0, count })
        return counter[depth++]!.chosen
      })
      states++
    } while (advance(counter))
  }
  return states
}

function isFree(decision: number, decisions: number): boolean {
  const half = FREE_DECISIONS_MAX / 2
  return decisions <= FREE_DECISIONS_MAX || decision < half || decision >= decisions - half
}

/** The last digit that can be raised is; false: this was the last state. */
function advance(counter: { chosen: number; count: number }[]): boolean {
  while (counter.length > 0 && counter.at(-1)!.chosen === counter.at(-1)!.count - 1) counter.pop()
  if (counter.length === 0) return false
  counter.at(-1)!.chosen++
  return true
}

function tryState(point: PowerLossPoint, choose: Choose): void {
  const { where, dueSequence, states, version, level } = point
  const disk = point.disk.clone()
  disk.losePower(choose)
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
