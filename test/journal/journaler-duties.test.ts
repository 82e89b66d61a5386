/** When the journaler syncs, releases and seals, at each level of durability. */

import { describe, expect, it } from 'vitest'
import { BLOCK_PAYLOAD_BYTES_MAX } from '../../journal/block-layout.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { newJournalEnd } from '../../journal/journal-end.js'
import { SEAL_IDLE_MS, SYNC_INTERVAL_MS } from '../../journal/journaler.js'
import { writeManifest } from '../../journal/manifest.js'
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_HEADER_BYTES,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_TYPE,
  TRANSACTION_BYTES_MAX,
} from '../../journal/record-layout.js'
import { SEGMENT_DATA } from '../../journal/segment-layout.js'
import { opened, recover } from '../support/recover.js'
import { isSeal, makePreamble } from './journaler-frames.js'
import {
  JOURNAL_ID,
  makeFrame,
  openJournal,
  type ParsedBlock,
  parseChain,
  putFrame,
} from './writing-harness.js'

/** A transaction that recovery can read: one event, as long as the frame allows. */
function oneEvent(lengthBytes: number): Uint8Array {
  const frame = makeFrame(lengthBytes, 1, 1)
  const view = new DataView(frame.buffer)
  frame.fill(0, FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + RECORD_HEADER_BYTES)
  view.setUint32(FRAME_HEADER_BYTES + RECORD_LENGTH, lengthBytes - FRAME_HEADER_BYTES, true)
  view.setUint16(FRAME_HEADER_BYTES + RECORD_TYPE, FIRST_CATALOGUED_TYPE, true)
  return frame
}

describe('journaler: durability', () => {
  it.each(['disk', 'os'] as const)(
    'journaler: released only after the write (%s, not direct)',
    (durability) => {
      const { journaler, writer, storage, ring, edge } = openJournal({ durability, direct: false })
      const atOperation: string[] = []
      storage.before = ({ kind }) => {
        atOperation.push(`${kind} ${ring.syncedPosition()} ${edge.read().blockNumber}`)
      }
      for (let mark = 0; mark < 2; mark++) {
        putFrame(writer, makeFrame(64, 1, mark))
        writer.publish()
        journaler.step()
      }
      expect(ring.syncedPosition()).toBe(128)
      expect(atOperation).toEqual(
        durability === 'disk'
          ? ['write 0 0', 'sync 0 0', 'write 64 1', 'sync 64 1']
          : ['write 0 0', 'sync 0 0', 'write 64 1'],
      )
    },
  )

  it('journaler: syncs once a second while blocks come (os)', () => {
    const { journaler, writer, storage, path } = openJournal({ durability: 'os' })
    for (let nowMs = 0; nowMs <= 3500; nowMs += 100) {
      putFrame(writer, makeFrame(64, 1, nowMs))
      writer.publish()
      journaler.step()
      journaler.tick(nowMs)
      expect(journaler.nextDutyMs(nowMs)).toBeLessThanOrEqual(SEAL_IDLE_MS)
    }
    const syncs = storage.operations.filter(({ kind }) => kind === 'sync')
    // The first block at once, then one a second.
    expect(syncs).toHaveLength(4)
    const marks = parseChain(path, 1).map((block) => block.syncedThrough)
    expect(marks.slice(0, 12)).toEqual([0, ...new Array<number>(11).fill(1)])
    expect(marks[12]).toBe(12)
    expect(SYNC_INTERVAL_MS).toBe(1000)
  })

  it('journaler: what is lost of a session at level os behind one at level disk can be cut', () => {
    const first = openJournal({ segmentBytes: 4 * 1024 * 1024 })
    putFrame(first.writer, oneEvent(64))
    first.writer.publish()
    first.journaler.close()
    const { path } = first
    writeManifest(openFileStorage(path), { journalId: JOURNAL_ID, highestSegment: 1 })
    const { end } = opened(recover(openFileStorage(path), { durability: 'os' }))
    const { writer, journaler, storage } = openJournal({ path, end, durability: 'os' })
    for (let block = 0; block < 3; block++) {
      putFrame(writer, oneEvent(500_000))
      writer.publish()
      journaler.step()
    }
    // The power fails: of what was written since the last sync, the headers are lost.
    const synced = storage.operations.findLastIndex(({ kind }) => kind === 'sync')
    const file = openFileStorage(path).open('0000000001.segment', 'write')
    for (const { kind, position } of storage.operations.slice(synced + 1)) {
      if (kind === 'write') file.write(new Uint8Array(4096), position)
    }
    file.close()
    const { report } = opened(recover(openFileStorage(path), { durability: 'os' }))
    expect(report.blocks).toBe(3)
    expect(report.cut?.reason).toContain("level 'os'")
  })

  it('journaler: syncs before it rolls (os)', () => {
    const { journaler, writer, path } = openJournal({ durability: 'os' })
    for (let mark = 0; mark < 3; mark++) {
      putFrame(writer, makeFrame(400_000, 1, mark))
      writer.publish()
      journaler.step()
    }
    journaler.close()
    const blocks = parseChain(path, 2)
    expect(blocks.map((block) => block.segmentNumber)).toEqual([1, 1, 2, 2])
    expect(blocks.map((block) => block.syncedThrough)).toEqual([0, 1, 2, 3])
  })
})

describe('journaler: seals', () => {
  it.each(['disk', 'os'] as const)(
    'journaler: seals once after idle time, covering all (%s)',
    (durability) => {
      const { journaler, writer, path, storage, edge } = openJournal({ durability })
      putFrame(writer, makeFrame(64, 1, 1))
      writer.publish()
      journaler.step()
      journaler.tick(1000)
      expect(journaler.nextDutyMs(1000)).toBe(SEAL_IDLE_MS)
      journaler.tick(1000 + SEAL_IDLE_MS - 1)
      expect(edge.read().blockNumber).toBe(1)
      journaler.tick(1000 + SEAL_IDLE_MS)
      expect(edge.read()).toMatchObject({ blockNumber: 2, sequence: 1, ringPosition: 64 })
      for (let nowMs = 1200; nowMs < 9000; nowMs += 100) journaler.tick(nowMs)
      expect(journaler.nextDutyMs(9000)).toBe(Infinity)
      const [block, seal] = parseChain(path, 1) as [ParsedBlock, ParsedBlock]
      expect(block.syncedThrough).toBe(0)
      expect(seal).toMatchObject({ syncedThrough: 1, frameCount: 1, eventCount: 0 })
      expect(isSeal(seal)).toBe(true)
      expect(seal.payload.subarray(8, 16)).toEqual(block.payload.subarray(8, 16))
      const operations = storage.operations.length
      journaler.close()
      expect(storage.operations).toHaveLength(operations)
      expect(parseChain(path, 1)).toHaveLength(2)
    },
  )

  it('journaler: an idle time that is interrupted starts again', () => {
    const { journaler, writer, edge } = openJournal()
    for (let nowMs = 0; nowMs < 2000; nowMs += SEAL_IDLE_MS - 1) {
      putFrame(writer, makeFrame(64, 1, 1))
      writer.publish()
      journaler.step()
      journaler.tick(nowMs)
    }
    expect(edge.read().blockNumber).toBe(edge.read().sequence)
  })

  it.each([
    { sealed: true, blocks: 2 },
    { sealed: false, blocks: 3 },
  ])('journaler: seals an old tail that is not sealed (sealed $sealed)', ({ sealed, blocks }) => {
    const first = openJournal()
    putFrame(first.writer, makeFrame(64, 1, 1))
    first.writer.publish()
    first.journaler.close()
    const { fileOffset } = first.edge.read()
    const [, last] = parseChain(first.path, 1) as [ParsedBlock, ParsedBlock]
    const end = {
      ...newJournalEnd(JOURNAL_ID),
      ...{ epoch: 2, fileOffset, blockNumber: 2, sequence: 1, sealed },
      previousHash: last.hash,
    }
    const second = openJournal({ path: first.path, end })
    second.journaler.tick(0)
    second.journaler.tick(SEAL_IDLE_MS)
    second.journaler.close()
    expect(parseChain(first.path, 1)).toHaveLength(blocks)
  })

  it('journaler: a seal that does not fit goes into the next segment', () => {
    const { journaler, writer, path, edge } = openJournal({ preamble: makePreamble(64) })
    const frameBytes = BLOCK_PAYLOAD_BYTES_MAX - 64
    for (const lengthBytes of [TRANSACTION_BYTES_MAX, frameBytes - TRANSACTION_BYTES_MAX]) {
      putFrame(writer, makeFrame(lengthBytes, 1, 1))
    }
    writer.publish()
    journaler.close()
    expect(edge.read()).toMatchObject({ segmentNumber: 2, blockNumber: 2 })
    const [, seal] = parseChain(path, 2) as [ParsedBlock, ParsedBlock]
    expect(seal).toMatchObject({
      syncedThrough: 1,
      frameCount: 2,
      eventCount: 0,
      offset: SEGMENT_DATA,
    })
  })
})
