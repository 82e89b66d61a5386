/**
 * A process that a test kills: gives a recorded feed to an engine, line by line, and reports the
 * checksum of each pair's book once its update is durable.
 *
 *   node kraken-process.js FEED JOURNAL     prints `<line> <checksum>` for each acknowledged line
 */
import { writeSync } from 'node:fs'
import { Engine } from '../../engine/index.js'
import { readFeedLines } from '../../scripts/feeds/feed-lines.js'
import { parseKrakenLine, updateCommand } from './kraken-feed.js'
import { checksumOf } from './level-book.js'
import levelBooks, { Book } from './level-book-domain.js'

const [feed = '', journal = ''] = process.argv.slice(2)
const engine = await Engine.open(journal, levelBooks)
for await (const { line, text } of readFeedLines(feed, ({ reason }) => fail(reason))) {
  const update = parseKrakenLine(text)
  const receipt = await engine.execute(...updateCommand(update), { key: `line-${line}` })
  if (!receipt.accepted) fail(receipt.code)
  const book = engine.get(Book, update.pair)
  // Synchronous, so that what was reported has left this process when it is killed.
  writeSync(1, `${line} ${book === undefined ? 'none' : checksumOf(book.snapshot())}\n`)
}
await engine.close()

function fail(reason: string): never {
  throw new Error(`the feed cannot be replayed: ${reason}`)
}
