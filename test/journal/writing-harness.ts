/**
 * What the tests of the journal's writing side share: temporary directories, frames, a storage that
 * records and fails, and a reader of blocks that trusts nothing but the layouts.
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, onTestFinished } from 'vitest'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_BASE_SEQUENCE,
  BLOCK_DURABILITY,
  BLOCK_EPOCH,
  BLOCK_EVENT_COUNT,
  BLOCK_FILE_OFFSET,
  BLOCK_FRAME_COUNT,
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CHECKSUM,
  BLOCK_JOURNAL_ID,
  BLOCK_MAGIC,
  BLOCK_NUMBER,
  BLOCK_PAYLOAD_BYTES,
  BLOCK_PAYLOAD_CHECKSUM,
  BLOCK_PREVIOUS_HASH,
  BLOCK_SEGMENT_NUMBER,
  BLOCK_SYNCED_THROUGH,
} from '../../journal/block-layout.js'
import { createDoorbell, Doorbell } from '../../journal/doorbell.js'
import {
  createEventRing,
  EVENT_RING_BYTES_MIN,
  EventRingReader,
  EventRingWriter,
} from '../../journal/event-ring.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { type JournalEnd, newJournalEnd } from '../../journal/journal-end.js'
import { Journaler, type JournalerOptions } from '../../journal/journaler.js'
import { getU64, setU64 } from '../../journal/layout.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  RECORD_HEADER_BYTES,
} from '../../journal/record-layout.js'
import { createSegment, randomSalt } from '../../journal/segment.js'
import {
  SEGMENT_BYTES_MIN,
  SEGMENT_DATA,
  SEGMENT_SALT,
  segmentName,
} from '../../journal/segment-layout.js'
import type { Storage, StorageFile } from '../../journal/storage.js'
import { createSyncedEdge, SyncedEdgeReader, SyncedEdgeWriter } from '../../journal/synced-edge.js'
import { SynchronousSegmentSource } from '../support/synchronous-segment-source.js'

export const JOURNAL_ID = Uint8Array.from({ length: 16 }, (_, index) => index + 1)

export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'tidewheel-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Small, seeded: the same numbers on every run of a seed. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * below)
  }
}

/** A transaction of `lengthBytes` with as many of the events as fit; its bytes depend on `mark`. */
export function makeFrame(lengthBytes: number, eventCount: number, mark: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes)
  const view = new DataView(bytes.buffer)
  for (let at = FRAME_HEADER_BYTES; at < lengthBytes; at++) bytes[at] = (mark * 31 + at) & 0xff
  view.setUint32(FRAME_LENGTH, lengthBytes, true)
  view.setUint16(FRAME_COMMAND_TYPE, 20, true)
  const eventsMax = Math.floor((lengthBytes - FRAME_HEADER_BYTES) / RECORD_HEADER_BYTES)
  view.setUint16(FRAME_EVENT_COUNT, Math.min(eventCount, eventsMax), true)
  setU64(view, FRAME_TIME, 1_700_000_000_000_000 + mark)
  return bytes
}

export function eventCountOf(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset).getUint16(FRAME_EVENT_COUNT, true)
}

/** Writes without publishing; false when the ring is full. */
export function putFrame(writer: EventRingWriter, frame: Uint8Array): boolean {
  if (!writer.makeRoom(frame.byteLength)) return false
  writer.bytes.set(frame, writer.offset)
  writer.advance(frame.byteLength)
  return true
}

export interface ParsedBlock {
  offset: number
  durability: number
  epoch: number
  segmentNumber: number
  blockNumber: number
  baseSequence: number
  frameCount: number
  eventCount: number
  payload: Uint8Array
  previousHash: Uint8Array
  syncedThrough: number
  hash: Uint8Array
}

/** All blocks of a segment; expects every byte after them, and between them, to be zero. */
export function parseSegment(path: string, number: number): ParsedBlock[] {
  const bytes = readFileSync(join(path, segmentName(number)))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const salt = view.getUint32(SEGMENT_SALT, true)
  const blocks: ParsedBlock[] = []
  let offset = SEGMENT_DATA
  while (offset < bytes.byteLength && view.getUint32(offset, true) === BLOCK_MAGIC) {
    const payloadBytes = view.getUint32(offset + BLOCK_PAYLOAD_BYTES, true)
    const end = offset + BLOCK_HEADER_BYTES + payloadBytes
    const payload = bytes.subarray(offset + BLOCK_HEADER_BYTES, end)
    expect(view.getUint32(offset + BLOCK_FILE_OFFSET, true)).toBe(offset)
    expect(view.getUint32(offset + BLOCK_SEGMENT_NUMBER, true)).toBe(number)
    expect(view.getUint32(offset + BLOCK_PAYLOAD_CHECKSUM, true)).toBe(crc32(payload, salt))
    expect(view.getUint32(offset + BLOCK_HEADER_CHECKSUM, true)).toBe(
      crc32(bytes.subarray(offset, offset + BLOCK_HEADER_CHECKSUM), salt),
    )
    const journalId = bytes.subarray(offset + BLOCK_JOURNAL_ID, offset + BLOCK_JOURNAL_ID + 16)
    expect([...journalId]).toEqual([...JOURNAL_ID])
    blocks.push({
      offset,
      durability: view.getUint8(offset + BLOCK_DURABILITY),
      epoch: view.getUint32(offset + BLOCK_EPOCH, true),
      segmentNumber: number,
      blockNumber: getU64(view, offset + BLOCK_NUMBER),
      baseSequence: getU64(view, offset + BLOCK_BASE_SEQUENCE),
      frameCount: view.getUint32(offset + BLOCK_FRAME_COUNT, true),
      eventCount: view.getUint32(offset + BLOCK_EVENT_COUNT, true),
      payload,
      previousHash: bytes.subarray(offset + BLOCK_PREVIOUS_HASH, offset + BLOCK_PREVIOUS_HASH + 32),
      syncedThrough: getU64(view, offset + BLOCK_SYNCED_THROUGH),
      hash: hashOf(bytes.subarray(offset, end)),
    })
    offset = Math.ceil(end / BLOCK_ALIGNMENT_BYTES) * BLOCK_ALIGNMENT_BYTES
    expect(bytes.subarray(end, offset).every((byte) => byte === 0)).toBe(true)
  }
  expect(bytes.subarray(offset).every((byte) => byte === 0)).toBe(true)
  return blocks
}

/** Blocks of segments `first` to `last`, with numbers, sequences and hashes checked as a chain. */
export function parseChain(path: string, last: number): ParsedBlock[] {
  const blocks: ParsedBlock[] = []
  for (let number = 1; number <= last; number++) blocks.push(...parseSegment(path, number))
  let sequence = 0
  let hash = new Uint8Array(32)
  blocks.forEach((block, index) => {
    expect(block.blockNumber).toBe(index + 1)
    expect(block.baseSequence).toBe(sequence + 1)
    expect(Buffer.compare(block.previousHash, hash)).toBe(0)
    sequence += block.eventCount
    hash = new Uint8Array(block.hash)
  })
  return blocks
}

export interface Operation {
  kind: 'create' | 'write' | 'sync' | 'truncate' | 'rename' | 'remove' | 'syncDirectory'
  name: string
  position: number
  lengthBytes: number
}

/** Records what reaches the disk, and fails where it is told to. */
export class ObservedStorage implements Storage {
  readonly operations: Operation[] = []
  /** Called before each operation; may throw. */
  before: (operation: Operation, index: number) => void = () => {}
  private readonly inner: Storage

  constructor(inner: Storage) {
    this.inner = inner
  }

  get path(): string {
    return this.inner.path
  }

  list(): string[] {
    return this.inner.list()
  }

  open(name: string, mode: 'read' | 'write' | 'create', options = {}): StorageFile {
    if (mode === 'create') this.note('create', name)
    const file = this.inner.open(name, mode, options)
    return {
      name,
      direct: file.direct,
      sizeBytes: () => file.sizeBytes(),
      isLinked: () => file.isLinked(),
      read: (buffer, position) => file.read(buffer, position),
      write: (buffer, position) => {
        this.note('write', name, position, buffer.byteLength)
        file.write(buffer, position)
      },
      sync: () => {
        this.note('sync', name)
        file.sync()
      },
      truncate: (sizeBytes) => {
        this.note('truncate', name, 0, sizeBytes)
        file.truncate(sizeBytes)
      },
      close: () => file.close(),
    }
  }

  rename(from: string, to: string): void {
    this.note('rename', to)
    this.inner.rename(from, to)
  }

  remove(name: string): void {
    this.note('remove', name)
    this.inner.remove(name)
  }

  syncDirectory(): void {
    this.note('syncDirectory', '')
    this.inner.syncDirectory()
  }

  freeBytes(): number {
    return this.inner.freeBytes()
  }

  private note(kind: Operation['kind'], name: string, position = 0, lengthBytes = 0): void {
    const operation = { kind, name, position, lengthBytes }
    this.operations.push(operation)
    this.before(operation, this.operations.length)
  }
}

export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code, syscall: 'write' })
}

export interface JournalUnderTest {
  path: string
  storage: ObservedStorage
  writer: EventRingWriter
  ring: EventRingReader
  edge: SyncedEdgeReader
  journaler: Journaler
}

export interface JournalTestOptions {
  durability?: 'disk' | 'os'
  preamble?: Uint8Array
  segmentBytes?: number
  direct?: boolean
  path?: string
  end?: JournalEnd
}

/** A new journal (or, with `end`, one that goes on) in a temporary directory. */
export function openJournal(options: JournalTestOptions = {}): JournalUnderTest {
  const path = options.path ?? temporaryDirectory()
  const { segmentBytes = SEGMENT_BYTES_MIN, direct = true } = options
  const inner = openFileStorage(path, { direct })
  if (options.end === undefined) {
    const header = { journalId: JOURNAL_ID, number: 1, sizeBytes: segmentBytes, salt: randomSalt() }
    createSegment(inner, header, 'sparse')
  }
  const storage = new ObservedStorage(inner)
  const memory = createEventRing(EVENT_RING_BYTES_MIN)
  const edge = createSyncedEdge()
  const ring = new EventRingReader(memory)
  const journalerOptions: JournalerOptions = {
    storage,
    ring,
    segments: new SynchronousSegmentSource(storage, JOURNAL_ID, segmentBytes),
    edge: new SyncedEdgeWriter(edge),
    doorbell: new Doorbell(createDoorbell()),
    end: options.end ?? newJournalEnd(JOURNAL_ID),
    preamble: options.preamble ?? new Uint8Array(0),
    durability: options.durability ?? 'disk',
    direct,
  }
  return {
    path,
    storage,
    writer: new EventRingWriter(memory),
    ring: new EventRingReader(memory),
    edge: new SyncedEdgeReader(edge),
    journaler: new Journaler(journalerOptions),
  }
}

function hashOf(block: Uint8Array): Buffer {
  const digest = createHash('sha256').update(block).digest()
  const previous = block.subarray(BLOCK_PREVIOUS_HASH, BLOCK_PREVIOUS_HASH + 32)
  return createHash('sha256').update(previous).update(digest).digest()
}
