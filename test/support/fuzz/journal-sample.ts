/**
 * Blocks that an engine has written, with every type of field, id and record: what the fuzz targets
 * start from.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '../../../engine/index.js'
import type { BlockHeader } from '../../../journal/block-header.js'
import { assert } from '../../../journal/errors.js'
import { openFileStorage } from '../../../journal/file-storage.js'
import { FrameCursor } from '../../../journal/frames.js'
import { JournalReader } from '../../../journal/journal-reader.js'
import { setU64 } from '../../../journal/layout.js'
import {
  FRAME_COMMAND_TYPE,
  FRAME_EVENT_COUNT,
  FRAME_TIME,
  SYSTEM_COMMAND,
} from '../../../journal/record-layout.js'
import showcase, { Show } from '../domains/showcase.js'

export interface SampleBlock {
  readonly events: number
  readonly payload: Uint8Array
}

export interface JournalSample {
  /** The same in every run: one a frame, without seals. The first one is the catalogue. */
  readonly blocks: readonly SampleBlock[]
  /** Of the first block. */
  readonly header: BlockHeader
}

const TIME_US = 1_700_000_000_000_000
const COMMANDS = 8

export async function makeJournalSample(): Promise<JournalSample> {
  const directory = mkdtempSync(join(tmpdir(), 'tidewheel-fuzz-'))
  try {
    const path = join(directory, 'journal')
    const engine = await Engine.open(path, showcase, { segmentBytes: 2 * 1024 * 1024 })
    for (let n = 1; n <= COMMANDS; n++) {
      // Every third is rejected, with a detail.
      const money = n % 3 === 0 ? -n : n
      await engine.execute(Show, { ...valuesOf(n), money }, n % 2 === 0 ? { key: `key ${n}` } : {})
    }
    await engine.close()
    return await readSample(path)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function valuesOf(n: number) {
  return {
    target: `stream ${n % 3}`,
    flag: n % 2 === 0,
    signed: -n,
    small: n,
    wide: BigInt(n) << 40n,
    ratio: n / 3,
    token: `00000000-0000-4000-8000-00000000000${n}`,
    title: `title ${n} – äöü`,
    blob: new Uint8Array(n * 3).fill(n),
    note: {
      list: [n, 'two', { three: 3.5 }, null, true],
      bytes: new Uint8Array(n),
      big: 1n << 62n,
    },
    colour: 'blue' as const,
    owner: `owner ${n % 4}`,
    unit: n % 2,
    lot: BigInt(n) << 33n,
    key: `00000000-0000-4000-8000-0000000000${10 + n}`,
  }
}

/** Times, and where blocks and seals lie, depend on the clock: an input must be a function of its seed. */
async function readSample(path: string): Promise<JournalSample> {
  const reader = new JournalReader(openFileStorage(path))
  const blocks: SampleBlock[] = []
  let first: BlockHeader | undefined
  for await (const block of reader.blocks({ fromSequence: 1, fromSegmentStart: true })) {
    const { view, frameOffset, payloadBytes, header } = block
    first ??= header
    const bytes = new Uint8Array(view.buffer, view.byteOffset + frameOffset, payloadBytes)
    for (const payload of framesOf(bytes.slice())) {
      const frame = new DataView(payload.buffer)
      const isSystem = frame.getUint16(FRAME_COMMAND_TYPE, true) === SYSTEM_COMMAND
      if (isSystem && blocks.length > 0) continue
      setU64(frame, FRAME_TIME, TIME_US + blocks.length)
      blocks.push({ events: frame.getUint16(FRAME_EVENT_COUNT, true), payload })
    }
  }
  reader.close()
  assert(first !== undefined, 'the engine has written blocks')
  return { blocks, header: first }
}

function framesOf(payload: Uint8Array): Uint8Array[] {
  const cursor = new FrameCursor()
  cursor.reset(new DataView(payload.buffer, payload.byteOffset, payload.length), 0, payload.length)
  const frames: Uint8Array[] = []
  while (cursor.nextFrame()) {
    frames.push(payload.slice(cursor.frameOffset, cursor.frameOffset + cursor.frameBytes))
  }
  return frames
}

/** A number that is a function of the input, for decoders that are asked something. */
export function lastOf(bytes: Uint8Array): number {
  return bytes.at(-1) ?? 0
}
