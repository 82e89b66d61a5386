/** Openings that fail to sync what they wrote, while the page cache shows it and the disk has not. */
import { describe, expect, it } from 'vitest'
import { DURABILITY_OS } from '../../journal/block-layout.js'
import { DiskCrash, type DiskFault } from '../support/disk/disk-calls.js'
import { SimulatedDisk } from '../support/disk/simulated-disk.js'
import { JournalBuilder } from '../support/journal-builder.js'
import { opened, recover, upTo } from '../support/recover.js'

/** On disk, all of it. */
function diskOf({ storage }: JournalBuilder): SimulatedDisk {
  const disk = new SimulatedDisk()
  for (const [name, bytes] of storage.files) {
    const file = disk.open(name, 'create')
    file.write(bytes, 0)
    file.sync()
    file.close()
  }
  disk.syncDirectory()
  return disk
}

/** The third block, of several sectors, is torn. */
function torn(durability?: number): JournalBuilder {
  const options = durability === undefined ? {} : { durability, syncedThrough: 2 }
  const builder = new JournalBuilder({ segmentBytes: 256 * 1024 }).block().block()
  builder.block({ events: 30, payloadBytes: 800, ...options })
  const { offset } = builder.at(3)
  // Level os: the next block got to the disk, this one did not.
  if (durability !== undefined) builder.block({ events: 4, ...options })
  builder.bytesAround(3).fill(0, offset + 512, offset + 1024)
  return builder
}

describe('recovery over a failing disk', () => {
  it.each([
    ['disk', torn()],
    ['os', torn(DURABILITY_OS)],
  ])(
    'recovery: what was cut stays cut, although a sync failed on the way (level %s)',
    (_, builder) => {
      for (let failing = 1; ; failing++) {
        const disk = diskOf(builder)
        let syncs = 0
        let fault: DiskFault | undefined
        disk.before = ({ kind }) => {
          fault = kind === 'sync' && ++syncs === failing ? 'EIO' : undefined
          return fault
        }
        const first = recover(disk)
        if (first.kind === 'opened') {
          expect(failing).toBeGreaterThan(3)
          return
        }
        expect(first.error.code).toBe('STORAGE_FAILED')
        // The same machine, so the page cache is as it was.
        const second = opened(recover(disk))
        expect(second.sequences).toEqual(upTo(4))
        disk.losePower(() => 0)
        const third = opened(recover(disk))
        expect(third.sequences, `sync ${failing} failed`).toEqual(upTo(4))
        expect(third.report.cut, `sync ${failing} failed`).toBeUndefined()
      }
    },
  )

  it('recovery: names that a killed opening did not sync are durable after the next one', () => {
    for (let dying = 1; ; dying++) {
      const disk = diskOf(torn())
      let syncs = 0
      disk.before = ({ kind }) =>
        kind === 'syncDirectory' && ++syncs === dying ? 'crash' : undefined
      if (!dies(disk)) {
        expect(dying).toBeGreaterThan(1)
        return
      }
      disk.before = () => undefined
      disk.restartProcess()
      const second = opened(recover(disk))
      const names = disk.list()
      expect(names.filter((name) => name.includes('.torn-'))).toHaveLength(1)
      disk.losePower(() => 0)
      expect(disk.list(), `died at sync ${dying} of the directory`).toEqual(names)
      expect(opened(recover(disk))).toMatchObject({ end: second.end, report: { repaired: [] } })
    }
  })
})

function dies(disk: SimulatedDisk): boolean {
  try {
    opened(recover(disk))
    return false
  } catch (error) {
    if (error instanceof DiskCrash) return true
    throw error
  }
}
