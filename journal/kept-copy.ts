/**
 * Copies of what is cut from a journal's end. They lie beside the segments, so that nothing is ever
 * thrown away by the engine: `0000000007.segment.torn-8192` holds what lay in segment 7 from offset
 * 8192 on.
 *
 * A copy that is complete also proves that the cut was decided: if the process dies while the bytes
 * are being zeroed, the next opening finds a copy of which some bytes are already zero in the
 * segment, and finishes the same cut.
 */
import type { ReadWindow } from './read-window.js'
import type { Storage, StorageFile } from './storage.js'

export interface CutPiece {
  readonly segmentIndex: number
  readonly file: string
  /** Of the first byte that is cut, a multiple of 4 KiB. */
  readonly from: number
  /** After the last byte that is not zero. */
  readonly to: number
}

const UNFINISHED_SUFFIX = '.new'
const COPY_NAME = /^(\d{10}\.segment)\.torn-(\d+)(?:-\d+)?$/

/** Where in a segment the bytes of a copy lay. */
interface KeptRange {
  readonly file: string
  readonly from: number
  readonly to: number
}

/** The name of a complete copy from which this piece is being zeroed, if there is one. */
export function findKeptCopy(
  storage: Storage,
  piece: CutPiece,
  window: ReadWindow,
): string | undefined {
  const names = storage.list()
  for (let ordinal = 1; names.includes(copyName(piece, ordinal)); ordinal++) {
    const name = copyName(piece, ordinal)
    if (isCopyOf(storage, piece, name, window)) return name
  }
  return undefined
}

/** Makes the copy, durably, unless there is one; returns its name. */
export function keepCopy(storage: Storage, piece: CutPiece, window: ReadWindow): string {
  const existing = findKeptCopy(storage, piece, window)
  if (existing !== undefined) return existing
  const names = storage.list()
  let ordinal = 1
  while (names.includes(copyName(piece, ordinal))) ordinal++
  const name = copyName(piece, ordinal)
  const temporary = `${name}${UNFINISHED_SUFFIX}`
  if (names.includes(temporary)) storage.remove(temporary)
  const source = storage.open(piece.file, 'read')
  try {
    const target = storage.open(temporary, 'create')
    try {
      copyPiece(source, target, piece, window)
      target.sync()
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
  storage.rename(temporary, name)
  storage.syncDirectory()
  return name
}

/** What all complete copies hold: everything that was ever cut. */
export function keptRanges(storage: Storage): KeptRange[] {
  const ranges: KeptRange[] = []
  for (const name of storage.list()) {
    const [, file, offset] = COPY_NAME.exec(name) ?? []
    if (file === undefined) continue
    const from = Number(offset)
    const copy = storage.open(name, 'read')
    try {
      ranges.push({ file, from, to: from + copy.sizeBytes() })
    } finally {
      copy.close()
    }
  }
  return ranges
}

function copyName(piece: CutPiece, ordinal: number): string {
  const name = `${piece.file}.torn-${piece.from}`
  return ordinal === 1 ? name : `${name}-${ordinal}`
}

function copyPiece(
  source: StorageFile,
  target: StorageFile,
  piece: CutPiece,
  window: ReadWindow,
): void {
  window.enter(source)
  for (let at = piece.from; at < piece.to; ) {
    const lengthBytes = Math.min(window.available(at), piece.to - at)
    const offset = window.locate(at, lengthBytes)
    target.write(window.bytes.subarray(offset, offset + lengthBytes), at - piece.from)
    at += lengthBytes
  }
}

/** Whether every byte of the piece is that of the copy, or zero. */
function isCopyOf(storage: Storage, piece: CutPiece, name: string, window: ReadWindow): boolean {
  const copy = storage.open(name, 'read')
  const source = storage.open(piece.file, 'read')
  try {
    if (copy.sizeBytes() < piece.to - piece.from) return false
    window.enter(source)
    for (let at = piece.from; at < piece.to; ) {
      const lengthBytes = Math.min(window.available(at), piece.to - at)
      const offset = window.locate(at, lengthBytes)
      const kept = new Uint8Array(lengthBytes)
      if (copy.read(kept, at - piece.from) !== lengthBytes) return false
      if (!isZeroedCopy(window.bytes, offset, kept)) return false
      at += lengthBytes
    }
    return true
  } finally {
    source.close()
    copy.close()
  }
}

function isZeroedCopy(bytes: Uint8Array, offset: number, kept: Uint8Array): boolean {
  for (let at = 0; at < kept.byteLength; at++) {
    const byte = bytes[offset + at]
    if (byte !== 0 && byte !== kept[at]) return false
  }
  return true
}
