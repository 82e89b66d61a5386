/** Archives of a simulated engine's journal: made at any moment, in which the simulation may end too. */
import { archiveJournal } from '../../../journal/archive.js'
import { TidewheelError } from '../../../journal/errors.js'
import { ReadWindow } from '../../../journal/read-window.js'
import type { SimulatedDisk } from '../disk/simulated-disk.js'
import type { SeededRandom } from '../seeded-random.js'
import type { Coverage } from './coverage.js'

const WINDOW = new ReadWindow()

export class Archives {
  /** A call has failed, so that nobody knows what is on disk: none until the next opening. */
  private hasFailed = false

  opened(): void {
    this.hasFailed = false
  }

  /** Of what is full, up to anywhere, while commands go on; as archive-pool.ts. */
  run(disk: SimulatedDisk, random: SeededRandom, coverage: Coverage): void {
    if (this.hasFailed) return
    const before = random.below(2) === 0 ? Number.MAX_SAFE_INTEGER : random.below(1000)
    try {
      const { segments } = archiveJournal(disk, before, WINDOW)
      coverage.add('archives: made', segments)
    } catch (error) {
      if (!(error instanceof TidewheelError)) throw error
      const isAllowed = error.code === 'STORAGE_FAILED' || error.code === 'DISK_FULL'
      if (!isAllowed) throw error
      this.hasFailed = error.code === 'STORAGE_FAILED'
      coverage.add('archives: refused by the disk')
    }
  }
}
