/** What comes as text: lines and files of a feed, the arguments of the command line, and its reading. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { parseArguments, UsageError } from '../../../engine/cli/arguments.js'
import { infoCommand } from '../../../engine/cli/info-command.js'
import { LineOutput } from '../../../engine/cli/line-output.js'
import { readCommand } from '../../../engine/cli/read-command.js'
import { blockHash } from '../../../journal/block-header.js'
import { assert } from '../../../journal/errors.js'
import { proofText } from '../../../journal/event-proof.js'
import { checkProof } from '../../../journal/proof-check.js'
import { parseBitstampLine, readBitstampRows } from '../../../scripts/feeds/bitstamp.js'
import { type BrokenLine, linesOf } from '../../../scripts/feeds/feed-lines.js'
import { JournalBuilder } from '../journal-builder.js'
import type { SeededRandom } from '../seeded-random.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import { type JournalSample, lastOf } from './journal-sample.js'
import { mutateBytes, mutateInPlace } from './mutation.js'

const FEED_LINES = [
  '1000 order_created {"price":"236.47","amount":"1.78855669","datetime":"1","id":7,"order_type":1}',
  '1001 order_deleted {"price":"236.47","amount":"0","datetime":"1","id":7,"order_type":0}',
  '1002 trade {"id":1,"price":236.47,"amount":0.1}',
  '1003 order_book {"bids":[["1.00","2"],["0.99","3"]],"asks":[["1.01","4.5"]]}',
  '',
]

/** Works in `folder`, which the caller removes. */
export function textTargets(folder: string, sample: JournalSample): FuzzTarget[] {
  return [
    feedLineTarget(),
    feedPiecesTarget(),
    feedFileTarget(folder),
    argumentsTarget(),
    proofTarget(sample),
    readingTarget(folder, sample),
  ]
}

export function makeFuzzFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tidewheel-fuzz-'))
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

function feedLineTarget(): FuzzTarget {
  return {
    name: 'feed line',
    inputs: EVERY_DECODER,
    makeValid: (random) => textBytes(FEED_LINES[random.below(FEED_LINES.length)] as string),
    decode(bytes) {
      const row = parseBitstampLine(Buffer.from(bytes).toString('utf8'), 1)
      if (typeof row === 'string' || row.kind === 'trade' || row.kind === 'order_book') return
      const { priceCents, amountSatoshi } = row
      const isExact = Number.isSafeInteger(priceCents) && Number.isSafeInteger(amountSatoshi)
      assert(isExact && priceCents >= 0 && amountSatoshi >= 0, 'a row has exact values')
    },
  }
}

/** The bytes of a feed in pieces, the first of which ends anywhere: lines and signs are cut in two. */
function feedPiecesTarget(): FuzzTarget {
  const intact = textBytes(FEED_LINES.join('\n'))
  return {
    name: 'feed, in pieces',
    inputs: EVERY_DECODER,
    makeValid: () => intact.slice(),
    async decode(bytes) {
      const whole = Buffer.from(bytes)
      const cut = whole.length === 0 ? 0 : lastOf(bytes) % whole.length
      const texts: string[] = []
      for await (const { line, text } of linesOf(
        [whole.subarray(0, cut), whole.subarray(cut)],
        noneBroken,
      )) {
        texts.push(text)
        assert(line === texts.length, 'lines come in order')
      }
      const expected = whole.toString('utf8').split('\n')
      if (expected.at(-1) === '') expected.pop()
      assert(texts.join('\n') === expected.map(withoutReturn).join('\n'), 'no line is lost or cut')
    },
  }
}

function noneBroken({ reason }: BrokenLine): void {
  assert(false, `no line is that long: ${reason}`)
}

function withoutReturn(text: string): string {
  return text.replace(/\r$/, '')
}

function feedFileTarget(folder: string): FuzzTarget {
  const plain = textBytes(FEED_LINES.join('\n'))
  const compressed = gzipSync(plain)
  return {
    name: 'feed file',
    inputs: 3_000,
    // The first byte says whether it is compressed.
    makeValid: (random) => (random.below(2) === 0 ? prefixed(0, plain) : prefixed(1, compressed)),
    mutate: (bytes, random) => prefixed(bytes[0] as number, mutateBytes(bytes.slice(1), random)),
    async decode(bytes) {
      const file = join(folder, bytes[0] === 1 ? 'feed.gz' : 'feed')
      writeFileSync(file, bytes.subarray(1))
      let broken = 0
      let line = 0
      for await (const row of readBitstampRows(file, () => broken++)) {
        assert(row.line > line, 'lines come in order')
        line = row.line
      }
    },
  }
}

const WORDS = [
  'read',
  'verify',
  'info',
  'help',
  '--help',
  '-h',
  '--version',
  '-V',
  '--from',
  '--from=3',
  '--to',
  '--limit',
  '--id',
  '--stream',
  '--json',
  '--threads',
  '--threads=2',
  '--',
  '-',
  '',
  './journal',
  '1',
  '0',
  '-1',
  '9007199254740993',
  '1e9',
  'Account',
  '../../x',
  '__proto__',
  '--__proto__',
  '--no-json',
  '-jh',
  '--json=yes',
  '\u001b[2J',
  '\ud800',
]

/** Arguments are separated by zeros, which none can hold. */
function argumentsTarget(): FuzzTarget {
  return {
    name: 'arguments',
    inputs: EVERY_DECODER,
    makeValid(random) {
      const words = ['read', './journal', '--from', '1', '--to', '9', '--stream', 'Account']
      return textBytes(words.slice(0, 2 + 2 * random.below(4)).join('\0'))
    },
    mutate(bytes, random) {
      if (random.below(3) === 0) return mutateBytes(bytes, random)
      const words = Buffer.from(bytes).toString('utf8').split('\0')
      for (let left = 1 + random.below(4); left > 0; left--) {
        const word = WORDS[random.below(WORDS.length)] as string
        words.splice(random.below(words.length + 1), random.below(2), word)
      }
      return textBytes(words.join('\0'))
    },
    decode: (bytes) => void parseArguments(Buffer.from(bytes).toString('utf8').split('\0')),
    isExpected: (error) => error instanceof UsageError,
  }
}

/**
 * A block that is one whole proof, and the head that its own hash is: so what lies behind the check
 * of the hash is reached with any bytes. Those that are no block at all come as text instead.
 */
function proofTarget({ blocks }: JournalSample): FuzzTarget {
  const builder = new JournalBuilder({ segmentBytes: 64 * 1024 })
  // The catalogue, and a command with every type of event.
  const few = blocks.slice(0, 2)
  const events = few.reduce((sum, block) => sum + block.events, 0)
  builder.block({ events, frames: few.map(({ payload }) => payload) })
  const { offset, usedBytes } = builder.at(1)
  const block = builder.bytesAround(1).slice(offset, offset + usedBytes)
  return {
    name: 'event proof',
    inputs: EVERY_DECODER,
    makeValid: (random) => prefixed(1 + random.below(events), block),
    mutate: (bytes, random) => prefixed(bytes[0] as number, mutateInPlace(bytes.slice(1), random)),
    decode(bytes) {
      const sequence = Math.max(1, bytes[0] ?? 1)
      const whole = bytes.slice(1)
      const head = { sequence, hash: Buffer.from(blockHash(whole)).toString('hex') }
      const proof = proofText({ sequence, chain: [{ block: whole }] })
      const event = checkProof(proof, head)
      assert(event.sequence === sequence, 'a proof shows the event that it names')
    },
  }
}

/** `tidewheel read` and `info` on a directory in which one segment is the input. */
function readingTarget(folder: string, { blocks }: JournalSample): FuzzTarget {
  const builder = new JournalBuilder({ segmentBytes: 20 * 1024 })
  for (const { events, payload } of blocks) builder.block({ events, frames: [payload] })
  const { storage } = builder
  for (const [name, bytes] of storage.files) writeFileSync(join(folder, name), bytes)
  const names = [...storage.files.keys()].sort()
  return {
    name: 'command line on a journal',
    inputs: 1_500,
    makeValid(random: SeededRandom) {
      const index = random.below(names.length)
      return prefixed(index, storage.bytesOf(names[index] as string))
    },
    mutate: (bytes, random) => prefixed(bytes[0] as number, mutateInPlace(bytes.slice(1), random)),
    async decode(bytes) {
      const name = names[(bytes[0] as number) % names.length] as string
      const file = join(folder, name)
      writeFileSync(file, bytes.subarray(1))
      try {
        await infoCommand(folder, true, sink())
        await readCommand(folder, {}, sink())
      } finally {
        writeFileSync(file, storage.bytesOf(name))
      }
    },
  }
}

function sink(): LineOutput {
  return new LineOutput(new Writable({ write: (_piece, _encoding, done) => done() }))
}

function textBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text))
}

function prefixed(first: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(1 + bytes.length)
  whole[0] = first
  whole.set(bytes, 1)
  return whole
}
