/**
 * A proof that an event lies in the history of a head that somebody has noted elsewhere
 * (chain-head.ts). It is checked without the journal (proof-check.ts): whoever made it need not be
 * trusted.
 *
 * The hash of block k is  hash(k) = SHA-256( hash(k−1) ‖ digest(k) ),  and
 *                       digest(k) = SHA-256( header ‖ frames ).
 *
 *    whole      32 bytes   32 bytes   whole      32 bytes   32 bytes
 *   ┌───────┐  ┌────────┐ ┌────────┐ ┌───────┐  ┌────────┐ ┌────────┐
 *   │block 4│─▶│digest 5│▶│digest 6│▶│block 7│─▶│digest 8│▶│digest 9│─▶ hash(9) is what was noted
 *   └───────┘  └────────┘ └────────┘ └───────┘  └────────┘ └────────┘
 *    opens the stream                 the event
 *
 * What an event means takes up to three places: its own block has number of type, slot and payload;
 * the last block with a catalogue says what type and fields are called; the blocks that opened the
 * streams say which ids the slots stand for (that of the event, and those that its fields name). All
 * of these are in the proof, else its maker could call the event's account by another name.
 *
 * Why nobody can make a false one: the checker starts with the previous hash in the first block, which
 * proves nothing yet, and computes forward. Arriving at the noted hash with other bytes anywhere, or
 * with another order, would take two inputs with one SHA-256: the noted hash fixes the last digest
 * and the hash before it, that hash the ones before it, and so on down to the whole blocks. Both
 * inputs of hash(k) have 32 bytes, so none can pass for the other. What the engine never does (open a slot
 * twice, change an entry of the catalogue) is then in no block that is accepted.
 *
 * What it does not prove: that the journal has gone on unchanged since, or that the one who runs the
 * engine wrote true events into it.
 *
 * Size: the whole blocks (one to three, and one for each further stream that is named; 4 KiB to 1 MiB
 * each), and 32 bytes for every other block from the first of them to the head, all times 4/3 for
 * base64. The oldest of the streams decides, and the head: so a proof is made up to the first head
 * that was noted after the event.
 */
import { blockDigest, chainHash } from './block-header.js'
import { BLOCK_HEADER_BYTES, HASH_BYTES } from './block-layout.js'
import type { NotedHead } from './chain-head.js'
import { TidewheelError } from './errors.js'
import { journalBlocks } from './event-reader.js'
import { EventWalk } from './event-walk.js'
import { FrameCursor } from './frames.js'
import { type JournalFolder, openJournalFolder } from './journal-folder.js'
import type { JournalBlock } from './journal-reader.js'
import {
  CATALOGUE_RECORD,
  RECORD_SLOT,
  STREAM_OPENED_AGGREGATE,
  STREAM_OPENED_RECORD,
} from './record-layout.js'
import { segmentName } from './segment-layout.js'

export const PROOF_KIND = 'event proof 1'
/** Half a gigabyte is the longest text that Node has. */
export const PROOF_TEXT_BYTES_MAX = 256 * 1024 * 1024
/** Leaves room for the whole blocks. */
const DIGESTS_MAX = 4 * 1024 * 1024

/** Blocks in order, without a gap: one of them whole, or the digests of some. */
export type ProofPart = { readonly block: Uint8Array } | { readonly digests: Uint8Array }

export interface EventProof {
  readonly sequence: number
  readonly chain: readonly ProofPart[]
}

/** Where the event is, and what else is needed to read it. */
interface Wanted {
  readonly block: number
  readonly catalogueBlock: number
  /** As {@link streamKey} names them. */
  readonly streams: ReadonlySet<string>
}

export function streamKey(aggregateNumber: number, slot: number): string {
  return `${aggregateNumber}:${slot}`
}

/**
 * Reads the journal up to the head twice. It takes no lock and never writes.
 *
 * @param head up to which the proof leads; default: the last block of the journal
 * @throws TidewheelError PROOF_FAILED when there is no such event, or no such head behind it;
 *   JOURNAL_DAMAGED, NOT_A_JOURNAL, JOURNAL_UNREADABLE
 */
export async function proveEvent(
  path: string,
  sequence: number,
  head?: NotedHead,
): Promise<EventProof> {
  if (head !== undefined && head.sequence < sequence) {
    refuse(
      `the head was noted at sequence ${head.sequence}, before event ${sequence} was written; give a later one`,
    )
  }
  const folder = openJournalFolder(path)
  const wanted = await findWanted(folder, sequence)
  const chain = new ChainParts()
  let hash: Uint8Array = new Uint8Array(HASH_BYTES)
  for await (const block of journalBlocks(folder)) {
    const { header } = block
    if (Buffer.compare(header.previousHash, hash) !== 0) throw brokenChain(block)
    const bytes = bytesOf(block)
    const digest = blockDigest(bytes)
    hash = chainHash(hash, digest)
    if (isWhole(block, wanted)) chain.addBlock(bytes)
    else chain.addDigest(digest)
    if (head === undefined || header.blockNumber < wanted.block) continue
    if (Buffer.from(hash).toString('hex') === head.hash) return { sequence, chain: chain.take() }
  }
  if (head === undefined) return { sequence, chain: chain.take() }
  refuse(
    `no block from event ${sequence} on has the hash of this head; run tidewheel verify --head`,
  )
}

/** One object of JSON: see file-format.md. */
export function proofText({ sequence, chain }: EventProof): string {
  const base64 = (bytes: Uint8Array): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  const parts = chain.map((part) =>
    'block' in part ? { block: base64(part.block) } : { digests: base64(part.digests) },
  )
  return JSON.stringify({ tidewheel: PROOF_KIND, sequence, chain: parts })
}

async function findWanted(folder: JournalFolder, sequence: number): Promise<Wanted> {
  const walk = new EventWalk()
  let catalogueBlock = 0
  let last = 0
  for await (const block of journalBlocks(folder)) {
    const { blockNumber } = block.header
    walk.enterBlock(block)
    if (records(block, (cursor) => cursor.recordType === CATALOGUE_RECORD)) {
      catalogueBlock = blockNumber
    }
    while (walk.nextEvent()) {
      last = walk.sequence
      if (last < sequence) continue
      walk.check()
      const streams = new Set(walk.streamsOfEvent().map(([of, slot]) => streamKey(of, slot)))
      return { block: blockNumber, catalogueBlock, streams }
    }
  }
  refuse(`the journal has no event ${sequence}: its last one has sequence ${last}`)
}

function isWhole(block: JournalBlock, wanted: Wanted): boolean {
  const { blockNumber } = block.header
  if (blockNumber === wanted.block || blockNumber === wanted.catalogueBlock) return true
  if (blockNumber > wanted.block) return false
  return records(block, ({ view, recordOffset, recordType }) => {
    if (recordType !== STREAM_OPENED_RECORD) return false
    const aggregate = view.getUint16(recordOffset + STREAM_OPENED_AGGREGATE, true)
    const slot = view.getUint32(recordOffset + RECORD_SLOT, true)
    return wanted.streams.has(streamKey(aggregate, slot))
  })
}

/** Whether the block has a record for which this is true. */
function records(
  { view, frameOffset, payloadBytes }: JournalBlock,
  isIt: (cursor: FrameCursor) => boolean,
): boolean {
  const cursor = new FrameCursor()
  cursor.reset(view, frameOffset, payloadBytes)
  while (cursor.nextFrame()) {
    while (cursor.nextRecord()) if (isIt(cursor)) return true
  }
  return false
}

/** Header and payload. The memory belongs to the reader. */
function bytesOf({ view, frameOffset, payloadBytes }: JournalBlock): Uint8Array {
  const begin = view.byteOffset + frameOffset - BLOCK_HEADER_BYTES
  return new Uint8Array(view.buffer, begin, BLOCK_HEADER_BYTES + payloadBytes)
}

/** Begins with the first whole block: what comes before it is of no use. */
class ChainParts {
  private readonly parts: ProofPart[] = []
  private run: Uint8Array[] = []
  private count = 0

  addBlock(bytes: Uint8Array): void {
    this.endRun()
    this.parts.push({ block: bytes.slice() })
  }

  addDigest(digest: Uint8Array): void {
    if (this.parts.length === 0) return
    if (++this.count > DIGESTS_MAX) {
      refuse(
        `more than ${DIGESTS_MAX} blocks lie between what the event needs and the head; give a head that was noted sooner after it, or show the journal itself`,
      )
    }
    this.run.push(digest)
  }

  take(): readonly ProofPart[] {
    this.endRun()
    return this.parts
  }

  private endRun(): void {
    if (this.run.length > 0) this.parts.push({ digests: Buffer.concat(this.run) })
    this.run = []
  }
}

function brokenChain({ header }: JournalBlock): TidewheelError {
  return new TidewheelError(
    'JOURNAL_DAMAGED',
    `the hash in block ${header.blockNumber} is not that of the block before it, so nothing can be proved with it; run tidewheel verify`,
    { file: segmentName(header.segmentNumber), offset: header.fileOffset },
  )
}

function refuse(reason: string): never {
  throw new TidewheelError('PROOF_FAILED', reason)
}
