/**
 * Every state that a loss of power can leave (all-subsets.ts), at every point of the canonical run
 * where something becomes durable: the journal must hold a prefix of what was submitted, with every
 * answer in it, and opening it again must find the same and mend nothing.
 */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { forAllSubsets } from '../disk/all-subsets.js'
import type { SimulatedDisk } from '../disk/simulated-disk.js'
import { CanonicalRun, type PowerLossPoint } from './canonical-run.js'
import { Coverage } from './coverage.js'
import { LEDGERS } from './ledger.js'
import { describeState } from './naive-ledger.js'
import { countFrames, describeEnd } from './second-opening.js'
import { seedEntropy } from './seeded-entropy.js'
import { recoverLedger } from './simulated-engine.js'

/** @throws AssertionError that says where a promise was not kept */
export async function tryEverySubset(): Promise<Coverage> {
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
  return coverage
}

function tryState(point: PowerLossPoint, disk: SimulatedDisk): void {
  const { where, dueSequence, states, version, level } = point
  const options = { durability: level, keyCountMax: 40 }
  const { runtime, journal } = recoverLedger(disk, LEDGERS[version], options)
  ok(runtime.sequence >= dueSequence, `${where}: ${dueSequence} events are due`)
  strictEqual(describeState(runtime), states.get(runtime.sequence), where)
  // What was found is durable, and needs no mending. The hash of the last block covers all of them.
  disk.losePower(() => 0)
  const { end, report } = countFrames(disk)
  const { cut, repaired } = report
  deepStrictEqual({ cut, repaired }, { cut: undefined, repaired: [] }, where)
  strictEqual(describeEnd(end), describeEnd(journal?.end), where)
}
