import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openFileStorage, writeFully } from '../../journal/file-storage.js'
import { describeStorage } from '../support/storage-conformance.js'
import { temporaryDirectory } from './writing-harness.js'

/** In a process of its own, which can be killed where it waits for ever. */
const OPENER = `
  const { openFileStorage } = await import(process.argv[1])
  const storage = openFileStorage(process.argv[2])
  for (const mode of ['read', 'write', 'create']) {
    for (const direct of [false, true]) {
      try {
        storage.open('0000000001.segment', mode, { direct })
        console.log('opened')
      } catch (error) {
        console.log(error.code + ' ' + error.syscall)
      }
    }
  }
`

describe('file storage', () => {
  it.each(['a pipe', 'a device', 'a directory'])(
    'file storage: opens regular files only, and waits for nothing (%s)',
    (kind) => {
      const path = temporaryDirectory()
      const file = join(path, '0000000001.segment')
      if (kind === 'a directory') mkdirSync(file)
      else if (kind === 'a device') symlinkSync('/dev/zero', file)
      else expect(spawnSync('mkfifo', [file]).status).toBe(0)
      const module = new URL('../../journal/file-storage.js', import.meta.url).href
      const { stdout } = spawnSync(
        process.execPath,
        ['--input-type=module', '-e', OPENER, module, path],
        { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' },
      )
      const [readPlain, readDirect, writePlain, writeDirect, ...created] = stdout.trim().split('\n')
      expect([readPlain, readDirect]).toEqual(['EFTYPE open', 'EFTYPE open'])
      // A directory is refused for writing by the system itself.
      const refused = kind === 'a directory' ? 'EISDIR open' : 'EFTYPE open'
      expect([writePlain, writeDirect]).toEqual([refused, refused])
      expect(created).toEqual(['EEXIST open', 'EEXIST open'])
    },
  )

  it('file storage: creates the directory only when asked', () => {
    const path = join(temporaryDirectory(), 'a', 'b', 'c')
    expect(() => openFileStorage(path)).toThrow('ENOENT')
    expect(openFileStorage(path, { create: true }).path).toBe(path)
    expect(existsSync(path)).toBe(true)
    openFileStorage(path, { create: true })
  })

  it('file storage: refuses what is not a directory', () => {
    const path = join(temporaryDirectory(), 'file')
    writeFileSync(path, 'x')
    expect(() => openFileStorage(path)).toThrow('ENOTDIR')
  })

  it('file storage: lists files, sorted, without directories', () => {
    const path = temporaryDirectory()
    for (const name of ['b', 'a', 'c.segment']) writeFileSync(join(path, name), '')
    mkdirSync(join(path, 'directory'))
    expect(openFileStorage(path).list()).toEqual(['a', 'b', 'c.segment'])
  })
})

describeStorage('file storage', (direct) =>
  openFileStorage(temporaryDirectory(), direct === undefined ? {} : { direct }),
)

describe('writeFully', () => {
  it('writeFully: goes on after short writes, at the right place', () => {
    const disk = new Uint8Array(100)
    const source = Uint8Array.from({ length: 40 }, (_, index) => index + 1)
    let calls = 0
    writeFully(3, source, 50, (descriptor, buffer, offset, lengthBytes, position) => {
      expect(descriptor).toBe(3)
      calls += 1
      const count = Math.min(lengthBytes, 7)
      disk.set(buffer.subarray(offset, offset + count), position)
      return count
    })
    expect(calls).toBe(6)
    expect(disk.subarray(50, 90)).toEqual(source)
    expect(disk.subarray(90).every((byte) => byte === 0)).toBe(true)
  })

  it('writeFully: a write of nothing throws, an error passes through', () => {
    let calls = 0
    const stuck = (): number => (++calls === 1 ? 4 : 0)
    expect(() => writeFully(3, new Uint8Array(8), 0, stuck)).toThrow('EIO: only 4 of 8 bytes')
    const full = new Error('ENOSPC')
    const failing = (): number => {
      throw full
    }
    expect(() => writeFully(3, new Uint8Array(8), 0, failing)).toThrow(full)
  })
})
