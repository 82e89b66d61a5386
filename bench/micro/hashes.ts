/** What a block of 64 KiB costs before and after it is written: checksum, and link of the chain. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { assertEqual, type MicroGroup } from './micro-group.js'

const BLOCK_BYTES = 64 * 1024

export const addHashes: MicroGroup = (tasks) => {
  const block = new Uint8Array(BLOCK_BYTES).fill(7)
  let checksum = 0
  tasks.add(
    'crc32.64KiB',
    () => {
      checksum = crc32(block)
    },
    1,
  )
  let digest = ''
  tasks.add(
    'sha256.64KiB',
    () => {
      digest = createHash('sha256').update(block).digest('hex')
    },
    1,
  )
  return () => {
    assertEqual('checksum', checksum, crc32(new Uint8Array(BLOCK_BYTES).fill(7)))
    assertEqual('length of the digest', digest.length, 64)
  }
}
