import { describe, expect, it } from 'vitest'
import { BLOCK_BYTES_MAX } from '../../journal/block-layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { segmentName } from '../../journal/segment-layout.js'
import type { Storage, StorageFile } from '../../journal/storage.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { JournalBuilder } from '../support/journal-builder.js'

/** The file as it was before its last bytes were written, for the first read that touches them. */
function writtenLate(storage: Storage, from: number, to: number): Storage {
  let isWritten = false
  const open: Storage['open'] = (name, mode, options) => {
    const file = storage.open(name, mode, options)
    const read: StorageFile['read'] = (buffer, position) => {
      const lengthBytes = file.read(buffer, position)
      if (position + lengthBytes <= from || position >= to || isWritten) return lengthBytes
      isWritten = true
      buffer.fill(0, Math.max(0, from - position), Math.min(lengthBytes, to - position))
      return lengthBytes
    }
    return Object.assign(Object.create(file) as StorageFile, { read })
  }
  return Object.assign(Object.create(storage) as Storage, { open })
}

describe('verify of a segment that is being written', () => {
  it.each([
    [3, 3],
    [3, 5],
    [5, 5],
  ])(
    'verifySegment: blocks that are written after the first look are no damage (%i to %i of 5)',
    (first, last) => {
      const builder = new JournalBuilder({ segmentBytes: 64 * 1024 })
      for (let block = 0; block < 5; block++) builder.block()
      const { offset, lengthBytes } = builder.at(last)
      const storage = writtenLate(builder.storage, builder.at(first).offset, offset + lengthBytes)
      const verdict = verifySegment(storage, segmentName(1), new ReadWindow(BLOCK_BYTES_MAX))
      expect(verdict.problems).toEqual([])
      expect(verdict.lastBlock).toBe(5)
    },
  )
})
