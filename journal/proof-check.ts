/**
 * Checks the proof of an event (event-proof.ts) against a head that was noted elsewhere, and reads
 * the event out of it. It needs nothing but the text of the proof, which may come from anyone.
 *
 *   hashes, from the first block on ─▶ one of them, behind all whole blocks, is the noted one
 *                                   ─▶ so every byte of the whole blocks is the journal's
 *                                   ─▶ catalogue, ids, event
 *
 * Nothing is looked for in a block before the noted hash has vouched for it. Its structure is checked
 * even so: a journal, too, may come from a stranger, with its head.
 */
import { type BlockHeader, blockDigest, chainHash, readProvenHeader } from './block-header.js'
import { BLOCK_BYTES_MAX, BLOCK_HEADER_BYTES, HASH_BYTES } from './block-layout.js'
import type { NotedHead } from './chain-head.js'
import { causeOf, TidewheelError } from './errors.js'
import { PROOF_KIND, type ProofPart, streamKey } from './event-proof.js'
import type { JournalEvent } from './event-walk.js'
import { FrameCursor, frameProblem } from './frames.js'
import { JournalTypes } from './journal-types.js'
import {
  CATALOGUE_RECORD,
  RECORD_SLOT,
  STREAM_OPENED_AGGREGATE,
  STREAM_OPENED_ID,
  STREAM_OPENED_ID_BYTES,
  STREAM_OPENED_RECORD,
} from './record-layout.js'
import type { IdValue } from './schema/id-type.js'
import { StreamDirectory } from './stream-directory.js'

/**
 * The event that is proved.
 * @throws TidewheelError PROOF_FAILED, with what does not hold
 */
export function checkProof(text: string, head: NotedHead): JournalEvent {
  const { sequence, chain } = parse(text)
  if (head.sequence < sequence) {
    refuse(`the head was noted at sequence ${head.sequence}, before event ${sequence}`)
  }
  if (!leadsTo(chain, head.hash)) {
    refuse(
      'its blocks do not lead to the hash of this head: it is of another head, or it was changed',
    )
  }
  try {
    return new ProvenBlocks(chain).event(sequence)
  } catch (error) {
    if (!(error instanceof TidewheelError) || error.code === 'PROOF_FAILED') throw error
    return refuse(causeOf(error))
  }
}

interface ParsedProof {
  readonly sequence: number
  readonly chain: readonly ProofPart[]
}

function parse(text: string): ParsedProof {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    refuse('it is no JSON')
  }
  const { tidewheel, sequence, chain } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (tidewheel !== PROOF_KIND) refuse(`it is no ${PROOF_KIND} of tidewheel`)
  if (!Number.isSafeInteger(sequence) || (sequence as number) < 1) refuse('it names no sequence')
  if (!Array.isArray(chain) || chain.length === 0) refuse('it has no chain')
  return { sequence: sequence as number, chain: chain.map(partOf) }
}

function partOf(value: unknown): ProofPart {
  const { block, digests } = (value ?? {}) as Readonly<Record<string, unknown>>
  if (typeof block === 'string') {
    const bytes = decode(block)
    if (bytes.length >= BLOCK_HEADER_BYTES && bytes.length <= BLOCK_BYTES_MAX) {
      return { block: bytes }
    }
  } else if (typeof digests === 'string') {
    const bytes = decode(digests)
    if (bytes.length > 0 && bytes.length % HASH_BYTES === 0) return { digests: bytes }
  }
  refuse('a part of its chain is neither a block nor digests')
}

/** In memory of its own, at offset 0. */
function decode(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

function leadsTo(chain: readonly ProofPart[], noted: string): boolean {
  const lastWhole = chain.findLastIndex((part) => 'block' in part)
  let hash: Uint8Array | undefined
  for (const [index, part] of chain.entries()) {
    const isBehindAll = index >= lastWhole
    if ('block' in part) {
      const header = headerOf(part.block)
      if (hash !== undefined && Buffer.compare(header.previousHash, hash) !== 0) return false
      hash = chainHash(header.previousHash, blockDigest(part.block))
      if (isBehindAll && isNoted(hash, noted)) return true
      continue
    }
    // What leads to the first block is not known, and not needed.
    if (hash === undefined) return false
    for (let at = 0; at < part.digests.length; at += HASH_BYTES) {
      hash = chainHash(hash, part.digests.subarray(at, at + HASH_BYTES))
      if (isBehindAll && isNoted(hash, noted)) return true
    }
  }
  return false
}

function isNoted(hash: Uint8Array, noted: string): boolean {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex') === noted
}

function headerOf(block: Uint8Array): BlockHeader {
  const header = readProvenHeader(block)
  if (header?.payloadBytes === block.length - BLOCK_HEADER_BYTES) return header
  return refuse('a block of its chain has no header')
}

/** The whole blocks of a chain, and what their records say. */
class ProvenBlocks {
  private readonly blocks: readonly { readonly header: BlockHeader; readonly view: DataView }[]
  private readonly types = new JournalTypes()
  private readonly ids = new Map<string, IdValue>()
  private readonly cursor = new FrameCursor()

  constructor(chain: readonly ProofPart[]) {
    this.blocks = chain.flatMap((part) => {
      if (!('block' in part)) return []
      const header = headerOf(part.block)
      const { payloadBytes, frameCount, eventCount } = header
      const view = new DataView(part.block.buffer)
      const problem = frameProblem(view, BLOCK_HEADER_BYTES, payloadBytes, frameCount, eventCount)
      return problem === ''
        ? [{ header, view }]
        : refuse(`block ${header.blockNumber} holds ${problem}`)
    })
  }

  event(sequence: number): JournalEvent {
    const { cursor, types } = this
    // First, since an id is read by the type of its aggregate.
    this.eachRecord(() => {
      if (cursor.recordType !== CATALOGUE_RECORD) return
      types.take(cursor.view, cursor.payloadOffset, cursor.payloadBytes)
    })
    this.eachRecord(() => {
      if (cursor.recordType === STREAM_OPENED_RECORD) this.takeStream()
    })
    let found: JournalEvent | undefined
    this.eachRecord((at) => {
      if (cursor.isEvent && at === sequence) found = this.decodeEvent(sequence)
    })
    return found ?? refuse(`none of its blocks holds event ${sequence}`)
  }

  /** `visit` gets the sequence of the last event so far: of the one that the cursor stands on, if it is one. */
  private eachRecord(visit: (sequence: number) => void): void {
    const { cursor } = this
    for (const { header, view } of this.blocks) {
      let sequence = header.baseSequence - 1
      cursor.reset(view, BLOCK_HEADER_BYTES, header.payloadBytes)
      while (cursor.nextFrame()) {
        while (cursor.nextRecord()) {
          if (cursor.isEvent) sequence++
          visit(sequence)
        }
      }
    }
  }

  private takeStream(): void {
    const { view, recordOffset } = this.cursor
    const number = view.getUint16(recordOffset + STREAM_OPENED_AGGREGATE, true)
    const slot = view.getUint32(recordOffset + RECORD_SLOT, true)
    const idBytes = view.getUint16(recordOffset + STREAM_OPENED_ID_BYTES, true)
    // Others that were opened in the same block may be of aggregates that came later.
    if (this.types.catalogue?.get(number)?.kind !== 'aggregate') return
    const { idType } = this.types.aggregate(number)
    const one = new StreamDirectory()
    const problem = one.open(number, idType, 1, view, recordOffset + STREAM_OPENED_ID, idBytes)
    if (problem !== '') refuse(`it opens a stream with ${problem}`)
    this.ids.set(streamKey(number, slot), one.idOf(number, 1) as IdValue)
  }

  private decodeEvent(sequence: number): JournalEvent {
    const { cursor } = this
    const { view, payloadOffset, payloadBytes, slot, version, timeUs: time } = cursor
    const {
      name: type,
      aggregate: stream,
      aggregateNumber,
      codec,
    } = this.types.event(cursor.recordType)
    const damage = codec.check(view, payloadOffset, payloadBytes)
    if (damage !== undefined) refuse(`the payload of event ${sequence} is not valid: ${damage}`)
    const idOf = (of: number, at: number): IdValue =>
      this.ids.get(streamKey(of, at)) ??
      refuse(`it lacks the block that opened a stream of event ${sequence}`)
    const data = codec.decode(view, payloadOffset, payloadBytes, { idOf })
    return { sequence, time, type, stream, id: idOf(aggregateNumber, slot), version, data }
  }
}

function refuse(reason: string): never {
  throw new TidewheelError('PROOF_FAILED', `the proof does not hold: ${reason}`)
}
