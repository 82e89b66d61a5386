/** Blocks made durable through the journal's own port to the disk, small and as of a busy engine. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openFileStorage } from '../../journal/file-storage.js'
import { alignedBuffer } from '../../journal/storage.js'
import { assertEqual, type MicroGroup } from './micro-group.js'

const FILE_BYTES = 8 * 1024 * 1024
const FILE = 'blocks'

export const addBlockWrites: MicroGroup = (tasks) => {
  const directory = join(tasks.directory, 'micro')
  mkdirSync(directory, { recursive: true })
  const storage = openFileStorage(directory)
  storage.open(FILE, 'create').close()
  const file = storage.open(FILE, 'write', { direct: true })
  file.write(alignedBuffer(FILE_BYTES), 0)
  file.sync()
  let lastBytes = 0
  for (const kibibytes of [4, 64]) {
    const block = alignedBuffer(kibibytes * 1024)
    let offset = 0
    tasks.add(
      `block.write-${kibibytes}KiB`,
      () => {
        block[0] = kibibytes
        file.write(block, offset)
        if (!file.direct) file.sync()
        offset = (offset + block.length) % FILE_BYTES
        lastBytes = block.length
      },
      1,
    )
  }
  return () => {
    file.close()
    const read = new Uint8Array(1)
    storage.open(FILE, 'read').read(read, 0)
    assertEqual('first byte of the file', read[0], lastBytes / 1024)
  }
}
