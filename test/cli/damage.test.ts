import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { infoCommand } from '../../engine/cli/info-command.js'
import { LineOutput } from '../../engine/cli/line-output.js'
import { readCommand } from '../../engine/cli/read-command.js'
import { verifyCommand } from '../../engine/cli/verify-command.js'
import { readBlockHeader, writeBlockHeader } from '../../journal/block-header.js'
import { BLOCK_HEADER_BYTES, paddedBlockBytes } from '../../journal/block-layout.js'
import { TidewheelError } from '../../journal/errors.js'
import { decodeSegmentHeader } from '../../journal/segment-header.js'
import { SEGMENT_DATA, segmentName } from '../../journal/segment-layout.js'
import { linesOf, runCli } from '../support/cli.js'
import showcase, { Show } from '../support/domains/showcase.js'
import { EngineBench } from '../support/engine-fixture.js'
import { seededRandom } from '../support/seeded-random.js'

const bench = new EngineBench('inline')
afterAll(() => bench.clear())

const SEED = Math.floor(Math.random() * 2 ** 32)
const random = seededRandom(SEED)
const UUID = '00000000-0000-4000-8000-000000000001'

interface Block {
  readonly offset: number
  readonly usedBytes: number
  readonly firstSequence: number
}

/** A journal of `commands` commands, four events each. */
async function makeJournal(commands: number, blobBytes: number): Promise<string> {
  const path = bench.path()
  const engine = await bench.open(path, {}, showcase)
  for (let n = 1; n <= commands; n++) {
    await engine.execute(
      Show,
      {
        target: `stream ${n % 3}`,
        flag: true,
        signed: n,
        small: n,
        money: n,
        wide: n,
        ratio: n,
        token: UUID,
        title: `title ${n}`,
        blob: new Uint8Array(blobBytes),
        note: { list: [n, 'two', { three: 3 }] },
        colour: 'blue',
        owner: `owner ${n % 4}`,
        unit: n % 2,
        lot: n % 5,
        key: UUID,
      },
      { key: `key ${n}` },
    )
  }
  await bench.close(engine)
  return path
}

function blocksOf(file: string): { readonly blocks: Block[]; readonly salt: number } {
  const bytes = new Uint8Array(readFileSync(file))
  const salt = decodeSegmentHeader(bytes.subarray(0, 4096))?.salt ?? 0
  const blocks: Block[] = []
  for (let offset = SEGMENT_DATA; offset < bytes.length; ) {
    const header = readBlockHeader(bytes, offset, salt)
    if (header === undefined) break
    const usedBytes = BLOCK_HEADER_BYTES + header.payloadBytes
    blocks.push({ offset, usedBytes, firstSequence: header.baseSequence })
    offset += paddedBlockBytes(header.payloadBytes)
  }
  return { blocks, salt }
}

function overwrite(file: string, offset: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, bytes, 0, bytes.length, offset)
  closeSync(descriptor)
}

interface Outcome {
  readonly code: number
  readonly lines: readonly string[]
}

/** A command in this process; whatever it throws that is not the journal's fault fails the test. */
async function inProcess(command: (output: LineOutput) => Promise<number>): Promise<Outcome> {
  let text = ''
  const stream = {
    on: () => stream,
    write: (piece: string, callback: () => void) => {
      text += piece
      callback()
    },
  }
  const output = new LineOutput(stream as unknown as NodeJS.WritableStream)
  const code = await command(output).catch((error: unknown) => {
    if (error instanceof TidewheelError) return 1
    throw new Error(`seed ${SEED}: not an error for users`, { cause: error })
  })
  return { code, lines: linesOf(text) }
}

describe('tidewheel on damaged journals', () => {
  let path = ''
  let file = ''
  let original: Uint8Array<ArrayBuffer>
  let lines: string[] = []
  let blocks: Block[] = []
  let salt = 0

  beforeAll(async () => {
    path = await makeJournal(12, 10)
    file = join(path, segmentName(1))
    original = new Uint8Array(readFileSync(file))
    ;({ blocks, salt } = blocksOf(file))
    lines = linesOf((await runCli(['read', path])).stdout)
    expect(lines).toHaveLength(48)
  })

  it('read: prints what lies before the damage, then says where it is', async () => {
    const { offset, firstSequence } = blocks[6]!
    overwrite(file, offset + BLOCK_HEADER_BYTES + 40, new Uint8Array([0xff]))
    try {
      const { code, stdout, stderr } = await runCli(['read', path])
      expect(code).toBe(1)
      expect(linesOf(stdout)).toEqual(lines.slice(0, firstSequence - 1))
      expect(stderr).toMatch(/^tidewheel: JOURNAL_DAMAGED: .*\n$/)
      expect(stderr).toContain(`[0000000001.segment, offset ${offset}]`)

      const verify = await runCli(['verify', path])
      expect([verify.code, verify.stderr]).toEqual([1, ''])
      expect(verify.stdout).toContain(`0000000001.segment, offset ${offset}: BLOCK_DAMAGED: `)
      expect(linesOf(verify.stdout).at(-1)).toMatch(/^FAILED: \d+ problems?\.$/)

      const info = await runCli(['info', path])
      expect(info.code).toBe(1)
      expect(info.stdout).toContain('showcase')
      expect(info.stderr).toContain(`[0000000001.segment, offset ${offset}]`)

      // What is wanted lies before the damage.
      const before = await runCli(['read', path, '--to', String(firstSequence - 1)])
      expect([before.code, before.stderr]).toEqual([0, ''])
    } finally {
      overwrite(file, 0, original)
    }
  })

  it('read, verify, info: no wrong event, no false OK, no crash (random byte flips)', async () => {
    const last = blocks.at(-1)!
    const end = last.offset + last.usedBytes
    for (let run = 0; run < 15; run++) {
      const offset = SEGMENT_DATA + random.below(end - SEGMENT_DATA)
      const damage = original[offset]! ^ (1 + random.below(255))
      overwrite(file, offset, new Uint8Array([damage]))
      try {
        const read = await inProcess((output) => readCommand(path, {}, output))
        const where = `seed ${SEED}, offset ${offset}`
        expect(read.lines, where).toEqual(lines.slice(0, read.lines.length))
        await inProcess((output) => infoCommand(path, run % 2 === 0, output))
        const verify = await inProcess((output) =>
          verifyCommand(path, true, { threads: 1 }, undefined, output),
        )
        expect(verify.code, where).toBe(1)
      } finally {
        overwrite(file, offset, original.subarray(offset, offset + 1))
      }
    }
    expect(
      (await inProcess((output) => verifyCommand(path, true, { threads: 1 }, undefined, output)))
        .code,
    ).toBe(0)
  })

  it('read, info: survive a journal that a stranger made (checksums right, records wrong)', async () => {
    let refused = 0
    for (let run = 0; run < 120; run++) {
      const block = blocks[random.below(Math.min(5, blocks.length))]!
      const bytes = original.slice(block.offset, block.offset + block.usedBytes)
      for (let flips = 1 + random.below(3); flips > 0; flips--) {
        const at = BLOCK_HEADER_BYTES + random.below(block.usedBytes - BLOCK_HEADER_BYTES)
        bytes[at] = random.below(3) === 0 ? 0xff : random.below(256)
      }
      const header = readBlockHeader(original, block.offset, salt)!
      writeBlockHeader(bytes, header, salt)
      overwrite(file, block.offset, bytes)
      try {
        const read = await inProcess((output) => readCommand(path, {}, output))
        for (const line of read.lines) JSON.parse(line)
        refused += read.code
        if (run % 4 === 0) await inProcess((output) => infoCommand(path, false, output))
      } finally {
        overwrite(
          file,
          block.offset,
          original.subarray(block.offset, block.offset + block.usedBytes),
        )
      }
    }
    expect(refused, `seed ${SEED}`).toBeGreaterThan(30)
  })

  it('verify: finds events that do not fit the catalogue (checksums and chain right)', async () => {
    // The last block that has events; only the seal, whose hash would tell, lies behind it.
    const alone = await makeJournal(1, 10)
    const segment = join(alone, segmentName(1))
    const made = blocksOf(segment)
    const bytes = new Uint8Array(readFileSync(segment))
    const title = Buffer.from(bytes.buffer).indexOf('title 1')
    const block = made.blocks.findLast(({ offset }) => offset < title)!
    bytes[title] = 0xff
    const header = readBlockHeader(bytes, block.offset, made.salt)!
    writeBlockHeader(bytes.subarray(block.offset), header, made.salt)
    bytes.fill(0, block.offset + paddedBlockBytes(header.payloadBytes))
    overwrite(segment, 0, bytes)
    const { code, stdout } = await runCli(['verify', alone])
    expect(stdout).toContain(
      `0000000001.segment, offset ${block.offset}: EVENT_DAMAGED: the payload of event Shown is not valid`,
    )
    expect(code).toBe(1)
  })
})

describe('tidewheel on journals with segments missing or foreign', () => {
  let path = ''
  let lines: string[] = []
  let firstOfSecond = 0

  beforeAll(async () => {
    path = await makeJournal(22, 250_000)
    lines = linesOf((await runCli(['read', path])).stdout)
    firstOfSecond = blocksOf(join(path, segmentName(2))).blocks[0]!.firstSequence
    expect(blocksOf(join(path, segmentName(3))).blocks.length).toBeGreaterThan(0)
  }, 30_000)

  /** What lies before the second segment is shown, and then the reason. */
  async function expectFirstOnly(reason: string): Promise<void> {
    const { code, stdout, stderr } = await runCli(['read', path])
    expect(stderr).toContain(reason)
    expect(stderr).toContain(segmentName(2))
    expect(code).toBe(1)
    expect(linesOf(stdout).length).toBe(firstOfSecond - 1)
    expect(linesOf(stdout)).toEqual(lines.slice(0, firstOfSecond - 1))
    expect((await runCli(['verify', path])).code).toBe(1)
    expect((await runCli(['info', path])).code).toBe(1)
  }

  it('read, verify, info: a segment is missing', async () => {
    const second = join(path, segmentName(2))
    renameSync(second, `${second}.away`)
    try {
      await expectFirstOnly('segment 2 of the journal is missing')
    } finally {
      renameSync(`${second}.away`, second)
    }
  })

  it('read, verify, info: a segment is of another journal', async () => {
    const other = await makeJournal(12, 250_000)
    const second = join(path, segmentName(2))
    renameSync(second, `${second}.away`)
    copyFileSync(join(other, segmentName(2)), second)
    try {
      await expectFirstOnly('another journal')
    } finally {
      renameSync(`${second}.away`, second)
    }
  })

  it('read: the newest segment is missing, which only the manifest knows', async () => {
    for (let number = 9; number > 2; number--)
      rmSync(join(path, segmentName(number)), { force: true })
    const { code, stdout, stderr } = await runCli(['read', path])
    expect(stderr).toContain('segment 3 of the journal is missing')
    expect(code).toBe(1)
    expect(linesOf(stdout).length).toBeGreaterThanOrEqual(firstOfSecond)
  })
})
