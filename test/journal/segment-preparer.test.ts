/** Preparing ahead: pace, hand-over, and the journal that does not wait. One thread, all orders. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DISK_RESERVE_BYTES } from '../../journal/disk-shortage.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { PreparedSegmentSource } from '../../journal/prepared-segment-source.js'
import { readSegmentHeader } from '../../journal/segment.js'
import { SEGMENT_BYTES_MIN, SEGMENT_DATA } from '../../journal/segment-layout.js'
import { createSegmentPreparation, SegmentPreparation } from '../../journal/segment-preparation.js'
import {
  PREPARATION_LEAD_BYTES,
  PREPARATION_PIECE_BYTES,
  SegmentPreparer,
} from '../../journal/segment-preparer.js'
import {
  JOURNAL_ID,
  ObservedStorage,
  randomOf,
  systemError,
  temporaryDirectory,
} from './writing-harness.js'

function setUp(segmentBytes: number) {
  const path = temporaryDirectory()
  const storage = new ObservedStorage(openFileStorage(path))
  const preparation = new SegmentPreparation(createSegmentPreparation(1, SEGMENT_DATA, 1))
  const reports: string[] = []
  const journalId = JOURNAL_ID
  const preparer = new SegmentPreparer({ storage, journalId, segmentBytes, preparation })
  const source = new PreparedSegmentSource({
    storage,
    journalId,
    segmentBytes,
    preparation,
    onReport: (text) => reports.push(text),
  })
  const preparedBytes = (): number =>
    storage.operations
      .filter(({ kind, name }) => kind === 'write' && name === '0000000002.segment.preparing')
      .reduce((end, { position, lengthBytes }) => Math.max(end, position + lengthBytes), 0)
  return { path, storage, preparation, reports, preparer, source, preparedBytes }
}

function drain(preparer: SegmentPreparer): void {
  while (preparer.step()) {
    // One piece after the other.
  }
}

describe('segment preparer', () => {
  const seed = Date.now() & 0xffff
  it(`segment preparer: keeps its pace, and uses it (seed ${seed})`, () => {
    const segmentBytes = 12 * 1024 * 1024 + 4096
    const { preparer, preparation, storage, preparedBytes, source, reports } = setUp(segmentBytes)
    const random = randomOf(seed)
    let consumed = SEGMENT_DATA
    while (preparation.preparedSegment === 1) {
      drain(preparer)
      const allowed = 2 * consumed + PREPARATION_LEAD_BYTES
      expect(preparedBytes()).toBeLessThanOrEqual(allowed)
      if (preparation.preparedSegment === 1) {
        expect(preparedBytes() + PREPARATION_PIECE_BYTES).toBeGreaterThan(allowed)
      }
      consumed += 4096 * (1 + random(128))
      source.consumed(consumed)
    }
    // Done when the current segment is not yet half used: well before it is needed.
    expect(consumed).toBeLessThan(segmentBytes / 2)
    const pieces = storage.operations.filter(({ kind }) => kind === 'write')
    expect(pieces.every(({ lengthBytes }) => lengthBytes <= PREPARATION_PIECE_BYTES)).toBe(true)
    const kinds = storage.operations.map(({ kind }) => kind)
    expect(kinds.slice(-4)).toEqual(['write', 'sync', 'rename', 'syncDirectory'])
    const file = storage.open('0000000002.segment', 'read')
    expect(readSegmentHeader(file)).toMatchObject({ number: 2, sizeBytes: segmentBytes })
    const bytes = new Uint8Array(segmentBytes)
    expect(file.read(bytes, 0)).toBe(segmentBytes)
    expect(bytes.subarray(SEGMENT_DATA).every((byte) => byte === 0)).toBe(true)
    file.close()
    // Never more than one ahead; the roll itself touches no file.
    drain(preparer)
    const operations = storage.operations.length
    source.take(2)
    expect(storage.operations).toHaveLength(operations)
    expect(reports).toEqual([])
    drain(preparer)
    expect(storage.list()).toContain('0000000003.segment.preparing')
  })

  it('segment preparer: removes a leftover, leaves nothing when it is closed', () => {
    const { preparer, path, storage } = setUp(16 * 1024 * 1024)
    writeFileSync(join(path, '0000000002.segment.preparing'), 'of a crash')
    expect(preparer.step()).toBe(true)
    expect(preparer.step()).toBe(true)
    preparer.close()
    expect(storage.list()).toEqual([])
  })

  it('segment preparer: the journal does not wait (any step of the preparation)', () => {
    const whole = setUp(SEGMENT_BYTES_MIN)
    let steps = 0
    while (whole.preparer.step()) steps += 1
    expect(whole.storage.list()).toEqual(['0000000002.segment'])
    for (let done = 0; done < steps; done++) {
      const { preparer, source, storage, reports, preparation } = setUp(SEGMENT_BYTES_MIN)
      for (let step = 0; step < done; step++) preparer.step()
      source.take(2)
      expect(reports).toHaveLength(1)
      expect(reports[0]).toContain('0000000002.segment')
      const file = storage.open('0000000002.segment', 'read')
      expect(readSegmentHeader(file)).toMatchObject({ number: 2 })
      file.close()
      drain(preparer)
      expect(storage.list()).toEqual(['0000000002.segment', '0000000003.segment'])
      expect(preparation.preparedSegment).toBe(3)
      source.take(3)
      expect(reports).toHaveLength(1)
    }
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9])(
    'segment preparer: its failure does not stop the journal (operation %i)',
    (failing) => {
      const { preparer, source, storage, preparation } = setUp(SEGMENT_BYTES_MIN)
      storage.before = (_operation, index) => {
        if (index === failing) throw systemError('EIO')
      }
      expect(() => drain(preparer)).toThrow('EIO')
      preparer.close()
      preparation.setEnded()
      source.take(2)
      expect(storage.list()).toContain('0000000002.segment')
      const file = storage.open('0000000002.segment', 'read')
      expect(readSegmentHeader(file)).toMatchObject({ number: 2 })
      file.close()
      expect(preparation.preparedSegment).toBe(2)
    },
  )

  it.each(
    ['ENOSPC', 'EDQUOT'].flatMap((code) =>
      [1, 2, 3, 4, 5, 6, 7, 8].map((at) => [code, at] as const),
    ),
  )(
    'segment preparer: a full disk, or quota, is waited for (%s at operation %i)',
    (code, failing) => {
      const { preparer, storage, preparation, source, reports } = setUp(SEGMENT_BYTES_MIN)
      let failures = 0
      storage.before = ({ kind }, index) => {
        if (index < failing || kind === 'remove') return
        failures += 1
        throw systemError(code)
      }
      for (let attempt = 1; attempt <= 3; attempt++) {
        drain(preparer)
        expect(failures).toBe(attempt)
        expect(storage.list()).toEqual([])
        expect(preparation.shortage?.neededBytes).toBe(SEGMENT_BYTES_MIN + DISK_RESERVE_BYTES)
      }
      storage.before = () => undefined
      drain(preparer)
      expect(preparation.shortage).toBeUndefined()
      expect(storage.list()).toEqual(['0000000002.segment'])
      source.take(2)
      expect(reports).toEqual([])
    },
  )

  it('segment preparer: room that is short on the way, or long before, by one block', () => {
    const segmentBytes = 16 * 1024 * 1024
    const { preparer, storage, preparation, preparedBytes } = setUp(segmentBytes)
    let freeBytes = segmentBytes + DISK_RESERVE_BYTES - 4096
    storage.freeBytes = () => freeBytes - preparedBytes()
    drain(preparer)
    expect(storage.operations).toEqual([])
    expect(preparation.shortage).toEqual({ freeBytes, neededBytes: freeBytes + 4096 })
    // The shortage lasts until the segment is there, so it is made without regard to consumption.
    freeBytes += 4096
    preparer.step()
    expect(preparation.shortage).toBeDefined()
    drain(preparer)
    expect(preparation.shortage).toBeUndefined()
    expect(preparation.preparedSegment).toBe(2)

    const other = setUp(segmentBytes)
    drain(other.preparer)
    expect(other.preparation.shortage).toBeUndefined()
    expect(other.preparedBytes()).toBeLessThan(segmentBytes)
    other.storage.freeBytes = () => segmentBytes - other.preparedBytes() + DISK_RESERVE_BYTES - 1
    expect(other.preparer.step()).toBe(false)
    expect(other.preparation.shortage).toBeDefined()
    expect(other.storage.list()).toEqual([])
  })

  it('segment preparer: a sparse segment still needs room of its own, a prepared one does not', () => {
    const { preparer, storage, preparation, source } = setUp(SEGMENT_BYTES_MIN)
    source.take(2)
    let freeBytes = 2 * SEGMENT_BYTES_MIN - SEGMENT_DATA + DISK_RESERVE_BYTES - 1
    storage.freeBytes = () => freeBytes
    drain(preparer)
    expect(preparation.shortage).toEqual({
      freeBytes: freeBytes + 1 - 4096,
      neededBytes: freeBytes + 1,
    })
    source.consumed(SEGMENT_DATA + 4096)
    drain(preparer)
    expect(preparation.shortage).toBeUndefined()
    source.take(3)
    freeBytes = SEGMENT_BYTES_MIN + DISK_RESERVE_BYTES
    drain(preparer)
    expect(preparation.shortage).toBeUndefined()
    expect(preparation.preparedSegment).toBe(4)
  })

  it('segment preparer: when it ends, nobody waits for room', () => {
    const { preparer, storage, preparation } = setUp(SEGMENT_BYTES_MIN)
    storage.freeBytes = () => 0
    drain(preparer)
    expect(preparation.shortage).toBeDefined()
    preparation.setEnded()
    expect(preparation.shortage).toBeUndefined()
  })

  it('segment preparer: never takes the place of another file', () => {
    const { preparer, path, storage, source } = setUp(SEGMENT_BYTES_MIN)
    preparer.step()
    writeFileSync(join(path, '0000000002.segment'), 'foreign')
    expect(() => drain(preparer)).toThrow('JOURNAL_DAMAGED')
    preparer.close()
    expect(storage.list()).toEqual(['0000000002.segment'])
    expect(() => source.take(2)).toThrow('JOURNAL_DAMAGED')
    expect(readFileSync(join(path, '0000000002.segment'), 'utf8')).toBe('foreign')
  })

  it('segment source: stops where the sync of the new name has failed, or may have', () => {
    const { preparer, source, storage, preparation, reports } = setUp(SEGMENT_BYTES_MIN)
    storage.before = ({ kind }) => {
      if (kind === 'syncDirectory') throw systemError('EIO')
    }
    expect(() => drain(preparer)).toThrow('EIO')
    preparer.close()
    preparation.setEnded()
    storage.operations.length = 0
    storage.before = () => undefined
    expect(() => source.take(2)).toThrow('it is not known whether that is on disk')
    // A second sync could say OK for a name that the disk does not have.
    expect(storage.operations).toEqual([])
    expect(reports).toEqual([])
  })

  it('segment preparation: one of two settles a segment', () => {
    const memory = createSegmentPreparation(5, SEGMENT_DATA, 5)
    const [a, b] = [new SegmentPreparation(memory), new SegmentPreparation(memory)]
    expect([a.settle(6), b.settle(6), a.settle(6)]).toEqual([true, false, false])
    expect(b.settle(7)).toBe(true)
  })
})
