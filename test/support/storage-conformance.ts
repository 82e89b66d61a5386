/** What every implementation of the storage port does, as long as nothing fails. */
import { describe, expect, it } from 'vitest'
import { alignedBuffer, type Storage } from '../../journal/storage.js'

/** @param make an empty directory; `direct` says whether writes past the page cache are granted */
export function describeStorage(name: string, make: (direct?: boolean) => Storage): void {
  describe(name, () => {
    it.each([true, false])(`${name}: writes and reads at positions (direct %s)`, (direct) => {
      const storage = make(direct)
      const file = storage.open('f', 'create', { direct: true })
      if (!direct) expect(file.direct).toBe(false)
      expect(file.sizeBytes()).toBe(0)
      file.truncate(16_384)
      const bytes = alignedBuffer(8192).fill(7)
      file.write(bytes, 4096)
      file.sync()
      const back = alignedBuffer(16_384).fill(1)
      expect(file.read(back, 0)).toBe(16_384)
      expect(back.subarray(0, 4096).every((byte) => byte === 0)).toBe(true)
      expect(back.subarray(4096, 12_288).every((byte) => byte === 7)).toBe(true)
      // Less at the end of the file, nothing behind it.
      expect(file.read(back.subarray(0, 8192), 12_288)).toBe(4096)
      expect(file.read(back.subarray(0, 4096), 16_384)).toBe(0)
      file.close()
      file.close()
      expect(storage.open('f', 'read').sizeBytes()).toBe(16_384)
    })

    it(`${name}: a file grows with what is written, and is cut with what is not wanted`, () => {
      const storage = make()
      const file = storage.open('f', 'create')
      file.write(new Uint8Array(10).fill(1), 5)
      expect(file.sizeBytes()).toBe(15)
      file.truncate(8)
      file.truncate(12)
      const back = new Uint8Array(20)
      expect(file.read(back, 0)).toBe(12)
      expect([...back.subarray(0, 12)]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
      file.close()
    })

    it(`${name}: modes (create needs it missing, the others need it)`, () => {
      const storage = make()
      for (const direct of [false, true]) {
        const file = `file-${direct}`
        expect(() => storage.open(file, 'read', { direct })).toThrow('ENOENT')
        expect(() => storage.open(file, 'write', { direct })).toThrow('ENOENT')
        storage.open(file, 'create', { direct }).close()
        expect(() => storage.open(file, 'create', { direct })).toThrow('EEXIST')
        const reader = storage.open(file, 'read', { direct })
        expect(() => reader.write(alignedBuffer(4096), 0)).toThrow('EBADF')
        reader.close()
        expect(storage.open(file, 'write', { direct }).sizeBytes()).toBe(0)
      }
    })

    it(`${name}: renames, removes, syncs the directory, knows what is free`, () => {
      const storage = make()
      storage.open('a', 'create').close()
      storage.rename('a', 'b')
      storage.syncDirectory()
      expect(storage.list()).toEqual(['b'])
      storage.open('a', 'create').write(new Uint8Array(3), 0)
      storage.rename('a', 'b')
      expect(storage.list()).toEqual(['b'])
      expect(storage.open('b', 'read').sizeBytes()).toBe(3)
      storage.remove('b')
      expect(storage.list()).toEqual([])
      expect(() => storage.remove('b')).toThrow('ENOENT')
      const removed = storage.open('c', 'create')
      expect(removed.isLinked()).toBe(true)
      storage.remove('c')
      expect(removed.isLinked()).toBe(false)
      expect(() => storage.rename('b', 'c')).toThrow('ENOENT')
      expect(storage.freeBytes()).toBeGreaterThan(0)
    })

    it(`${name}: direct access demands aligned memory, positions and lengths`, () => {
      const storage = make()
      const file = storage.open('f', 'create', { direct: true })
      if (!file.direct) return
      const bytes = alignedBuffer(8192)
      expect(() => file.write(bytes.subarray(0, 100), 0)).toThrow('EINVAL')
      expect(() => file.write(bytes.subarray(100, 4196), 0)).toThrow('EINVAL')
      expect(() => file.write(bytes.subarray(0, 4096), 100)).toThrow('EINVAL')
      file.close()
    })

    it.each(['../x', 'a/b', '', '/etc/passwd'])(`${name}: a name is no path (%s)`, (path) => {
      expect(() => make().open(path, 'create')).toThrow('names a file in this directory')
    })
  })
}
