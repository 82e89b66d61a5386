/** The snapshots of a simulated engine: made at any moment, in which the simulation may end too. */
import type { Domain } from '../../../engine/domain.js'
import { buildSnapshot } from '../../../engine/snapshot/snapshot-build.js'
import { ReadWindow } from '../../../journal/read-window.js'
import type { RecoveryReport } from '../../../journal/recovery-report.js'
import type { SimulatedDisk } from '../disk/simulated-disk.js'
import type { SeededRandom } from '../seeded-random.js'
import type { Coverage } from './coverage.js'

const WINDOW = new ReadWindow()
const KEPT_MAX = 2
const MADE_BY_OTHER_CODE = /other fields or other evolve functions/
const PLANNED_ERROR = /EIO: of the simulated disk/

/** Of what is full, while commands go on; where the disk refuses, the engine does not notice. */
export function makeSnapshot(
  disk: SimulatedDisk,
  domain: Domain,
  sealedSegment: number,
  random: SeededRandom,
  coverage: Coverage,
): void {
  if (sealedSegment === 0) return
  try {
    buildSnapshot(disk, domain, sealedSegment, 1 + random.below(KEPT_MAX), WINDOW)
    coverage.add('snapshots: made')
  } catch (error) {
    const isOfDisk = error instanceof Error && 'syscall' in error
    if (!isOfDisk) throw error
    coverage.add('snapshots: refused by the disk')
  }
}

/**
 * What an opening said of a snapshot that it could not use, and may never have to say: under its name
 * there is none but a whole one, whatever happened while it was made. `fired`: a call of this opening
 * has failed as planned.
 */
export function brokenSnapshot(report: RecoveryReport, fired: boolean): string | undefined {
  const { snapshotsSkipped = [] } = report
  return snapshotsSkipped.find((sentence) => {
    return !MADE_BY_OTHER_CODE.test(sentence) && !(fired && PLANNED_ERROR.test(sentence))
  })
}
