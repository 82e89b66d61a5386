/**
 * Archiving that dies: at every call, at every point where something becomes durable with every
 * subset of what is not, and with every call that the system refuses. The journal is whole in
 * either form, an opening changes nothing, and archiving again comes to the same end.
 */
import { describe, expect, it } from 'vitest'
import { archiveName } from '../../journal/archive-layout.js'
import { archive, forms } from '../support/archived-journal.js'
import { forAllSubsets } from '../support/disk/all-subsets.js'
import { type DiskCall, DiskCrash, type DiskFault, isChange } from '../support/disk/disk-calls.js'
import { SimulatedDisk } from '../support/disk/simulated-disk.js'
import { sealedJournal } from '../support/journal-builder.js'
import { opened, recover, upTo } from '../support/recover.js'

const EVENTS = 12
const ARCHIVED = '1a 2a 3 4'

function simulated(): SimulatedDisk {
  const disk = new SimulatedDisk()
  for (const [name, bytes] of sealedJournal().storage.files) {
    const file = disk.open(name, 'create')
    file.write(bytes, 0)
    file.sync()
    file.close()
  }
  disk.syncDirectory()
  return disk
}

/** What archives of the small journal are. */
const expected = new Map<string, Buffer>()
{
  const disk = simulated()
  archive(disk)
  const files = disk.files()
  for (const number of [1, 2]) {
    const name = archiveName(number)
    expected.set(name, Buffer.from(files.get(name) ?? []))
  }
}

function expectWhole(disk: SimulatedDisk, what: string): void {
  const { sequences, report } = opened(recover(disk))
  expect(sequences, what).toEqual(upTo(EVENTS))
  expect(report, what).toMatchObject({ repaired: [], segments: 4 })
  expect(report.cut, what).toBeUndefined()
  const after = disk.list().filter((name) => name.endsWith('.new'))
  expect(after, what).toEqual([])
}

function expectToFinish(disk: SimulatedDisk, what: string): void {
  archive(disk)
  expect(forms(disk), what).toBe(ARCHIVED)
  disk.losePower(() => 0)
  expect(forms(disk), what).toBe(ARCHIVED)
  for (const [name, bytes] of expected) {
    expect(bytes.equals(disk.files().get(name) ?? new Uint8Array()), what).toBe(true)
  }
  expectWhole(disk, what)
}

/**
 * Archives on a disk whose call with this number, of those that change something, or of all, meets
 * the fault; false: there was no such call.
 */
function archiveWith(disk: SimulatedDisk, ordinal: number, fault: DiskFault, all = false): boolean {
  let count = 0
  let met = false
  disk.before = ({ kind }) => {
    if ((!all && !isChange(kind)) || ++count !== ordinal) return undefined
    met = true
    return fault
  }
  try {
    archive(disk)
  } catch (error) {
    const isKnown = error instanceof DiskCrash || String(error).includes('STORAGE_FAILED')
    if (!isKnown) throw error
  }
  disk.before = () => undefined
  return met
}

describe('archiving that dies', () => {
  it('power loss: every subset of what is not synced, at every point', () => {
    const disk = simulated()
    let points = 0
    let states = 0
    disk.before = ({ kind, name, isDurable }: DiskCall): undefined => {
      if (kind !== 'sync' && kind !== 'syncDirectory' && !isDurable) return
      points++
      states += forAllSubsets(disk.clone(), (state) => {
        const what = `before ${kind} ${name}, point ${points}`
        expectWhole(state, what)
        expectToFinish(state, what)
      })
    }
    archive(disk)
    disk.before = () => undefined
    expect(forms(disk)).toBe(ARCHIVED)
    console.log(`archiving, power loss: ${points} points, ${states} states`)
    expect(points).toBe(2 * 3)
    expect(states).toBeGreaterThan(30)
  })

  it('killed: at every call that changes something, with and without a loss of power behind it', () => {
    let calls = 0
    for (const power of ['kept', 'lost', 'all'] as const) {
      for (let ordinal = 1; ; ordinal++) {
        const disk = simulated()
        disk.choose = (count) => (power === 'lost' ? 0 : count - 1)
        if (!archiveWith(disk, ordinal, 'crash')) break
        if (power === 'kept') disk.restartProcess()
        else disk.losePower((count) => (power === 'lost' ? 0 : count - 1))
        expectWhole(disk, `killed at call ${ordinal}, ${power}`)
        expectToFinish(disk, `killed at call ${ordinal}, ${power}`)
        calls++
      }
    }
    expect(calls).toBe(3 * 2 * 9)
  })

  it('refused: EIO at every call and ENOSPC at every change leave a whole journal, also after a loss of power', () => {
    let calls = 0
    for (const fault of ['EIO', 'ENOSPC'] as const) {
      for (let ordinal = 1; ; ordinal++) {
        const disk = simulated()
        if (!archiveWith(disk, ordinal, fault, fault === 'EIO')) break
        const what = `${fault} at call ${ordinal}`
        // A failed sync of a directory is believed by nobody: the machine is restarted.
        disk.losePower(() => 0)
        expectWhole(disk, what)
        expectToFinish(disk, what)
        calls++
      }
    }
    expect(calls).toBeGreaterThan(80)
  })
})
