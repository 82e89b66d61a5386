/**
 * A naive model of a point in time: the list of all frames, and a loop. Journals of random frames are
 * cut at every sequence and around every time; what is left must be the model's, event for event.
 */
import { describe, expect, it } from 'vitest'
import { BLOCK_HEADER_BYTES, DURABILITY_OS, HASH_BYTES } from '../../journal/block-layout.js'
import { FrameCursor } from '../../journal/frames.js'
import { copyJournal } from '../../journal/journal-copy.js'
import { type CutPlan, type CutPoint, planCut } from '../../journal/journal-cut.js'
import { JournalReader } from '../../journal/journal-reader.js'
import { setU64 } from '../../journal/layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import {
  FIRST_CATALOGUED_TYPE,
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_HEADER_BYTES,
  FRAME_LENGTH,
  FRAME_TIME,
  RECORD_HEADER_BYTES,
  RECORD_LENGTH,
  RECORD_TYPE,
  SYSTEM_COMMAND,
} from '../../journal/record-layout.js'
import { writeRecordVersion } from '../../journal/record-version.js'
import { segmentName } from '../../journal/segment-layout.js'
import type { Storage } from '../../journal/storage.js'
import { verifyWith } from '../../journal/verify.js'
import { verifySegment } from '../../journal/verify-segment.js'
import { JournalBuilder } from '../support/journal-builder.js'
import { MemoryStorage } from '../support/memory-storage.js'
import { opened, recover, upTo } from '../support/recover.js'
import { type SeededRandom, seededRandom } from '../support/seeded-random.js'

interface Frame {
  readonly bytes: Uint8Array
  readonly events: number
  readonly timeUs: number
  readonly isSystem: boolean
}

const window = new ReadWindow(undefined, true)
const RECORD_BYTES = RECORD_HEADER_BYTES + 8
/** Of the bytes between frames that make blocks differ in length. */
const PADDING_EVENTS_MAX = 40

function frameOf(firstSequence: number, events: number, timeUs: number, isSystem: boolean): Frame {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + events * RECORD_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(FRAME_LENGTH, bytes.byteLength, true)
  view.setUint16(FRAME_COMMAND_TYPE, isSystem ? SYSTEM_COMMAND : 20, true)
  view.setUint16(FRAME_EVENT_COUNT, events, true)
  setU64(view, FRAME_TIME, timeUs)
  for (let event = 0; event < events; event++) {
    const offset = FRAME_HEADER_BYTES + event * RECORD_BYTES
    view.setUint32(offset + RECORD_LENGTH, RECORD_BYTES, true)
    view.setUint16(offset + RECORD_TYPE, FIRST_CATALOGUED_TYPE, true)
    writeRecordVersion(view, offset, firstSequence + event)
    setU64(view, offset + RECORD_HEADER_BYTES, firstSequence + event)
  }
  return { bytes, events, timeUs, isSystem }
}

/** Frames without events are rejections under a key; the journal's own have any time. */
function randomJournal(random: SeededRandom): { builder: JournalBuilder; frames: Frame[] } {
  const builder = new JournalBuilder({ segmentBytes: 24 * 1024 })
  const frames: Frame[] = []
  let [sequence, timeUs] = [0, 1_700_000_000_000_000]
  for (let block = 0; block < 14; block++) {
    if (random.below(6) === 0) builder.epoch++
    const inBlock: Frame[] = []
    for (let i = 1 + random.below(6); i > 0; i--) {
      timeUs += random.below(3)
      const isSystem = random.below(5) === 0
      const many = random.below(8) === 0 ? PADDING_EVENTS_MAX : 4
      const events = isSystem ? 0 : random.below(many)
      inBlock.push(frameOf(sequence + 1, events, isSystem ? 2 ** 52 : timeUs, isSystem))
      sequence += events
    }
    frames.push(...inBlock)
    const events = inBlock.reduce((sum, frame) => sum + frame.events, 0)
    const durability = random.below(2) === 0 ? { durability: DURABILITY_OS } : {}
    builder.block({ frames: inBlock.map(({ bytes }) => bytes), events, ...durability })
  }
  return { builder, frames }
}

/** What is before the first frame that is beyond the point. */
function modelOf(frames: readonly Frame[], { sequence, timeUs }: CutPoint): Frame[] {
  let reached = 0
  const end = frames.findIndex((frame) => {
    reached += frame.events
    if (sequence !== undefined) return frame.events > 0 && reached > sequence
    return !frame.isSystem && frame.timeUs > timeUs
  })
  return frames.slice(0, end < 0 ? frames.length : end)
}

/** Frames of commands, as text. */
function commandsOf(frames: readonly Frame[]): string[] {
  const commands = frames.filter(({ isSystem }) => !isSystem)
  return commands.map(({ bytes }) => Buffer.from(bytes).toString('base64'))
}

async function readCommands(storage: Storage): Promise<string[]> {
  const commands: string[] = []
  const cursor = new FrameCursor()
  for await (const block of new JournalReader(storage).blocks({ fromSequence: 0 })) {
    const { view, frameOffset, payloadBytes } = block
    cursor.reset(view, frameOffset, payloadBytes)
    while (cursor.nextFrame()) {
      if (cursor.commandType === SYSTEM_COMMAND) continue
      const frame = Buffer.from(
        view.buffer,
        view.byteOffset + cursor.frameOffset,
        cursor.frameBytes,
      )
      commands.push(frame.toString('base64'))
    }
  }
  return commands
}

function sumOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { events }) => sum + events, 0)
}

/** Where cuts lay, so that a test can say that it has met each kind. */
type Kind = 'none' | 'in a block' | 'between blocks' | 'before a segment'

function kindOf(builder: JournalBuilder, plan: CutPlan): Kind {
  if (plan.leftOut === undefined) return 'none'
  if (plan.part !== undefined) return 'in a block'
  const next = builder.built[plan.end.blockNumber]
  return next?.file === segmentName(plan.end.segmentNumber) ? 'between blocks' : 'before a segment'
}

async function expectCut(
  builder: JournalBuilder,
  frames: readonly Frame[],
  point: CutPoint,
  where: string,
): Promise<Kind | undefined> {
  const model = modelOf(frames, point)
  const reached = sumOf(model)
  const planned = await planCut(builder.storage, point).catch((error: unknown) => error)
  if (reached === 0) {
    expect(planned, where).toMatchObject({ code: 'INVALID_OPTION' })
    return undefined
  }
  const plan = planned as CutPlan
  const target = new MemoryStorage()
  const copy = await copyJournal(builder.storage, target, plan, window)
  expect(copy.sequence, where).toBe(reached)
  expect(await readCommands(target), where).toEqual(commandsOf(model))
  const left = frames.slice(model.length).filter(({ isSystem }) => !isSystem)
  expect(plan.leftOut?.events, where).toBe(left.length === 0 ? undefined : sumOf(left))
  if (plan.leftOut !== undefined) expect(plan.leftOut.timeUs, where).toBe(left[0]?.timeUs)
  const run = async (name: string) => verifySegment(target, name, window)
  const { ok, problems, headHash } = await verifyWith(target, run)
  expect(problems, where).toEqual([])
  expect({ ok, headHash }, where).toEqual({ ok: true, headHash: copy.headHash })
  const { sequences, report } = opened(recover(target))
  expect(sequences, where).toEqual(upTo(reached))
  expect(report, where).toMatchObject({ repaired: [] })
  expect(report.cut, where).toBeUndefined()
  return kindOf(builder, plan)
}

describe('planCut', () => {
  it('sequence: keeps what the model keeps (random journals, every sequence)', async () => {
    const kinds = new Set<Kind | undefined>()
    for (const seed of [1, 2]) {
      const { builder, frames } = randomJournal(seededRandom(seed))
      for (let sequence = 1; sequence <= builder.sequence; sequence++) {
        const where = `seed ${seed}, sequence ${sequence}`
        kinds.add(await expectCut(builder, frames, { sequence }, where))
      }
    }
    for (const kind of ['none', 'in a block', 'between blocks', 'before a segment'] as const) {
      expect(kinds, kind).toContain(kind)
    }
  })

  it('time: keeps what the model keeps (random journals, before, at and after every time)', async () => {
    for (const seed of [4, 5]) {
      const { builder, frames } = randomJournal(seededRandom(seed))
      const times = new Set<number>()
      for (const { timeUs, isSystem } of frames) {
        if (isSystem) continue
        for (const near of [timeUs - 1, timeUs, timeUs + 1]) times.add(near)
      }
      for (const timeUs of times) {
        await expectCut(builder, frames, { timeUs }, `seed ${seed}, time ${timeUs}`)
      }
    }
  })

  it('block: the one that is cut has a newer epoch, follows the one before, keeps its place', async () => {
    const builder = new JournalBuilder()
    builder.block({ frames: [frameOf(1, 2, 10, false).bytes], events: 2 })
    const frames = [3, 4, 5].map((first) => frameOf(first, 1, 10, false).bytes)
    builder.block({ frames, events: 3 })
    builder.epoch = 7
    builder.block({ frames: [frameOf(6, 1, 11, false).bytes], events: 1 })
    const { storage } = builder
    const target = new MemoryStorage()
    await copyJournal(storage, target, await planCut(storage, { sequence: 4 }), window)
    const blocks = []
    for await (const { header } of new JournalReader(target).blocks({ fromSequence: 0 })) {
      blocks.push(header)
    }
    const { offset } = builder.at(2)
    expect(blocks).toMatchObject([
      { blockNumber: 1, epoch: 1, eventCount: 2 },
      {
        blockNumber: 2,
        epoch: 8,
        baseSequence: 3,
        eventCount: 2,
        frameCount: 2,
        fileOffset: offset,
      },
    ])
    expect(blocks[1]).toMatchObject({ syncedThrough: 1, segmentNumber: 1 })
    expect(blocks[1]?.previousHash).not.toEqual(new Uint8Array(HASH_BYTES))
    // Block 1 is the same, byte for byte, so what was noted of it still proves it.
    const first = builder.at(1)
    const [from, to] = [first.offset, first.offset + BLOCK_HEADER_BYTES + 100]
    expect(target.bytesOf(first.file).subarray(from, to)).toEqual(
      storage.bytesOf(first.file).subarray(from, to),
    )
    expect(opened(recover(target)).end).toMatchObject({ epoch: 9, blockNumber: 2, sequence: 4 })
  })

  it('block: one of which only a catalogue is left is left out', async () => {
    const builder = new JournalBuilder()
    builder.block({ frames: [frameOf(1, 2, 10, false).bytes], events: 2 })
    const frames = [frameOf(3, 0, 0, true), frameOf(3, 1, 10, false)].map(({ bytes }) => bytes)
    builder.block({ frames, events: 1 })
    const plan = await planCut(builder.storage, { sequence: 2 })
    expect(plan).toMatchObject({ part: undefined, end: { blockNumber: 1 } })
  })

  it('point: beyond the end, and before the first transaction, are refused with what there is', async () => {
    const builder = new JournalBuilder()
    builder.block({ frames: [frameOf(1, 3, 1_000_000, false).bytes], events: 3 })
    const { storage } = builder
    await expect(planCut(storage, { sequence: 4 })).rejects.toThrow(/ends with 3/)
    await expect(planCut(storage, { sequence: 2 })).rejects.toThrow(/has the events 1 to 3/)
    await expect(planCut(storage, { timeUs: 999_999 })).rejects.toThrow(/1970-01-01T00:00:01.000Z/)
    await expect(planCut(new JournalBuilder().storage, { sequence: 1 })).rejects.toThrow(
      /ends with 0/,
    )
    const late = await planCut(storage, { timeUs: 2 ** 52 })
    expect(late).toMatchObject({ leftOut: undefined, part: undefined, end: { blockNumber: 1 } })
  })
})
