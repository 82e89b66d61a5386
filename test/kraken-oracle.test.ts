import { beforeAll, describe, expect, it } from 'vitest'
import { readFeedLines } from '../scripts/feeds/feed-lines.js'
import { findData } from './support/data-folder.js'
import { type KrakenUpdate, parseKrakenLine, updateCommand } from './support/kraken-feed.js'
import { checksumOf } from './support/level-book.js'
import { Book } from './support/level-book-domain.js'
import { NaiveObjectEngine } from './support/naive-object-engine.js'

const feed = findData('kraken-l2-checksum-2021-04-17/book-1000.txt.gz')

describe.skipIf(feed === undefined)('level books against an exchange’s checksums', () => {
  const updates: KrakenUpdate[] = []

  beforeAll(async () => {
    const refuse = ({ line, reason }: { line: number; reason: string }) => {
      throw new Error(`line ${line} ${reason}`)
    }
    for await (const { text } of readFeedLines(feed!, refuse)) updates.push(parseKrakenLine(text))
  })

  it('reproduces every checksum, also from a restored book', () => {
    const engine = new NaiveObjectEngine()
    let equal = 0
    for (const [index, update] of updates.entries()) {
      expect(engine.execute(...updateCommand(update)).accepted).toBe(true)
      if (index === Math.floor(updates.length / 2)) engine.restart(Book)
      if (update.checksum === undefined) continue
      if (checksumOf(engine.get(Book, update.pair).snapshot()) === update.checksum) equal += 1
    }
    console.info(`kraken: ${equal} checksums reproduced in ${updates.length} lines`)
    expect([updates.length, equal]).toEqual([2_652, 2_647])
  })
})
