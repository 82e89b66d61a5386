/** Reads the regular files of a small `.tar.gz`, in memory. Layout: POSIX ustar, blocks of 512. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const BLOCK_BYTES = 512
const NAME = { offset: 0, lengthBytes: 100 }
const SIZE_IN_OCTAL = { offset: 124, lengthBytes: 12 }
const TYPE = { offset: 156, lengthBytes: 1 }

/** Contents by file name. */
export function readTarGz(path: string): Map<string, string> {
  const bytes = gunzipSync(readFileSync(path))
  const files = new Map<string, string>()
  let offset = 0
  const field = (place: { offset: number; lengthBytes: number }) => {
    const start = offset + place.offset
    return bytes.toString('latin1', start, start + place.lengthBytes).replace(/\0.*$/s, '')
  }
  // The archive ends with blocks of zeros, where a header would have a name.
  while (offset < bytes.length && bytes[offset] !== 0) {
    const sizeBytes = Number.parseInt(field(SIZE_IN_OCTAL), 8)
    const start = offset + BLOCK_BYTES
    const type = field(TYPE)
    if (type === '0' || type === '') {
      files.set(field(NAME), bytes.toString('utf8', start, start + sizeBytes))
    }
    offset = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  }
  return files
}
