/**
 * Small journals with events of many streams, in segments of a few KiB, and the plainest way to read
 * one stream: all blocks, all events.
 */
import { Catalogue, encodeCatalogueFrame } from '../../journal/catalogue.js'
import { FrameCursor } from '../../journal/frames.js'
import { JournalReader, type JournalReaderOptions } from '../../journal/journal-reader.js'
import { KEY_WINDOW_DEFAULT } from '../../journal/key-window.js'
import type { ReadBound } from '../../journal/known-segments.js'
import { alignWord, setU64 } from '../../journal/layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
} from '../../journal/record-layout.js'
import { writeRecordVersion } from '../../journal/record-version.js'
import { SEGMENT_DATA } from '../../journal/segment-layout.js'
import type { Storage } from '../../journal/storage.js'
import { buildStreamIndex } from '../../journal/stream-index-build.js'
import type { StreamIndexTask } from '../../journal/stream-index-task.js'
import { type IndexBuilder, StreamIndexes, type StreamPlace } from '../../journal/stream-indexes.js'
import { type BuilderOptions, JournalBuilder } from './journal-builder.js'
import type { SeededRandom } from './seeded-random.js'

/** Two aggregates, two types of event each. */
export const AGGREGATES = [16, 19]
const CATALOGUE = new Catalogue('streams', KEY_WINDOW_DEFAULT, [
  { number: 16, kind: 'aggregate', name: 'A', idType: 'u32' },
  { number: 17, kind: 'event', name: 'A1', aggregate: 'A', fields: [] },
  { number: 18, kind: 'event', name: 'A2', aggregate: 'A', fields: [] },
  { number: 19, kind: 'aggregate', name: 'B', idType: 'u32' },
  { number: 20, kind: 'event', name: 'B1', aggregate: 'B', fields: [] },
  { number: 21, kind: 'event', name: 'B2', aggregate: 'B', fields: [] },
  { number: 22, kind: 'command', name: 'Do' },
])
const COMMAND = 22
/** Of a block with the catalogue and 100 events. */
const BLOCK_ROOM_BYTES = 4096
const TIME_US = 1_700_000_000_000_000

export interface WrittenEvent extends StreamPlace {
  readonly sequence: number
}

export class StreamJournal {
  readonly builder: JournalBuilder
  readonly written: WrittenEvent[] = []
  private readonly versions = new Map<string, number>()

  constructor(options: BuilderOptions = {}) {
    this.builder = new JournalBuilder(options)
  }

  /** One block with an event of each of these streams, at most 100. */
  block(...streams: StreamPlace[]): this {
    const { builder } = this
    const fits = builder.fileOffset + BLOCK_ROOM_BYTES <= builder.segmentBytes
    if (!fits) builder.roll()
    const isFirst = builder.fileOffset === SEGMENT_DATA
    const preamble = isFirst ? [encodeCatalogueFrame(CATALOGUE, TIME_US)] : []
    builder.block({ events: streams.length, frames: [...preamble, this.frame(streams)] })
    return this
  }

  /** Up to `blocks` blocks of up to `events` events, of slots up to `slots`. */
  random(random: SeededRandom, blocks: number, events: number, slots: number): this {
    for (let block = 0; block < blocks; block++) {
      const stream = (): StreamPlace => ({
        aggregateNumber: AGGREGATES[random.below(2)] as number,
        slot: 1 + random.below(slots),
      })
      this.block(...Array.from({ length: random.below(events + 1) }, stream))
    }
    return this
  }

  get bound(): ReadBound {
    const { segmentNumber, fileOffset } = this.builder
    return { segmentNumber, fileOffset }
  }

  /** What a read of the stream must give. */
  sequencesOf({ aggregateNumber, slot }: StreamPlace): number[] {
    const isOf = (event: WrittenEvent): boolean =>
      event.aggregateNumber === aggregateNumber && event.slot === slot
    return this.written.filter(isOf).map(({ sequence }) => sequence)
  }

  private frame(streams: readonly StreamPlace[]): Uint8Array {
    const recordBytes = alignWord(RECORD_HEADER_BYTES)
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + streams.length * recordBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(FRAME_LENGTH, bytes.byteLength, true)
    view.setUint16(FRAME_COMMAND_TYPE, COMMAND, true)
    view.setUint16(FRAME_EVENT_COUNT, streams.length, true)
    setU64(view, FRAME_TIME, TIME_US)
    streams.forEach(({ aggregateNumber, slot }, index) => {
      const offset = FRAME_HEADER_BYTES + index * recordBytes
      const key = `${aggregateNumber}/${slot}`
      const version = (this.versions.get(key) ?? 0) + 1
      this.versions.set(key, version)
      const sequence = this.builder.sequence + index + 1
      this.written.push({ sequence, aggregateNumber, slot })
      view.setUint32(offset + RECORD_LENGTH, RECORD_HEADER_BYTES, true)
      view.setUint16(offset + RECORD_TYPE, aggregateNumber + 1 + (sequence % 2), true)
      view.setUint32(offset + RECORD_SLOT, slot, true)
      writeRecordVersion(view, offset, version)
    })
    return bytes
  }
}

const window = new ReadWindow()

/** Builds at once, where the journal is. */
export class PlainIndexBuilder implements IndexBuilder {
  readonly tasks: StreamIndexTask[] = []
  private readonly storage: Storage

  constructor(storage: Storage) {
    this.storage = storage
  }

  async run(task: StreamIndexTask): Promise<void> {
    this.tasks.push(task)
    buildStreamIndex(this.storage, task.segmentNumber, task.lastHash, window)
  }

  async close(): Promise<void> {}
}

export interface Indexes {
  readonly indexes: StreamIndexes
  readonly reports: string[]
  readonly tasks: readonly StreamIndexTask[]
}

export function indexesOf(storage: Storage): Indexes {
  const builder = new PlainIndexBuilder(storage)
  const reports: string[] = []
  const indexes = new StreamIndexes(storage, builder, (text) => void reports.push(text))
  return { indexes, reports, tasks: builder.tasks }
}

/** Sequences of the stream's events, as a reader with or without indexes finds them. */
export async function readStream(
  storage: Storage,
  stream: StreamPlace,
  bound: ReadBound,
  options: JournalReaderOptions = {},
): Promise<number[]> {
  const reader = new JournalReader(storage, options)
  const cursor = new FrameCursor()
  const sequences: number[] = []
  for await (const block of reader.blocks({ fromSequence: 1, bound, stream })) {
    cursor.reset(block.view, block.frameOffset, block.payloadBytes)
    let sequence = block.header.baseSequence
    while (cursor.nextFrame()) {
      while (cursor.nextRecord()) {
        if (!cursor.isEvent) continue
        const isOf =
          cursor.slot === stream.slot &&
          (cursor.recordType - 1 === stream.aggregateNumber ||
            cursor.recordType - 2 === stream.aggregateNumber)
        if (isOf) sequences.push(sequence)
        sequence++
      }
    }
  }
  reader.close()
  return sequences
}
