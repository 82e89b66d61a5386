/** The journaler and the files that it goes through: when it rolls, and where it goes on. */

import { describe, expect, it } from 'vitest'
import {
  BLOCK_ALIGNMENT_BYTES,
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
} from '../../journal/block-layout.js'
import { newJournalEnd } from '../../journal/journal-end.js'
import { SEGMENT_BYTES_MIN, SEGMENT_DATA } from '../../journal/segment-layout.js'
import { makePreamble } from './journaler-frames.js'
import {
  JOURNAL_ID,
  makeFrame,
  openJournal,
  type ParsedBlock,
  parseChain,
  putFrame,
} from './writing-harness.js'

describe('journaler: segments', () => {
  it('journaler: rolls when the block does not fit, not before', () => {
    const { journaler, writer, edge, storage } = openJournal()
    const fillBytes = BLOCK_BYTES_MAX - 2 * BLOCK_ALIGNMENT_BYTES - BLOCK_HEADER_BYTES
    for (const lengthBytes of [fillBytes / 2 - 8, fillBytes / 2 + 8]) {
      putFrame(writer, makeFrame(lengthBytes, 1, 1))
    }
    writer.publish()
    journaler.step()
    const frameBytes = 2 * BLOCK_ALIGNMENT_BYTES - BLOCK_HEADER_BYTES
    putFrame(writer, makeFrame(frameBytes, 1, 2))
    writer.publish()
    journaler.step()
    expect(edge.read()).toMatchObject({ segmentNumber: 1, fileOffset: SEGMENT_BYTES_MIN })
    putFrame(writer, makeFrame(16, 1, 3))
    writer.publish()
    storage.operations.length = 0
    journaler.step()
    expect(edge.read()).toMatchObject({ segmentNumber: 2, fileOffset: SEGMENT_DATA + 4096 })
    const kinds = storage.operations.map(({ kind, name }) => `${kind} ${name}`)
    // The old segment first, then the new one, then the manifest, then the block.
    expect(kinds[0]).toBe('sync 0000000001.segment')
    expect(kinds.indexOf('rename 0000000002.segment')).toBeGreaterThan(0)
    expect(kinds.lastIndexOf('syncDirectory ')).toBeGreaterThan(
      kinds.indexOf('rename 0000000002.segment'),
    )
    expect(kinds.indexOf('write 0000000002.segment')).toBeGreaterThan(
      kinds.lastIndexOf('syncDirectory '),
    )
  })

  it('journaler: fills small segments without leaving one empty', () => {
    const segmentBytes = SEGMENT_DATA + 16_384
    const { journaler, writer, path, edge } = openJournal({
      segmentBytes,
      preamble: makePreamble(64),
    })
    for (let mark = 0; mark < 500; mark++) putFrame(writer, makeFrame(720, 1, mark))
    writer.publish()
    journaler.close()
    const { segmentNumber } = edge.read()
    const blocks = parseChain(path, segmentNumber)
    expect(new Set(blocks.map((block) => block.segmentNumber)).size).toBe(segmentNumber)
    expect(blocks.reduce((sum, block) => sum + block.eventCount, 0)).toBe(500)
  })

  it('journaler: goes on where an earlier session ended (no preamble inside a segment)', () => {
    const preamble = makePreamble(64)
    const first = openJournal({ preamble })
    putFrame(first.writer, makeFrame(64, 3, 1))
    first.writer.publish()
    first.journaler.close()
    const [, seal] = parseChain(first.path, 1) as [ParsedBlock, ParsedBlock]
    const edge = first.edge.read()
    const end = {
      ...newJournalEnd(JOURNAL_ID),
      ...{ epoch: 2, fileOffset: edge.fileOffset, blockNumber: 2, sequence: 3 },
      previousHash: seal.hash,
    }
    const second = openJournal({ preamble, path: first.path, end })
    expect(second.edge.read()).toMatchObject({ blockNumber: 2, sequence: 3, ringPosition: 0 })
    putFrame(second.writer, makeFrame(64, 2, 2))
    second.writer.publish()
    second.journaler.close()
    const blocks = parseChain(first.path, 1)
    expect(blocks.map((block) => block.epoch)).toEqual([1, 1, 2, 2])
    expect(blocks.map((block) => block.frameCount)).toEqual([2, 1, 1, 1])
    expect(blocks.map((block) => block.syncedThrough)).toEqual([0, 1, 2, 3])
  })

  it('journaler: refuses a segment that is not its own', () => {
    const { path } = openJournal()
    const end = { ...newJournalEnd(new Uint8Array(16)), blockNumber: 1 }
    expect(() => openJournal({ path, end })).toThrow('JOURNAL_DAMAGED')
  })
})
