/**
 * Files as the limits write them: one synced write at a time, past the page cache where the file
 * system allows it, else with `fdatasync` after the write. Nothing else.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

export interface RawFile {
  readonly fd: number
  readonly direct: boolean
}

/** `undefined` where the platform has no such flag. */
const DIRECT_FLAGS: number | undefined = constants.O_DIRECT

/** Makes `count` files of `fileBytes` zeros in `directory`, on disk when it returns. */
export function prepareFiles(directory: string, count: number, fileBytes: number): string[] {
  const zeros = new Uint8Array(fileBytes)
  return Array.from({ length: count }, (_, index) => {
    const file = join(directory, `${index}.limit`)
    writeFileSync(file, zeros, { flush: true })
    return file
  })
}

/** A new file of `fileBytes`, sparse; its name is on disk when it returns. */
export function createRaw(directory: string, number: number, fileBytes: number): RawFile {
  const name = join(directory, `${number}.limit`)
  closeSync(openSync(name, 'wx'))
  const file = openRaw(name)
  ftruncateSync(file.fd, fileBytes)
  const folder = openSync(directory, 'r')
  fsyncSync(folder)
  closeSync(folder)
  return file
}

export function openRaw(file: string): RawFile {
  if (DIRECT_FLAGS !== undefined) {
    try {
      const flags = constants.O_WRONLY | DIRECT_FLAGS | constants.O_DSYNC
      return { fd: openSync(file, flags), direct: true }
    } catch (error) {
      // EINVAL: a file system without direct writes.
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
    }
  }
  return { fd: openSync(file, constants.O_WRONLY), direct: false }
}

/** `bytes` lie in page-aligned memory, and are a multiple of 4 KiB, as `offset` is. */
export function writeSynced({ fd, direct }: RawFile, bytes: Uint8Array, offset: number): void {
  const written = writeSync(fd, bytes, 0, bytes.length, offset)
  if (written !== bytes.length) throw new Error(`${written} of ${bytes.length} bytes were written`)
  if (!direct) fdatasyncSync(fd)
}

export function closeRaw({ fd }: RawFile): void {
  closeSync(fd)
}
