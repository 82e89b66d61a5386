import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine } from '../engine/index.js'
import { readFeedLines } from '../scripts/feeds/feed-lines.js'
import { findData } from './support/data-folder.js'
import { type KrakenUpdate, parseKrakenLine, updateCommand } from './support/kraken-feed.js'
import { checksumOf } from './support/level-book.js'
import levelBooks, { Book } from './support/level-book-domain.js'

const feed = findData('kraken-l2-checksum-2021-04-17/book-1000.txt.gz')
const LINES = 2_652
const CHECKSUMS = 2_647

describe.skipIf(feed === undefined)('level books against an exchange’s checksums', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidewheel-kraken-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const updates: KrakenUpdate[] = []

  beforeAll(async () => {
    const refuse = ({ line, reason }: { line: number; reason: string }) => {
      throw new Error(`line ${line} ${reason}`)
    }
    for await (const { text } of readFeedLines(feed!, refuse)) updates.push(parseKrakenLine(text))
    expect(updates).toHaveLength(LINES)
  })

  /** Executes the updates from `first` on; gives the checksum of the book after each. */
  async function execute(engine: Engine, first: number): Promise<Map<number, number>> {
    const checksums = new Map<number, number>()
    for (const [index, update] of updates.entries()) {
      const line = index + 1
      if (line < first) continue
      const receipt = await engine.execute(...updateCommand(update), { key: `line-${line}` })
      expect(receipt.accepted).toBe(true)
      checksums.set(line, checksumOf(engine.get(Book, update.pair)!.snapshot()))
    }
    return checksums
  }

  function countEqual(checksums: ReadonlyMap<number, number>): number {
    return updates.filter(({ checksum }, index) => {
      return checksum !== undefined && checksums.get(index + 1) === checksum
    }).length
  }

  it('reproduces every checksum', async () => {
    const engine = await Engine.open(join(folder, 'none'), levelBooks, { durability: 'none' })
    const equal = countEqual(await execute(engine, 1))
    await engine.close()
    console.info(`kraken: ${equal} of ${CHECKSUMS} checksums`)
    expect(equal).toBe(CHECKSUMS)
  })

  it('reproduces every checksum when the process is killed half-way and recovers', async () => {
    const journal = join(folder, 'killed')
    const script = fileURLToPath(new URL('./support/kraken-process.js', import.meta.url))
    const child = spawn(process.execPath, [script, feed!, journal], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const checksums = new Map<number, number>()
    for await (const reported of createInterface({ input: child.stdout })) {
      const [line, checksum] = reported.split(' ').map(Number)
      checksums.set(line!, checksum!)
      if (line === LINES / 2) child.kill('SIGKILL')
    }
    if (child.signalCode === null) await once(child, 'exit')
    expect(child.signalCode).toBe('SIGKILL')

    const engine = await Engine.open(journal, levelBooks)
    expect(engine.report.events).toBeGreaterThan(0)
    // The line that was perhaps kept, though not acknowledged, is given again under its key.
    const acknowledged = checksums.size
    for (const [line, checksum] of await execute(engine, acknowledged + 1)) {
      checksums.set(line, checksum)
    }
    await engine.close()
    const equal = countEqual(checksums)
    console.info(`kraken, killed after line ${acknowledged}: ${equal} of ${CHECKSUMS} checksums`)
    expect(acknowledged).toBeLessThan(LINES)
    expect(equal).toBe(CHECKSUMS)
  })
})
