/** What a simulated disk may do to what was not synced, and what it must not. */
import { describe, expect, it } from 'vitest'
import { alignedBuffer } from '../../journal/storage.js'
import { DiskCrash } from '../support/disk/disk-calls.js'
import { SimulatedDisk } from '../support/disk/simulated-disk.js'
import type { Choose } from '../support/disk/simulated-inode.js'
import { describeStorage } from '../support/storage-conformance.js'

describeStorage('simulated disk', (direct) => new SimulatedDisk(direct))

const lost: Choose = () => 0
const kept: Choose = (count) => count - 1

/** Every outcome of `decide`, once. */
function outcomes(decide: (choose: Choose) => string): string[] {
  const found: string[] = []
  const path: { chosen: number; count: number }[] = []
  for (;;) {
    let depth = 0
    found.push(
      decide((count) => {
        if (depth === path.length) path.push({ chosen: 0, count })
        return path[depth++]?.chosen ?? 0
      }),
    )
    while (path.length > 0 && path.at(-1)!.chosen === path.at(-1)!.count - 1) path.pop()
    if (path.length === 0) return found
    path.at(-1)!.chosen++
  }
}

function withSyncedFile(bytes: number): SimulatedDisk {
  const disk = new SimulatedDisk()
  const file = disk.open('f', 'create')
  file.write(new Uint8Array(bytes).fill(1), 0)
  file.sync()
  disk.syncDirectory()
  return disk
}

/** The first byte of each sector. */
function sectorsOf(disk: SimulatedDisk, name = 'f'): string {
  const bytes = disk.files().get(name)
  if (bytes === undefined) return 'none'
  return Array.from({ length: Math.ceil(bytes.length / 512) }, (_, i) => bytes[i * 512]).join('')
}

describe('simulated disk', () => {
  it('simulated disk: of unsynced sectors any subset is there after a loss of power', () => {
    const found = outcomes((choose) => {
      const disk = withSyncedFile(3 * 512)
      disk.open('f', 'write').write(new Uint8Array(3 * 512).fill(2), 0)
      disk.losePower(choose)
      return sectorsOf(disk)
    })
    expect(found.sort()).toEqual(['111', '112', '121', '122', '211', '212', '221', '222'])
  })

  it('simulated disk: a sector that was written twice may be there in each version', () => {
    const found = outcomes((choose) => {
      const disk = withSyncedFile(512)
      const file = disk.open('f', 'write')
      file.write(new Uint8Array(512).fill(2), 0)
      file.write(new Uint8Array(512).fill(3), 0)
      disk.losePower(choose)
      return sectorsOf(disk)
    })
    expect(found.sort()).toEqual(['1', '2', '3'])
  })

  it('simulated disk: what was synced is there, whatever the disk chooses', () => {
    for (const choose of [lost, kept]) {
      const disk = withSyncedFile(1024)
      const file = disk.open('f', 'write')
      file.write(new Uint8Array(1024).fill(2), 0)
      file.sync()
      disk.losePower(choose)
      expect(sectorsOf(disk)).toBe('22')
    }
  })

  it('simulated disk: a direct write is durable when it returns, unless a sync was to follow', () => {
    for (const syncLater of [false, true]) {
      const disk = new SimulatedDisk()
      const file = disk.open('f', 'create', { direct: true, syncLater })
      disk.syncDirectory()
      file.write(alignedBuffer(4096).fill(5), 0)
      disk.losePower(lost)
      expect(sectorsOf(disk)).toBe(syncLater ? '' : '55555555')
    }
  })

  it('simulated disk: a crash inside a direct write leaves any subset of its sectors', () => {
    const found = new Set<string>()
    for (const subset of [0, 1, 0b10000001, 0b01010101, 0xff]) {
      const disk = new SimulatedDisk()
      const file = disk.open('f', 'create', { direct: true })
      file.truncate(4096)
      file.sync()
      disk.syncDirectory()
      let sector = 0
      disk.choose = () => (subset >> sector++) & 1
      disk.before = ({ kind }) => (kind === 'write' ? 'crash' : undefined)
      expect(() => file.write(alignedBuffer(4096).fill(1), 0)).toThrow(DiskCrash)
      expect(() => disk.list()).toThrow(DiskCrash)
      disk.losePower(lost)
      found.add(sectorsOf(disk))
    }
    expect([...found]).toEqual(['00000000', '10000000', '10000001', '10101010', '11111111'])
  })

  it('simulated disk: each change of the directory is lost or kept; a rename is one change', () => {
    const found = outcomes((choose) => {
      const disk = withSyncedFile(512)
      disk.open('new', 'create').sync()
      disk.rename('new', 'f')
      disk.open('other', 'create').sync()
      disk.losePower(choose)
      return disk.list().join(' ')
    })
    expect([...new Set(found)].sort()).toEqual(['f', 'f new', 'f new other', 'f other'])
    const disk = withSyncedFile(512)
    disk.remove('f')
    disk.losePower(lost)
    expect(disk.list()).toEqual(['f'])
  })

  it('simulated disk: the size of a file is lost with what made it', () => {
    for (const choose of [lost, kept]) {
      const disk = withSyncedFile(512)
      disk.open('f', 'write').truncate(2048)
      disk.losePower(choose)
      expect(sectorsOf(disk)).toBe(choose === lost ? '1' : '1000')
    }
  })

  it('simulated disk: after a failed sync the next one says OK, and the bytes are lost', () => {
    const disk = withSyncedFile(1024)
    const file = disk.open('f', 'write')
    file.write(new Uint8Array(1024).fill(2), 0)
    disk.before = ({ kind }) => (kind === 'sync' ? 'EIO' : undefined)
    expect(() => file.sync()).toThrow('EIO')
    disk.before = () => undefined
    file.sync()
    expect(sectorsOf(disk)).toBe('22')
    const evicted = disk.clone()
    evicted.evict(kept)
    expect(sectorsOf(evicted)).toBe('11')
    // Written again, they are as good as any.
    const mended = disk.clone()
    const again = mended.open('f', 'write')
    again.write(new Uint8Array(1024).fill(2), 0)
    again.sync()
    mended.losePower(lost)
    expect(sectorsOf(mended)).toBe('22')
    disk.losePower(kept)
    expect(sectorsOf(disk)).toBe('11')
  })

  it('simulated disk: a failed sync of the directory loses what it should have kept', () => {
    const disk = withSyncedFile(512)
    disk.rename('f', 'g')
    disk.before = ({ kind }) => (kind === 'syncDirectory' ? 'EIO' : undefined)
    expect(() => disk.syncDirectory()).toThrow('EIO')
    disk.before = () => undefined
    disk.syncDirectory()
    expect(disk.list()).toEqual(['g'])
    disk.losePower(kept)
    expect(disk.list()).toEqual(['f'])
  })

  it('simulated disk: a short write is gone on with, a failed one leaves any part', () => {
    const disk = withSyncedFile(4 * 512)
    let writes = 0
    disk.before = ({ kind }) => (kind === 'write' && ++writes < 3 ? 'short' : undefined)
    disk.choose = () => 99
    disk.open('f', 'write').write(new Uint8Array(2048).fill(2), 0)
    expect([writes, sectorsOf(disk)]).toEqual([3, '2222'])
    disk.before = ({ kind }) => (kind === 'write' ? 'EIO' : undefined)
    let sector = 0
    disk.choose = () => sector++ & 1
    expect(() => disk.open('f', 'write').write(new Uint8Array(2048).fill(3), 0)).toThrow('EIO')
    expect(sectorsOf(disk)).toBe('2323')
  })

  it('simulated disk: full is full, for what needs room', () => {
    const disk = withSyncedFile(4096)
    disk.setFreeBytes(4096)
    expect(disk.freeBytes()).toBe(4096)
    const file = disk.open('f', 'write')
    expect(() => file.write(new Uint8Array(12_288).fill(2), 0)).toThrow('ENOSPC')
    expect(sectorsOf(disk)).toBe('2'.repeat(16))
    file.write(new Uint8Array(8192).fill(3), 0)
    expect(sectorsOf(disk)).toBe('3'.repeat(16))
    expect(disk.freeBytes()).toBe(0)
    disk.open('hole', 'create').truncate(1 << 20)
    disk.setFreeBytes(1 << 20)
    file.write(new Uint8Array(12_288).fill(2), 0)
  })
})
