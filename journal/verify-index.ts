/**
 * Checks the index of a segment: it must be, byte for byte, what the segment gives. It is a cache, so
 * what is wrong with it is no damage of the journal.
 */
import { causeOf } from './errors.js'
import type { ReadWindow } from './read-window.js'
import type { Storage, StorageFile } from './storage.js'
import { encodeStreamIndex } from './stream-index-build.js'
import { indexName } from './stream-index-layout.js'

/**
 * What is wrong with the index of an intact segment; '' when nothing is, undefined when there is
 * none.
 */
export function findIndexProblem(
  storage: Storage,
  segmentNumber: number,
  window: ReadWindow,
): string | undefined {
  const name = indexName(segmentNumber)
  if (!storage.list().includes(name)) return undefined
  let file: StorageFile | undefined
  try {
    file = storage.open(name, 'read')
    const { bytes } = encodeStreamIndex(storage, segmentNumber, window)
    return isSame(file, bytes) ? '' : 'it is not what its segment gives'
  } catch (error) {
    return `it cannot be compared with its segment (${causeOf(error)})`
  } finally {
    file?.close()
  }
}

function isSame(file: StorageFile, expected: Uint8Array): boolean {
  if (file.sizeBytes() !== expected.byteLength) return false
  const bytes = new Uint8Array(expected.byteLength)
  return file.read(bytes, 0) === bytes.byteLength && Buffer.compare(bytes, expected) === 0
}
