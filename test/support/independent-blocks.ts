/**
 * A second implementation of how a journal's files are read, up to its good blocks and to the
 * decision about its end, by docs/file-format.md alone, to prove that the page is enough. So it
 * imports nothing of tidewheel, and its numbers are those of the page.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { frameDamage } from './independent-frames.js'
import { Damage, damaged, roundUp, seededCrc32 } from './independent-values.js'

export type IndependentFiles = ReadonlyMap<string, Uint8Array>

export interface IndependentBlock {
  readonly segment: number
  readonly offset: number
  readonly durability: number
  readonly epoch: number
  readonly number: number
  readonly baseSequence: number
  readonly frameCount: number
  readonly eventCount: number
  readonly previousHash: string
  readonly hash: string
  readonly syncedThrough: number
  readonly payload: Buffer
}

export interface IndependentReading {
  readonly journalId: string
  readonly blocks: readonly IndependentBlock[]
  /** `none`: there is no journal. */
  readonly ending: 'end' | 'cut' | 'refuse' | 'none'
  /** Row of the decision table; 0 where the files themselves are refused. */
  readonly row: number
}

interface Segment {
  readonly name: string
  readonly number: number
  readonly bytes: Buffer
  readonly journalId: string
  readonly salt: number
}

interface Header extends Omit<IndependentBlock, 'hash' | 'payload' | 'segment' | 'offset'> {
  readonly journalId: string
  readonly segment: number
  readonly fileOffset: number
  readonly payloadBytes: number
  readonly payloadChecksum: number
}

interface Stop {
  readonly index: number
  readonly offset: number
  readonly misplaced: boolean
  readonly header: Header | undefined
}

export function readIndependently(files: IndependentFiles): IndependentReading {
  try {
    const segments = findSegments(files)
    const { blocks, stop } = walk(segments)
    const journalId = segments[0]?.journalId ?? ''
    if (segments.length === 0) return { journalId, blocks, ending: 'none', row: 0 }
    return { journalId, blocks, ...decide(files, segments, blocks, stop) }
  } catch (error) {
    if (!(error instanceof Damage)) throw error
    return { journalId: '', blocks: [], ending: 'refuse', row: 0 }
  }
}

// Files.

function findSegments(files: IndependentFiles): Segment[] {
  const manifest = readManifest(files)
  const names = [...files.keys()].filter((name) => /^\d{10}\.segment$/.test(name)).sort()
  const found = names.filter((name) => Number.parseInt(name, 10) > 0)
  const newest = found.at(-1)
  if (newest !== undefined && isLeftover(files, newest, manifest.highest)) found.pop()
  if (found.length === 0 && manifest.isThere) damaged('segment 1 is missing')
  let journalId = manifest.journalId
  const segments = found.map((name, index) => {
    const bytes = Buffer.from(files.get(name) as Uint8Array)
    const copies = [0, 4096].map((at) => readSegmentHeader(bytes.subarray(at, at + 4096)))
    const [first, second] = copies
    const header = first ?? second ?? damaged('both headers are bad')
    if (first !== undefined && second !== undefined && !first.equals(second)) damaged('differ')
    const number = header.readUInt32LE(24)
    if (number !== index + 1 || Number.parseInt(name, 10) !== number) damaged('a number')
    if (header.readUInt32LE(28) !== bytes.length) damaged('a size')
    const id = header.toString('hex', 8, 24)
    journalId ??= id
    if (id !== journalId) damaged('a foreign segment')
    return { name, number, bytes, journalId: id, salt: header.readUInt32LE(32) }
  })
  if (segments.length < manifest.highest) damaged('the newest segment is missing')
  return segments
}

/** A file that is missing or bad says nothing. */
function readManifest(files: IndependentFiles): {
  isThere: boolean
  journalId: string | undefined
  highest: number
} {
  const given = files.get('manifest')
  const nothing = { isThere: given !== undefined, journalId: undefined, highest: 0 }
  if (given === undefined || given.length !== 32) return nothing
  const bytes = Buffer.from(given)
  if (bytes.toString('latin1', 0, 4) !== 'TWMF') return nothing
  if (bytes.readUInt32LE(28) !== seededCrc32(bytes.subarray(0, 28), 0)) return nothing
  refuseLaterFormat(bytes)
  const highest = bytes.readUInt32LE(24)
  if (bytes.readUInt16LE(4) !== 1 || bytes.readUInt16LE(6) !== 0 || highest === 0) return nothing
  return { isThere: true, journalId: bytes.toString('hex', 8, 24), highest }
}

/** The 64 bytes of a good copy. */
function readSegmentHeader(copy: Buffer): Buffer | undefined {
  if (copy.length < 4096 || copy.toString('latin1', 0, 4) !== 'TWSG') return undefined
  if (copy.readUInt32LE(60) !== seededCrc32(copy.subarray(0, 60), 0)) return undefined
  refuseLaterFormat(copy)
  const isZero = allZero(copy, 36, 60) && allZero(copy, 64, 4096)
  if (copy.readUInt16LE(4) !== 1 || copy.readUInt16LE(6) !== 0 || !isZero) return undefined
  const size = copy.readUInt32LE(28)
  const isPossible = size > 8192 && size <= 2 ** 31 && size % 4096 === 0
  return copy.readUInt32LE(24) >= 1 && isPossible ? copy.subarray(0, 64) : undefined
}

function isLeftover(files: IndependentFiles, name: string, highest: number): boolean {
  if (Number.parseInt(name, 10) <= highest) return false
  const bytes = Buffer.from(files.get(name) as Uint8Array)
  const copies = [0, 4096].map((at) => readSegmentHeader(bytes.subarray(at, at + 4096)))
  const header = copies[0] ?? copies[1]
  const isWhole = header !== undefined && bytes.length >= header.readUInt32LE(28)
  return !isWhole && allZero(bytes, 8192, bytes.length)
}

function refuseLaterFormat(header: Buffer): void {
  if (header.readUInt16LE(4) > 1) damaged('a later format')
}

function allZero(bytes: Buffer, from: number, to: number): boolean {
  return endOfUse(bytes, from, to) === from
}

/** Behind the last byte that is not zero, or `from`. */
function endOfUse(bytes: Buffer, from: number, to = bytes.length): number {
  let end = Math.max(from, to)
  while (end > from && bytes[end - 1] === 0) end--
  return end
}

// Blocks.

function readHeader(segment: Segment, offset: number): Header | undefined {
  const bytes = segment.bytes.subarray(offset, offset + 128)
  if (bytes.length < 128 || bytes.toString('latin1', 0, 4) !== 'TWBK') return undefined
  if (bytes.readUInt32LE(124) !== seededCrc32(bytes.subarray(0, 124), segment.salt)) {
    return undefined
  }
  refuseLaterFormat(bytes)
  if (bytes.readUInt16LE(4) !== 1 || bytes[7] !== 0 || !allZero(bytes, 104, 120)) return undefined
  const u64 = (at: number): number => Number(bytes.readBigUInt64LE(at))
  const header: Header = {
    durability: bytes.readUInt8(6),
    journalId: bytes.toString('hex', 8, 24),
    epoch: bytes.readUInt32LE(24),
    segment: bytes.readUInt32LE(28),
    number: u64(32),
    baseSequence: u64(40),
    frameCount: bytes.readUInt32LE(48),
    eventCount: bytes.readUInt32LE(52),
    payloadBytes: bytes.readUInt32LE(56),
    fileOffset: bytes.readUInt32LE(60),
    previousHash: bytes.toString('hex', 64, 96),
    syncedThrough: u64(96),
    payloadChecksum: bytes.readUInt32LE(120),
  }
  return isPossible(header) ? header : undefined
}

function isPossible(header: Header): boolean {
  const { baseSequence, epoch, eventCount, fileOffset, frameCount, number, payloadBytes } = header
  return (
    [1, 2].includes(header.durability) &&
    Math.min(epoch, header.segment, number, baseSequence, frameCount) >= 1 &&
    Math.max(number, baseSequence + eventCount) <= Number.MAX_SAFE_INTEGER &&
    header.syncedThrough < number &&
    payloadBytes <= 1_048_448 &&
    payloadBytes % 8 === 0 &&
    (frameCount + eventCount) * 16 <= payloadBytes &&
    fileOffset % 4096 === 0 &&
    fileOffset >= 8192 &&
    fileOffset < 2 ** 31
  )
}

function isWrittenFor(header: Header, segment: Segment, offset: number): boolean {
  return (
    header.journalId === segment.journalId &&
    header.segment === segment.number &&
    header.fileOffset === offset
  )
}

function walk(segments: readonly Segment[]): { blocks: IndependentBlock[]; stop?: Stop } {
  const blocks: IndependentBlock[] = []
  let hasEnded = false
  for (const [index, segment] of segments.entries()) {
    const before = blocks.length
    for (let offset = 8192; offset < segment.bytes.length; ) {
      const found = readBlock(segment, offset, blocks.at(-1))
      if (typeof found === 'string' || hasEnded) {
        if (allZero(segment.bytes, offset, segment.bytes.length)) break
        const misplaced = found !== 'unreadable'
        return { blocks, stop: { index, offset, misplaced, header: readHeader(segment, offset) } }
      }
      blocks.push(found)
      offset += roundUp(128 + found.payload.length, 4096)
    }
    hasEnded ||= blocks.length === before
  }
  return { blocks }
}

function readBlock(
  segment: Segment,
  offset: number,
  last: IndependentBlock | undefined,
): IndependentBlock | 'unreadable' | 'misplaced' {
  const header = readHeader(segment, offset)
  if (header === undefined) return 'unreadable'
  const end = offset + 128 + header.payloadBytes
  if (
    !isWrittenFor(header, segment, offset) ||
    header.number !== (last?.number ?? 0) + 1 ||
    header.baseSequence !== (last?.baseSequence ?? 1) + (last?.eventCount ?? 0) ||
    header.epoch < (last?.epoch ?? 1) ||
    roundUp(end, 4096) > segment.bytes.length
  ) {
    return 'misplaced'
  }
  const payload = segment.bytes.subarray(offset + 128, end)
  if (seededCrc32(payload, segment.salt) !== header.payloadChecksum) return 'unreadable'
  if (frameDamage(payload, header.frameCount, header.eventCount)) return 'misplaced'
  const digest = createHash('sha256').update(segment.bytes.subarray(offset, end)).digest()
  const previousHash = segment.bytes.subarray(offset + 64, offset + 96)
  const hash = createHash('sha256').update(previousHash).update(digest).digest('hex')
  return { ...header, offset, hash, payload }
}

// The end.

function decide(
  files: IndependentFiles,
  segments: readonly Segment[],
  blocks: readonly IndependentBlock[],
  stop: Stop | undefined,
): { ending: 'end' | 'cut' | 'refuse'; row: number } {
  if (stop === undefined) return { ending: 'end', row: 1 }
  const k = blocks.length + 1
  const pieces: { segment: Segment; from: number; to: number }[] = []
  const later: Header[] = []
  let hasStray = false
  let isOs = blocks.at(-1)?.durability === 2
  for (const [index, segment] of segments.entries()) {
    if (index < stop.index) continue
    const from = index === stop.index ? stop.offset : 8192
    const to = endOfUse(segment.bytes, from)
    if (to > from) pieces.push({ segment, from, to })
    for (let at = from; at < to; at += 4096) {
      const header = readHeader(segment, at)
      if (header === undefined) continue
      const isInPlace = isWrittenFor(header, segment, at)
      const isItself = isInPlace && at === from && index === stop.index && header.number === k
      if (isItself || (isInPlace && header.number > k)) isOs ||= header.durability === 2
      else hasStray = true
      if (isInPlace && header.number > k) later.push(header)
    }
  }
  const { header } = stop
  const isLaterBlock =
    header !== undefined && header.number > k && header.fileOffset === stop.offset
  const flightBytes = header === undefined ? 1024 * 1024 : roundUp(128 + header.payloadBytes, 4096)
  const [piece] = pieces
  if (later.some(({ syncedThrough }) => syncedThrough >= k)) return { ending: 'refuse', row: 2 }
  if (stop.misplaced && !isLaterBlock) return { ending: 'refuse', row: 3 }
  if (hasStray) return { ending: 'refuse', row: 4 }
  if (pieces.every(({ segment, from, to }) => hasCopy(files, segment, from, to))) {
    return { ending: 'cut', row: 5 }
  }
  if (isOs) return { ending: 'cut', row: 6 }
  if (later.length > 0) return { ending: 'refuse', row: 7 }
  const isOneWrite =
    pieces.length === 1 &&
    piece !== undefined &&
    piece.segment === segments[stop.index] &&
    piece.to <= stop.offset + flightBytes
  return isOneWrite ? { ending: 'cut', row: 8 } : { ending: 'refuse', row: 9 }
}

function hasCopy(files: IndependentFiles, segment: Segment, from: number, to: number): boolean {
  for (let ordinal = 1; ; ordinal++) {
    const suffix = ordinal === 1 ? '' : `-${ordinal}`
    const copy = files.get(`${segment.name}.torn-${from}${suffix}`)
    if (copy === undefined) return false
    const piece = segment.bytes.subarray(from, to)
    const isCopy = piece.every((byte, i) => byte === 0 || byte === copy[i])
    if (copy.length >= piece.length && isCopy) return true
  }
}
