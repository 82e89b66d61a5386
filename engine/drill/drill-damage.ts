/**
 * What a drill does to a copy of the journal that it has written, and what must come of it:
 *
 *   flip       one bit of a block before the last one         refused
 *   truncate   a segment is cut to half its length            refused
 *   missing    a segment is gone                              refused
 *   torn       half of a block behind the last one, as a      opened, cut with a report
 *              loss of power in the middle of a write leaves
 *   snapshot   a snapshot is made, and a bit of it flipped    opened without it, with a report
 *   full       goes on under load where no file may grow      stops, and opens again
 */
import { closeSync, fstatSync, openSync, readSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
} from '../../journal/block-layout.js'
import { SEGMENT_DATA } from '../../journal/segment-layout.js'
import { isZero } from '../../journal/zero-check.js'

export const DRILL_FAULTS = ['flip', 'truncate', 'missing', 'torn', 'snapshot', 'full'] as const
export type DrillFault = (typeof DRILL_FAULTS)[number]

/** Opening has to refuse; after the others it has to give every answer. */
export const MUST_REFUSE: ReadonlySet<DrillFault> = new Set(['flip', 'truncate', 'missing'])

/** A drive writes so much at once. */
const SECTOR_BYTES = 512

/** Each returns a sentence: what it has done, and where. */
export function flipBit(directory: string, name: string, offset: number): string {
  const file = openSync(join(directory, name), 'r+')
  try {
    const byte = new Uint8Array(1)
    readSync(file, byte, 0, 1, offset)
    byte[0] = (byte[0] as number) ^ 1
    writeSync(file, byte, 0, 1, offset)
  } finally {
    closeSync(file)
  }
  return `one bit flipped, ${name}, offset ${offset}`
}

export function flipFirstBlock(directory: string, segment: string): string {
  return flipBit(directory, segment, SEGMENT_DATA + BLOCK_HEADER_BYTES)
}

export function truncateSegment(directory: string, segment: string): string {
  const path = join(directory, segment)
  const sizeBytes = sizeOf(path)
  const leftBytes = Math.floor(sizeBytes / 2)
  truncateSync(path, leftBytes)
  return `cut from ${sizeBytes} to ${leftBytes} bytes, ${segment}`
}

export function removeSegment(directory: string, segment: string): string {
  rmSync(join(directory, segment))
  return `removed, ${segment}`
}

/**
 * Writes a part of a block behind the last one, which is in `last`; `next` is the segment prepared
 * behind it. Where `last` has no room for a largest block, the next block begins `next`. Undefined
 * where there is none.
 */
export function tearTail(directory: string, last: string, next?: string): string | undefined {
  const end = endOfBlocks(join(directory, last))
  const hasRoom = end + BLOCK_BYTES_MAX <= sizeOf(join(directory, last))
  const segment = hasRoom ? last : next
  if (segment === undefined) return undefined
  const offset = hasRoom ? end : SEGMENT_DATA
  const file = openSync(join(directory, segment), 'r+')
  try {
    writeSync(file, new Uint8Array(SECTOR_BYTES).fill(0xa5), 0, SECTOR_BYTES, offset)
  } finally {
    closeSync(file)
  }
  return `${SECTOR_BYTES} bytes of a block that was never finished, ${segment}, offset ${offset}`
}

/** Behind the last 4 KiB that are not zero; blocks are padded to that. 0: there is no block. */
export function endOfBlocks(path: string): number {
  const file = openSync(path, 'r')
  try {
    const piece = new Uint8Array(BLOCK_ALIGNMENT_BYTES)
    for (let end = fstatSync(file).size; end > SEGMENT_DATA; end -= piece.length) {
      readSync(file, piece, 0, piece.length, end - piece.length)
      if (!isZero(piece, 0, piece.length)) return end
    }
    return 0
  } finally {
    closeSync(file)
  }
}

function sizeOf(path: string): number {
  const file = openSync(path, 'r')
  try {
    return fstatSync(file).size
  } finally {
    closeSync(file)
  }
}
