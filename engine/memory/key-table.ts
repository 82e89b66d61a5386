/**
 * What the engine has answered to commands with a key, so that the same key again gets the same
 * answer. A function of the journal alone: its KEYED_OUTCOME records and the windows of its
 * catalogues (key-window.ts), in order.
 *
 *   keys ──HashIndex──▶ entries in the order added (key-log.ts)
 *                       │ too old │ visible at time t              │
 *                                  ◀──── at most countMax ─────────▶
 *
 * The rule: at journal time t an entry is visible if it is among the last `countMax` that were added
 * and t − its time ≤ `ageMaxUs`. `find` and `entries` apply it exactly. Memory is a different
 * matter: an entry beyond `countMax` goes at once, one that is too old a little later, a few with
 * every `add` and `advance`, so that the first command after a quiet week does not wait while a
 * million entries are thrown away. So `count` is what is held, not what is visible.
 *
 * Another window takes effect at a place of the journal: the entries that either window does not
 * show there are gone, so that a larger one does not bring them back. A key is therefore never added
 * while an entry with it is visible; a journal that says so is refused.
 *
 * Nothing is ever taken back: an entry is added when its transaction is complete, after `evolve` has
 * run, and what is complete is published. A transaction that fails earlier has added nothing, or
 * adds its rejection in the end. There could be no undo either, since adding evicts.
 *
 * An entry is named by its reference, a number other than 0 that is valid until the next `add` or
 * `advance`. Detail and code of a rejection are copied in and out; the path of an accepted command
 * allocates nothing.
 */
import { Buffer } from 'node:buffer'
import { assert, TidewheelError } from '../../journal/errors.js'
import { type KeyWindow, sameWindow } from '../../journal/key-window.js'
import { getU64, setU64 } from '../../journal/layout.js'
import { KEY_BYTES_MAX, OUTCOME_ACCEPTED, OUTCOME_REJECTED } from '../../journal/record-layout.js'
import { bytesOver, readText, textBytes, writeText } from '../../journal/schema/text-bytes.js'
import { bytesEqual, copyBytes } from './bytes.js'
import { SeededHash } from './hash.js'
import { HashIndex } from './hash-index.js'
import { KeyLog } from './key-log.js'
import {
  ENTRY_ACCEPTED,
  ENTRY_CODE_BYTES,
  ENTRY_CONTENT_HIGH,
  ENTRY_CONTENT_LOW,
  ENTRY_DETAIL_BYTES,
  ENTRY_EVENT_COUNT,
  ENTRY_HASH,
  ENTRY_HEADER_BYTES,
  ENTRY_KEY_BYTES,
  ENTRY_SEQUENCE,
  ENTRY_TIME,
} from './memory-layout.js'

const EVICTIONS_AN_ADD_MAX = 4
const EVICTIONS_AN_ADVANCE_MAX = 256

export class KeyTable {
  private countMax: number
  private ageMaxUs: number
  private readonly log: KeyLog
  private readonly index: HashIndex
  private readonly hash: SeededHash
  private latestTimeUs = 0
  private evictedHashes = new Int32Array(0)

  /** `seed` repeats the hashing of an earlier table, in tests only. */
  constructor(window: KeyWindow, seed?: number) {
    checkWindow(window)
    this.countMax = window.countMax
    this.ageMaxUs = window.ageMaxUs
    this.log = new KeyLog('the table of idempotency keys')
    this.index = new HashIndex('the index of idempotency keys', 'narrow')
    this.hash = new SeededHash(seed)
  }

  get window(): KeyWindow {
    const { countMax, ageMaxUs } = this
    return { countMax, ageMaxUs }
  }

  /**
   * From here on another window counts. `timeUs` is the journal time of the place where it does,
   * which is not before that of any entry. Takes time for each entry that goes.
   */
  changeWindow(window: KeyWindow, timeUs: number): void {
    checkWindow(window)
    if (sameWindow(window, this.window)) return
    this.ageMaxUs = Math.min(this.ageMaxUs, window.ageMaxUs)
    this.evictOld(timeUs, Number.POSITIVE_INFINITY)
    while (this.log.count > window.countMax) this.evict()
    this.countMax = window.countMax
    this.ageMaxUs = window.ageMaxUs
  }

  /** Entries held; some of them may be too old to be visible. */
  get count(): number {
    return this.log.count
  }

  get memoryBytes(): number {
    return this.log.memoryBytes + this.index.memoryBytes
  }

  /** For {@link touchMany} and {@link findHashed}: a batch is looked up in sweeps, as in id-index.ts. */
  hashBytes(view: DataView, offset: number, lengthBytes: number): number {
    return this.hash.bytes(view, offset, lengthBytes)
  }

  /**
   * Loads the first cache line that looking up each key needs, and that evicting the entries needs
   * which as many new ones drive out; returns something derived from them.
   */
  touchMany(hashes: Int32Array, count: number): number {
    const { log, index } = this
    const touched = index.touchMany(hashes, count)
    const evicted = Math.min(log.count + count - this.countMax, log.count)
    if (evicted <= 0) return touched
    if (this.evictedHashes.length < evicted) this.evictedHashes = new Int32Array(evicted)
    let reference = log.oldest()
    for (let i = 0; i < evicted; i++) {
      this.evictedHashes[i] = log.viewOf(reference).getInt32(this.at(reference, ENTRY_HASH), true)
      reference = log.after(reference)
    }
    return touched | index.touchMany(this.evictedHashes, evicted)
  }

  /** The entry with this key that is visible at `timeUs`, or 0. Changes nothing. */
  find(view: DataView, offset: number, lengthBytes: number, timeUs: number): number {
    const hash = this.hashBytes(view, offset, lengthBytes)
    return this.findHashed(view, offset, lengthBytes, hash, timeUs)
  }

  findHashed(
    view: DataView,
    offset: number,
    lengthBytes: number,
    hash: number,
    timeUs: number,
  ): number {
    const { index, log } = this
    let cell = index.firstCandidate(hash)
    while (cell >= 0) {
      const reference = index.valueAt(cell) >>> 0
      const own = log.viewOf(reference)
      const at = log.offsetOf(reference)
      if (
        own.getUint16(at + ENTRY_KEY_BYTES, true) === lengthBytes &&
        bytesEqual(own, at + ENTRY_HEADER_BYTES, view, offset, lengthBytes) &&
        timeUs - getU64(own, at + ENTRY_TIME) <= this.ageMaxUs
      ) {
        return reference
      }
      cell = index.nextCandidate(cell, hash)
    }
    return 0
  }

  /**
   * Adds the answer to an accepted command. Times never go backwards. `sequence` is that of its last event, or where it was decided if it has none.
   */
  addAccepted(
    view: DataView,
    offset: number,
    lengthBytes: number,
    contentLow: number,
    contentHigh: number,
    sequence: number,
    eventCount: number,
    timeUs: number,
  ): number {
    const reference = this.append(view, offset, lengthBytes, 0, sequence, timeUs)
    const own = this.log.viewOf(reference)
    const at = this.log.offsetOf(reference)
    own.setUint32(at + ENTRY_CONTENT_LOW, contentLow, true)
    own.setUint32(at + ENTRY_CONTENT_HIGH, contentHigh, true)
    own.setUint32(at + ENTRY_EVENT_COUNT, eventCount, true)
    own.setUint32(at + ENTRY_DETAIL_BYTES, 0, true)
    own.setUint16(at + ENTRY_CODE_BYTES, 0, true)
    own.setUint8(at + ENTRY_ACCEPTED, OUTCOME_ACCEPTED)
    return reference
  }

  /** The same for a rejection. `detail` is copied; empty when there is none. */
  addRejected(
    view: DataView,
    offset: number,
    lengthBytes: number,
    contentLow: number,
    contentHigh: number,
    sequence: number,
    timeUs: number,
    code: string,
    detail: Uint8Array,
  ): number {
    const codeBytes = textBytes(code)
    assert(codeBytes >= 0 && codeBytes <= 0xffff, 'a rejection code is well-formed, short text')
    const extraBytes = codeBytes + detail.length
    const reference = this.append(view, offset, lengthBytes, extraBytes, sequence, timeUs)
    const own = this.log.viewOf(reference)
    const at = this.log.offsetOf(reference)
    own.setUint32(at + ENTRY_CONTENT_LOW, contentLow, true)
    own.setUint32(at + ENTRY_CONTENT_HIGH, contentHigh, true)
    own.setUint32(at + ENTRY_EVENT_COUNT, 0, true)
    own.setUint32(at + ENTRY_DETAIL_BYTES, detail.length, true)
    own.setUint16(at + ENTRY_CODE_BYTES, codeBytes, true)
    own.setUint8(at + ENTRY_ACCEPTED, OUTCOME_REJECTED)
    const extra = at + ENTRY_HEADER_BYTES + lengthBytes
    const bytes = bytesOver(own)
    writeText(bytes, extra, code, codeBytes)
    bytes.set(detail, extra + codeBytes)
    return reference
  }

  /** Gives back memory of entries that are too old at `timeUs`; nobody needs to call it. */
  advance(timeUs: number): void {
    this.latestTimeUs = Math.max(this.latestTimeUs, timeUs)
    this.evictOld(timeUs, EVICTIONS_AN_ADVANCE_MAX)
  }

  /** References of all entries that are visible at `timeUs`, oldest first, for digests and snapshots. */
  *entries(timeUs: number): IterableIterator<number> {
    let reference = this.log.oldest()
    for (; reference !== 0; reference = this.log.after(reference)) {
      if (timeUs - this.timeOf(reference) <= this.ageMaxUs) yield reference
    }
  }

  acceptedOf(reference: number): boolean {
    return this.log.viewOf(reference).getUint8(this.at(reference, ENTRY_ACCEPTED)) !== 0
  }

  /** As in the receipt: of the last event, or where the command was decided. */
  sequenceOf(reference: number): number {
    return getU64(this.log.viewOf(reference), this.at(reference, ENTRY_SEQUENCE))
  }

  eventCountOf(reference: number): number {
    return this.log.viewOf(reference).getUint32(this.at(reference, ENTRY_EVENT_COUNT), true)
  }

  timeOf(reference: number): number {
    return getU64(this.log.viewOf(reference), this.at(reference, ENTRY_TIME))
  }

  contentLowOf(reference: number): number {
    return this.log.viewOf(reference).getUint32(this.at(reference, ENTRY_CONTENT_LOW), true)
  }

  contentHighOf(reference: number): number {
    return this.log.viewOf(reference).getUint32(this.at(reference, ENTRY_CONTENT_HIGH), true)
  }

  /** Whether the entry answers a command of this content; otherwise the key was used again. */
  contentMatches(reference: number, low: number, high: number): boolean {
    return (
      this.contentLowOf(reference) === low >>> 0 && this.contentHighOf(reference) === high >>> 0
    )
  }

  /** A copy of the key. */
  keyOf(reference: number): Uint8Array {
    return this.copy(reference, 0, this.keyBytesOf(reference))
  }

  /** Code of a rejection, or the empty text. */
  codeOf(reference: number): string {
    const lengthBytes = this.codeBytesOf(reference)
    if (lengthBytes === 0) return ''
    const bytes = this.copy(reference, this.keyBytesOf(reference), lengthBytes)
    return readText(Buffer.from(bytes.buffer), 0, bytes.length)
  }

  /** A copy of the detail of a rejection; empty when there is none. */
  detailOf(reference: number): Uint8Array {
    const view = this.log.viewOf(reference)
    const lengthBytes = view.getUint32(this.at(reference, ENTRY_DETAIL_BYTES), true)
    if (lengthBytes === 0) return NOTHING
    const start = this.keyBytesOf(reference) + this.codeBytesOf(reference)
    return this.copy(reference, start, lengthBytes)
  }

  private append(
    view: DataView,
    offset: number,
    lengthBytes: number,
    extraBytes: number,
    sequence: number,
    timeUs: number,
  ): number {
    assert(lengthBytes <= KEY_BYTES_MAX, `a key of ${lengthBytes} bytes`)
    assert(timeUs >= this.latestTimeUs, 'journal time went backwards')
    const hash = this.hashBytes(view, offset, lengthBytes)
    if (this.findHashed(view, offset, lengthBytes, hash, timeUs) !== 0) refuseRepeated(sequence)
    this.latestTimeUs = timeUs
    this.evictOld(timeUs, EVICTIONS_AN_ADD_MAX)
    while (this.log.count >= this.countMax) this.evict()
    const reference = this.log.append(ENTRY_HEADER_BYTES + lengthBytes + extraBytes)
    const own = this.log.viewOf(reference)
    const at = this.log.offsetOf(reference)
    own.setInt32(at + ENTRY_HASH, hash, true)
    setU64(own, at + ENTRY_TIME, timeUs)
    setU64(own, at + ENTRY_SEQUENCE, sequence)
    own.setUint16(at + ENTRY_KEY_BYTES, lengthBytes, true)
    copyBytes(view, offset, own, at + ENTRY_HEADER_BYTES, lengthBytes)
    this.index.insert(hash, reference)
    return reference
  }

  private evictOld(timeUs: number, countMax: number): void {
    for (let i = 0; i < countMax && this.log.count > 0; i++) {
      if (timeUs - this.timeOf(this.log.oldest()) <= this.ageMaxUs) return
      this.evict()
    }
  }

  private evict(): void {
    const reference = this.log.oldest()
    const hash = this.log.viewOf(reference).getInt32(this.at(reference, ENTRY_HASH), true)
    this.index.remove(hash, reference)
    this.log.removeOldest()
  }

  private at(reference: number, field: number): number {
    return this.log.offsetOf(reference) + field
  }

  private keyBytesOf(reference: number): number {
    return this.log.viewOf(reference).getUint16(this.at(reference, ENTRY_KEY_BYTES), true)
  }

  private codeBytesOf(reference: number): number {
    return this.log.viewOf(reference).getUint16(this.at(reference, ENTRY_CODE_BYTES), true)
  }

  private copy(reference: number, start: number, lengthBytes: number): Uint8Array {
    const from = this.at(reference, ENTRY_HEADER_BYTES) + start
    const copy = new Uint8Array(lengthBytes)
    copy.set(new Uint8Array(this.log.viewOf(reference).buffer, from, lengthBytes))
    return copy
  }
}

const NOTHING = new Uint8Array(0)

function checkWindow(window: KeyWindow): void {
  assert(Number.isSafeInteger(window.countMax) && window.countMax >= 1, 'countMax is at least 1')
  assert(window.ageMaxUs >= 0, 'ageMaxUs is not negative')
}

/** Live, the key has been looked up before: only a journal can say so. */
function refuseRepeated(sequence: number): never {
  throw new TidewheelError(
    'REPLAY_FAILED',
    'an idempotency key is answered anew while its earlier answer still counts. The journal does not fit together; restore it from a copy',
    { sequence },
  )
}
