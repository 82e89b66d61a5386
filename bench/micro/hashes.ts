/** What a block costs before and after it is written: checksum, and its hash in the chain. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { blockHash } from '../../journal/block-header.js'
import { HASH_BYTES } from '../../journal/block-layout.js'
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
  const hashes = [4, 64, 256, 1024].map((kibibytes) => {
    const bytes = new Uint8Array(kibibytes * 1024).fill(7)
    const made = { lengthBytes: 0 }
    tasks.add(
      `chain.${kibibytes}KiB`,
      () => {
        made.lengthBytes = blockHash(bytes).length
      },
      1,
    )
    return made
  })
  return () => {
    for (const { lengthBytes } of hashes) assertEqual('length of a hash', lengthBytes, HASH_BYTES)
    assertEqual('checksum', checksum, crc32(new Uint8Array(BLOCK_BYTES).fill(7)))
    assertEqual('length of the digest', digest.length, 64)
  }
}
