/**
 * Builds small journals byte by byte, through the layouts, so that the reading side is tested
 * without the writing side. Each event carries its own sequence, which proves what was read.
 */
import { blockHash, writeBlockHeader } from '../../journal/block-header.js'
import {
  BLOCK_HEADER_BYTES,
  DURABILITY_DISK,
  HASH_BYTES,
  paddedBlockBytes,
} from '../../journal/block-layout.js'
import { setU64 } from '../../journal/layout.js'
import { writeManifest } from '../../journal/manifest.js'
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  SEAL_RECORD,
  SYSTEM_COMMAND,
} from '../../journal/record-layout.js'
import { writeRecordVersion } from '../../journal/record-version.js'
import { encodeSegmentHeader } from '../../journal/segment-header.js'
import { SEGMENT_DATA, SEGMENT_SECOND_HEADER, segmentName } from '../../journal/segment-layout.js'
import { MemoryStorage } from './memory-storage.js'

export interface BuilderOptions {
  segmentBytes?: number
  durability?: number
  journalId?: Uint8Array
  /** Makes the salts: another seed, another journal. */
  seed?: number
}

export interface BlockOptions {
  events?: number
  /** Of each event's payload; at least 8. */
  payloadBytes?: number
  /** Default: the block before. */
  syncedThrough?: number
  durability?: number
  seal?: boolean
  /** Whole frames, instead of one that is made up. */
  frames?: readonly Uint8Array[]
}

export interface BuiltBlock {
  readonly number: number
  readonly file: string
  readonly offset: number
  readonly lengthBytes: number
  /** Header and payload. */
  readonly usedBytes: number
  readonly firstSequence: number
  readonly events: number
}

const EVENT_PAYLOAD_BYTES = 16
const COMMAND_TYPE = 7
const FIRST_TIME_US = 1_700_000_000_000_000

export class JournalBuilder {
  readonly storage = new MemoryStorage()
  readonly journalId: Uint8Array
  readonly segmentBytes: number
  readonly built: BuiltBlock[] = []
  epoch = 1
  segmentNumber = 0
  fileOffset = 0
  blockNumber = 0
  sequence = 0
  previousHash: Uint8Array = new Uint8Array(HASH_BYTES)
  private readonly durability: number
  private readonly seed: number

  constructor(options: BuilderOptions = {}) {
    this.segmentBytes = options.segmentBytes ?? 16 * 1024
    this.durability = options.durability ?? DURABILITY_DISK
    this.seed = options.seed ?? 1
    this.journalId = options.journalId ?? new Uint8Array(16).fill(this.seed)
    this.roll()
  }

  salt(number: number): number {
    return (Math.imul(this.seed * 1000 + number, 0x9e3779b1) ^ 0x5bd1e995) >>> 0
  }

  /** A segment with headers and zeros. */
  prepare(number: number): this {
    const { journalId, segmentBytes: sizeBytes } = this
    const bytes = new Uint8Array(sizeBytes)
    const copy = encodeSegmentHeader({ journalId, number, sizeBytes, salt: this.salt(number) })
    bytes.set(copy, 0)
    bytes.set(copy, SEGMENT_SECOND_HEADER)
    this.storage.files.set(segmentName(number), bytes)
    return this
  }

  roll(): this {
    this.segmentNumber++
    this.fileOffset = SEGMENT_DATA
    if (!this.storage.files.has(segmentName(this.segmentNumber))) this.prepare(this.segmentNumber)
    const { journalId, segmentNumber: highestSegment } = this
    writeManifest(this.storage, { journalId, highestSegment })
    return this
  }

  block(options: BlockOptions = {}): this {
    const events = options.seal === true ? 0 : (options.events ?? 2)
    const payloadBytes = options.payloadBytes ?? EVENT_PAYLOAD_BYTES
    const made = () => (options.seal === true ? sealFrame() : this.frame(events, payloadBytes))
    const frames = options.frames ?? [made()]
    const payload = Buffer.concat(frames)
    const lengthBytes = paddedBlockBytes(payload.byteLength)
    if (this.fileOffset + lengthBytes > this.segmentBytes) this.roll()
    const usedBytes = BLOCK_HEADER_BYTES + payload.byteLength
    const bytes = new Uint8Array(usedBytes)
    bytes.set(payload, BLOCK_HEADER_BYTES)
    this.blockNumber++
    const { segmentNumber, blockNumber, fileOffset: offset, epoch, journalId, previousHash } = this
    writeBlockHeader(
      bytes,
      {
        durability: options.durability ?? this.durability,
        journalId,
        epoch,
        segmentNumber,
        blockNumber,
        baseSequence: this.sequence + 1,
        frameCount: frames.length,
        eventCount: events,
        payloadBytes: payload.byteLength,
        fileOffset: offset,
        previousHash,
        syncedThrough: options.syncedThrough ?? blockNumber - 1,
      },
      this.salt(segmentNumber),
    )
    const file = segmentName(segmentNumber)
    this.storage.bytesOf(file).set(bytes, offset)
    const firstSequence = this.sequence + 1
    this.built.push({
      number: blockNumber,
      file,
      offset,
      lengthBytes,
      usedBytes,
      firstSequence,
      events,
    })
    this.previousHash = blockHash(bytes)
    this.sequence += events
    this.fileOffset += lengthBytes
    return this
  }

  seal(): this {
    return this.block({ seal: true })
  }

  /** The block with this number. */
  at(number: number): BuiltBlock {
    return this.built[number - 1] as BuiltBlock
  }

  /** Bytes of the file that holds a block. */
  bytesAround(number: number): Uint8Array {
    return this.storage.bytesOf(this.at(number).file)
  }

  private frame(events: number, payloadBytes: number): Uint8Array {
    const recordBytes = RECORD_HEADER_BYTES + payloadBytes
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + events * recordBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(FRAME_LENGTH, bytes.byteLength, true)
    view.setUint16(FRAME_COMMAND_TYPE, COMMAND_TYPE, true)
    view.setUint16(FRAME_EVENT_COUNT, events, true)
    setU64(view, FRAME_TIME, FIRST_TIME_US + this.blockNumber)
    for (let event = 0; event < events; event++) {
      const offset = FRAME_HEADER_BYTES + event * recordBytes
      view.setUint32(offset + RECORD_LENGTH, recordBytes, true)
      view.setUint16(offset + RECORD_TYPE, FIRST_CATALOGUED_TYPE, true)
      view.setUint32(offset + RECORD_SLOT, 1, true)
      writeRecordVersion(view, offset, this.sequence + event + 1)
      bytes.fill(0xa5, offset + RECORD_HEADER_BYTES, offset + recordBytes)
      setU64(view, offset + RECORD_HEADER_BYTES, this.sequence + event + 1)
    }
    return bytes
  }
}

function sealFrame(): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + RECORD_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(FRAME_LENGTH, bytes.byteLength, true)
  view.setUint16(FRAME_COMMAND_TYPE, SYSTEM_COMMAND, true)
  setU64(view, FRAME_TIME, FIRST_TIME_US)
  view.setUint32(FRAME_HEADER_BYTES + RECORD_LENGTH, RECORD_HEADER_BYTES, true)
  view.setUint16(FRAME_HEADER_BYTES + RECORD_TYPE, SEAL_RECORD, true)
  return bytes
}

/** Segments of two or three blocks each, sealed, and one prepared ahead. */
export function sealedJournal(options: BuilderOptions = {}, blocks = 5): JournalBuilder {
  const builder = new JournalBuilder(options)
  for (let block = 0; block < blocks; block++) builder.block({ events: 2 + (block % 2) })
  builder.seal()
  return builder.prepare(builder.segmentNumber + 1)
}
