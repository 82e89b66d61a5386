/**
 * The limit of recovery: one hand-written loop over the files of the same journal, in a process that
 * has just started.
 *
 * Included: reading the files in pieces, the checksums of headers and payloads, ids → slots, every
 * event's version, the balances, and a sweep ahead that touches the slots of the next 128 frames.
 * Left out: the lock, the manifest, damaged tails, the zeros behind the last block, the hash chain
 * (the engine leaves that to `verify`), checks of payloads, starting threads.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import {
  BLOCK_HEADER_BYTES,
  BLOCK_HEADER_CHECKSUM,
  BLOCK_MAGIC,
  BLOCK_MAGIC_OFFSET,
  BLOCK_PAYLOAD_BYTES,
  BLOCK_PAYLOAD_CHECKSUM,
  paddedBlockBytes,
} from '../../journal/block-layout.js'
import { readCatalogueRecord } from '../../journal/catalogue.js'
import {
  CATALOGUE_RECORD,
  FIRST_CATALOGUED_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  RECORD_VERSION,
  STREAM_OPENED_ID,
  STREAM_OPENED_RECORD,
} from '../../journal/record-layout.js'
import { SEGMENT_DATA, SEGMENT_SALT } from '../../journal/segment-layout.js'
import type { Contender } from '../benchmark.js'
import type { RecoveryResult } from '../recovery-engine.js'
import type { RecoveryJournal } from '../recovery-journal.js'
import { INITIAL_BALANCE } from '../transfer-workload.js'

const WINDOW_BYTES = 4 * 1024 * 1024
const FRAMES_AHEAD = 128
const SLOT_WORDS = 4
const SLOT_DOUBLES = 2

export async function prepare(journal: RecoveryJournal): Promise<Contender<RecoveryResult>> {
  return {
    async round() {
      const startedMs = performance.now()
      const loop = new RecoveryLoop(journal.accounts)
      loop.run(journal.directory)
      const seconds = (performance.now() - startedMs) / 1000
      loop.verify(journal)
      return { openSeconds: seconds, replaySeconds: seconds }
    },
    async end() {
      // Each round has checked itself.
    },
  }
}

export class RecoveryLoop {
  private readonly window = Buffer.alloc(WINDOW_BYTES)
  private readonly view = new DataView(
    this.window.buffer,
    this.window.byteOffset,
    this.window.length,
  )
  /** Account → slot. */
  readonly index: Int32Array
  /** Of the slots; all their words. */
  readonly versions: Int32Array
  private readonly doubles: Float64Array
  /** The number of this event's type. */
  credited = 0
  private events = 0
  /** Keeps the touching loop from being optimised away. */
  touched = 0

  constructor(accounts: number) {
    this.index = new Int32Array(accounts)
    this.versions = new Int32Array((accounts + 1) * SLOT_WORDS)
    this.doubles = new Float64Array(this.versions.buffer)
  }

  /** From the first segment on, or from a block in another one. */
  run(directory: string, firstSegment = 1, fileOffset = SEGMENT_DATA): void {
    const names = readdirSync(directory).filter((name) => name.endsWith('.segment'))
    let start = fileOffset
    for (const name of names.sort().slice(firstSegment - 1)) {
      this.readSegment(join(directory, name), start)
      start = SEGMENT_DATA
    }
  }

  verify({ accounts, events }: Pick<RecoveryJournal, 'accounts' | 'events'>): void {
    if (this.events !== events) throw new Error(`${this.events} events of ${events}`)
    let sum = 0
    for (let account = 0; account < accounts; account++) {
      sum += this.doubles[this.index[account]! * SLOT_DOUBLES + 1]!
    }
    if (sum !== accounts * INITIAL_BALANCE) throw new Error(`the balances add up to ${sum}`)
  }

  private readSegment(file: string, start: number): void {
    const { window, view } = this
    const fd = openSync(file, 'r')
    const sizeBytes = fstatSync(fd).size
    readSync(fd, window, 0, SEGMENT_DATA, 0)
    const salt = view.getUint32(SEGMENT_SALT, true)
    let fileOffset = start
    let at = 0
    let end = 0
    const fill = (): void => {
      window.copyWithin(0, at, end)
      end -= at
      at = 0
      const read = readSync(
        fd,
        window,
        end,
        Math.min(WINDOW_BYTES - end, sizeBytes - fileOffset),
        fileOffset,
      )
      fileOffset += read
      end += read
    }
    for (;;) {
      if (end - at < BLOCK_HEADER_BYTES) fill()
      if (end - at < BLOCK_HEADER_BYTES) break
      if (view.getUint32(at + BLOCK_MAGIC_OFFSET, true) !== BLOCK_MAGIC) break
      const payloadBytes = view.getUint32(at + BLOCK_PAYLOAD_BYTES, true)
      const blockBytes = paddedBlockBytes(payloadBytes)
      if (end - at < blockBytes) fill()
      this.readBlock(at, payloadBytes, salt)
      at += blockBytes
    }
    closeSync(fd)
  }

  private readBlock(block: number, payloadBytes: number, salt: number): void {
    const { window, view } = this
    const payload = block + BLOCK_HEADER_BYTES
    const end = payload + payloadBytes
    const header = window.subarray(block, block + BLOCK_HEADER_CHECKSUM)
    if (crc32(header, salt) !== view.getUint32(block + BLOCK_HEADER_CHECKSUM, true)) {
      throw new Error('a block header is damaged')
    }
    if (
      crc32(window.subarray(payload, end), salt) !==
      view.getUint32(block + BLOCK_PAYLOAD_CHECKSUM, true)
    ) {
      throw new Error('a block is damaged')
    }
    let ahead = payload
    let untilTouch = 0
    for (let frame = payload; frame < end; ) {
      if (untilTouch-- === 0) {
        ahead = this.touch(ahead, end)
        untilTouch = FRAMES_AHEAD - 1
      }
      const next = frame + view.getUint32(frame + FRAME_LENGTH, true)
      this.apply(frame + FRAME_HEADER_BYTES, next)
      this.events += view.getUint16(frame + FRAME_EVENT_COUNT, true)
      frame = next
    }
  }

  /** Returns the frame after those that it has touched. */
  private touch(from: number, end: number): number {
    const { view, versions } = this
    let touched = 0
    let frame = from
    for (let i = 0; i < FRAMES_AHEAD && frame < end; i++) {
      const next = frame + view.getUint32(frame + FRAME_LENGTH, true)
      for (let record = frame + FRAME_HEADER_BYTES; record < next; ) {
        touched += versions[view.getUint32(record + RECORD_SLOT, true) * SLOT_WORDS]!
        record += (view.getUint32(record + RECORD_LENGTH, true) + 7) & -8
      }
      frame = next
    }
    this.touched = touched
    return frame
  }

  private apply(first: number, end: number): void {
    const { view, versions, doubles, credited } = this
    for (let record = first; record < end; ) {
      const type = view.getUint16(record + RECORD_TYPE, true)
      const slot = view.getUint32(record + RECORD_SLOT, true)
      if (type >= FIRST_CATALOGUED_TYPE) {
        const version = ++versions[slot * SLOT_WORDS]!
        if (version !== view.getUint32(record + RECORD_VERSION, true)) {
          throw new Error('an event is missing')
        }
        const amount = view.getFloat64(record + RECORD_HEADER_BYTES, true)
        if (type === credited) doubles[slot * SLOT_DOUBLES + 1]! += amount
        else doubles[slot * SLOT_DOUBLES + 1]! -= amount
      } else if (type === STREAM_OPENED_RECORD) {
        this.index[view.getUint32(record + STREAM_OPENED_ID, true)] = slot
      } else if (type === CATALOGUE_RECORD) this.readCatalogue(record)
      record += (view.getUint32(record + RECORD_LENGTH, true) + 7) & -8
    }
  }

  private readCatalogue(record: number): void {
    const payloadBytes = this.view.getUint32(record + RECORD_LENGTH, true) - RECORD_HEADER_BYTES
    const catalogue = readCatalogueRecord(this.view, record + RECORD_HEADER_BYTES, payloadBytes)
    const entry = catalogue.entries.find(({ name }) => name === 'Credited')
    this.credited = entry!.number
  }
}
