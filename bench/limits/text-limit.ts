/**
 * The limit of transfers with text ids and an idempotency key on each: transfer-limit.ts, with text
 * that is encoded, hashed and compared with what is kept, and a window of the last keys.
 *
 *   frame:  the 64 bytes of a transfer │ keyed outcome: header 16, hash 8, 6 bytes, key │ to 8 bytes
 *
 * Included beyond transfer-limit.ts: UTF-8 of the ids and the key, since a hash is of bytes; tables
 * that have their size from the start; the content hash that the journal keeps; and one key that
 * leaves the window for each that enters it. All keys are new, which is looked up.
 */
import { contentHashHigh, contentHashLow } from '../../engine/memory/hash.js'
import {
  KEYED_OUTCOME_CODE_BYTES,
  KEYED_OUTCOME_HASH,
  KEYED_OUTCOME_KEY_BYTES,
  KEYED_OUTCOME_KIND,
  KEYED_OUTCOME_RECORD,
  KEYED_OUTCOME_TEXTS,
  OUTCOME_ACCEPTED,
  RECORD_LENGTH,
  RECORD_SLOT,
  RECORD_TYPE,
  RECORD_VERSION,
} from '../../journal/record-layout.js'
import type { Contender } from '../benchmark.js'
import type { TextOptions } from '../benchmarks/transfer-text.js'
import { keyOf } from '../domains/text-ledger-user.js'
import { textId } from '../ids.js'
import { AMOUNT, TransferWorkload } from '../transfer-workload.js'
import { type LimitLoop, limitContender } from './limit-contender.js'
import { LimitJournal } from './limit-journal.js'
import { encodeText, hashText, KeyWindow, TEXT_WORDS, TextTable } from './text-tables.js'
import { TRANSFER_BYTES, TransferSlab } from './transfer-slab.js'

const BATCH = 256
/** A transfer's texts in the batch's scratch: from, to, key; the ids are its content. */
const TEXTS = 3
const CONTENT_BYTES = 2 * TEXT_WORDS * 4

export async function prepare(options: TextOptions): Promise<Contender<number>> {
  const { directory, accounts, keyCountMax, seed } = options
  const journal = await LimitJournal.start(directory)
  const loop = new TextLoop(journal, accounts, keyCountMax, new TransferWorkload(seed, accounts))
  return limitContender(journal, loop, options.transfers, options.warmUp)
}

class TextLoop implements LimitLoop {
  private readonly journal: LimitJournal
  private readonly workload: TransferWorkload
  private readonly keyCountMax: number
  private readonly table: TextTable
  private readonly keys: KeyWindow
  private readonly slab: TransferSlab
  /** Of a batch. */
  private readonly words = new Int32Array(BATCH * TEXTS * TEXT_WORDS)
  private readonly bytes = new Uint8Array(this.words.buffer)
  private readonly view = new DataView(this.words.buffer)
  private readonly hashes = new Int32Array(BATCH * TEXTS)
  private readonly keyBytes = new Int32Array(BATCH)
  private readonly slots = new Int32Array(2 * BATCH)
  private readonly homes = new Int32Array(2 * BATCH)
  private readonly keyHomes = new Int32Array(BATCH)
  private transfers = 0
  private submitted = 0

  constructor(
    journal: LimitJournal,
    accounts: number,
    keyCountMax: number,
    workload: TransferWorkload,
  ) {
    this.journal = journal
    this.workload = workload
    this.keyCountMax = keyCountMax
    this.table = new TextTable(accounts)
    this.keys = new KeyWindow(keyCountMax)
    this.slab = new TransferSlab(accounts)
    for (let account = 0; account < accounts; account++) {
      this.words.fill(0, 0, TEXT_WORDS)
      encodeText(textId(account), this.bytes, 0)
      this.table.put(account + 1, hashText(this.words, 0), this.words, 0)
    }
  }

  /** Returns when all of them are on disk. */
  run(transfers: number): void {
    for (let done = 0; done < transfers; done += BATCH) {
      this.batch(Math.min(BATCH, transfers - done))
    }
    this.journal.drain()
    this.transfers += transfers
  }

  verify(): void {
    this.slab.verify(this.transfers)
    const expected = Math.min(this.transfers, this.keyCountMax)
    if (this.keys.count !== expected) throw new Error(`${this.keys.count} keys of ${expected}`)
  }

  private batch(count: number): void {
    const { journal, slab, slots } = this
    this.encode(count)
    this.findSlots(count)
    slab.touch(slots, 2 * count)
    const start = journal.makeRoom(count * (TRANSFER_BYTES + KEYED_OUTCOME_TEXTS + 40))
    const { view } = journal
    const timeUs = Date.now() * 1000
    let o = start
    for (let i = 0; i < count; i++) {
      const outcomeBytes = KEYED_OUTCOME_TEXTS + this.keyBytes[i]!
      const frameBytes = TRANSFER_BYTES + ((outcomeBytes + 7) & -8)
      slab.transfer(view, o, slots[2 * i]!, slots[2 * i + 1]!, AMOUNT, timeUs, frameBytes)
      this.keep(i, view, o + TRANSFER_BYTES, outcomeBytes, timeUs)
      o += frameBytes
    }
    journal.publish(o - start)
  }

  private encode(count: number): void {
    const { words, bytes, hashes, workload, table, keys, homes, keyHomes } = this
    words.fill(0)
    for (let i = 0; i < count; i++) {
      const at = i * TEXTS
      encodeText(textId(workload.nextAccount()), bytes, at)
      encodeText(textId(workload.nextAccount()), bytes, at + 1)
      this.keyBytes[i] = encodeText(keyOf(++this.submitted), bytes, at + 2)
      for (let t = at; t < at + TEXTS; t++) hashes[t] = hashText(words, t)
      homes[2 * i] = table.home(hashes[at]!)
      homes[2 * i + 1] = table.home(hashes[at + 1]!)
      keyHomes[i] = keys.home(hashes[at + 2]!)
    }
    table.touch(homes, 2 * count)
    keys.touch(keyHomes, count)
    keys.touch(keyHomes, keys.leavingHomes(count, keyHomes))
  }

  private findSlots(count: number): void {
    const { words, hashes, slots, table } = this
    for (let i = 0; i < count; i++) {
      const at = i * TEXTS
      slots[2 * i] = table.find(hashes[at]!, words, at)
      slots[2 * i + 1] = table.find(hashes[at + 1]!, words, at + 1)
    }
  }

  /** Writes the keyed outcome of transfer `i` of the batch, and remembers it. */
  private keep(i: number, view: DataView, o: number, outcomeBytes: number, timeUs: number): void {
    const { words, keys } = this
    const at = i * TEXTS + 2
    const hash = this.hashes[at]!
    if (keys.find(hash, words, at) !== 0) throw new Error('a key came twice')
    const content = i * TEXTS * TEXT_WORDS * 4
    const low = contentHashLow(this.view, content, CONTENT_BYTES) ^ AMOUNT
    const high = contentHashHigh(this.view, content, CONTENT_BYTES)
    view.setUint32(o + RECORD_LENGTH, outcomeBytes, true)
    view.setUint32(o + RECORD_TYPE, KEYED_OUTCOME_RECORD, true)
    view.setUint32(o + RECORD_SLOT, 0, true)
    view.setUint32(o + RECORD_VERSION, 0, true)
    view.setUint32(o + KEYED_OUTCOME_HASH, low, true)
    view.setUint32(o + KEYED_OUTCOME_HASH + 4, high, true)
    view.setUint16(o + KEYED_OUTCOME_KIND, OUTCOME_ACCEPTED, true)
    view.setUint16(o + KEYED_OUTCOME_KEY_BYTES, this.keyBytes[i]!, true)
    view.setUint16(o + KEYED_OUTCOME_CODE_BYTES, 0, true)
    // The key and the zeros behind it, up to the next word of the frame.
    const text = o + KEYED_OUTCOME_TEXTS
    const end = o + ((outcomeBytes + 7) & -8)
    const key = at * TEXT_WORDS * 4
    for (let j = 0; text + j < end; j++) view.setUint8(text + j, this.bytes[key + j]!)
    keys.add(hash, words, at, low, high, 2 * this.submitted, timeUs)
  }
}
