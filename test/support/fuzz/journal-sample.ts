/**
 * Blocks that an engine has written, with every type of field, id and record: what the fuzz targets
 * start from.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Engine } from '../../../engine/index.js'
import type { BlockHeader } from '../../../journal/block-header.js'
import { openFileStorage } from '../../../journal/file-storage.js'
import { FrameCursor } from '../../../journal/frames.js'
import { JournalReader } from '../../../journal/journal-reader.js'
import showcase, { Show } from '../domains/showcase.js'

export interface SampleBlock {
  readonly header: BlockHeader
  readonly payload: Uint8Array
}

export interface JournalSample {
  /** From the journal's first one on; it begins with the catalogue. */
  readonly blocks: readonly SampleBlock[]
}

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
    return { blocks: await readBlocks(path) }
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

async function readBlocks(path: string): Promise<SampleBlock[]> {
  const reader = new JournalReader(openFileStorage(path))
  const blocks: SampleBlock[] = []
  for await (const block of reader.blocks({ fromSequence: 1, fromSegmentStart: true })) {
    const { view, frameOffset, payloadBytes, header } = block
    const payload = new Uint8Array(view.buffer, view.byteOffset + frameOffset, payloadBytes).slice()
    blocks.push({ header, payload })
  }
  reader.close()
  return blocks
}

/** One by one. */
export function framesOf(payload: Uint8Array): Uint8Array[] {
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
