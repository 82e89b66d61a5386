/**
 * Which stream a slot stands for, and the version that it has reached, for all aggregates of a
 * journal: built from STREAM_OPENED records while the journal is read, in flat memory that grows by
 * pages. It only leads from slot to id; the engine's indexes lead both ways.
 *
 *   slot ──▶ words:  u32, u64, uuid   the id itself in 1, 2 or 4 words
 *                    text             where its text lies
 *        ──▶ version: two words, low and high
 *
 *   text:  pages of 1 MiB; each text lies in one page, at a multiple of 8, behind its length (u16)
 */
import { Buffer } from 'node:buffer'
import { alignWord } from './layout.js'
import { ID_BYTES_MAX } from './record-layout.js'
import type { IdType, IdValue } from './schema/id-type.js'
import { bytesOver, isText, readText } from './schema/text-bytes.js'
import { loadUuid } from './schema/uuid-bytes.js'

const PAGE_WORDS = 16 * 1024
const WORD_VALUES = 0x1_0000_0000
const TEXT_PAGE_BYTES = 1024 * 1024
const TEXT_UNIT_BYTES = 8
const TEXT_UNITS_A_PAGE = TEXT_PAGE_BYTES / TEXT_UNIT_BYTES
const TEXT_LENGTH_BYTES = 2

/** Words of an id, or of the reference to its text. */
const ID_WORDS: Readonly<Record<IdType, number>> = { text: 1, u32: 1, u64: 2, uuid: 4 }

export class StreamDirectory {
  /** By the aggregate's number in the catalogue. */
  private readonly tables: (StreamTable | undefined)[] = []

  /**
   * Takes over a STREAM_OPENED record, whose bytes may come from anyone.
   * @returns why it is refused, as a sentence part; '' when it was taken
   */
  open(
    aggregate: number,
    idType: IdType,
    slot: number,
    view: DataView,
    offset: number,
    lengthBytes: number,
  ): string {
    let table = this.tables[aggregate]
    if (table === undefined) {
      table = new StreamTable(idType)
      this.tables[aggregate] = table
    }
    return table.open(slot, view, offset, lengthBytes)
  }

  /** Streams that are open, and the highest slot. */
  count(aggregate: number): number {
    return this.tables[aggregate]?.count ?? 0
  }

  /** Undefined when the slot is not in use. */
  idOf(aggregate: number, slot: number): IdValue | undefined {
    const table = this.tables[aggregate]
    return table?.has(slot) ? table.idOf(slot) : undefined
  }

  /** The version of the stream's last event; 0: none yet. The slot is in use. */
  versionOf(aggregate: number, slot: number): number {
    return this.tables[aggregate]?.versionOf(slot) ?? 0
  }

  setVersion(aggregate: number, slot: number, version: number): void {
    this.tables[aggregate]?.setVersion(slot, version)
  }
}

class StreamTable {
  count = 0
  private readonly idType: IdType
  private readonly wordsAnId: number
  private readonly words = new WordPages()
  private readonly versions = new WordPages()
  private readonly texts: Buffer[] = []
  /** Of the last page of text. */
  private usedBytes = TEXT_PAGE_BYTES
  private readonly scratch = new DataView(new ArrayBuffer(Uint32Array.BYTES_PER_ELEMENT * 4))

  constructor(idType: IdType) {
    this.idType = idType
    this.wordsAnId = ID_WORDS[idType]
  }

  has(slot: number): boolean {
    return slot > 0 && slot <= this.count
  }

  open(slot: number, view: DataView, offset: number, lengthBytes: number): string {
    if (slot !== this.count + 1) return `slot ${slot} is opened where ${this.count + 1} is next`
    if (this.idType === 'text') {
      const bytes = bytesOver(view)
      if (lengthBytes === 0 || lengthBytes > ID_BYTES_MAX) return 'an id of impossible length'
      if (!isText(bytes, offset, offset + lengthBytes)) return 'an id that is not UTF-8'
      this.words.set(slot, this.appendText(bytes, offset, lengthBytes))
    } else {
      const { wordsAnId } = this
      if (lengthBytes !== wordsAnId * Uint32Array.BYTES_PER_ELEMENT) {
        return `an id of ${lengthBytes} bytes, where ids are of type ${this.idType}`
      }
      for (let i = 0; i < wordsAnId; i++) {
        const word = view.getUint32(offset + i * Uint32Array.BYTES_PER_ELEMENT, true)
        this.words.set(slot * wordsAnId + i, word)
      }
    }
    this.setVersion(slot, 0)
    this.count = slot
    return ''
  }

  idOf(slot: number): IdValue {
    if (this.idType === 'text') return this.textAt(this.words.get(slot))
    const { scratch, wordsAnId } = this
    for (let i = 0; i < wordsAnId; i++) {
      const word = this.words.get(slot * wordsAnId + i)
      scratch.setUint32(i * Uint32Array.BYTES_PER_ELEMENT, word, true)
    }
    if (this.idType === 'u32') return scratch.getUint32(0, true)
    return this.idType === 'u64' ? scratch.getBigUint64(0, true) : loadUuid(scratch, 0)
  }

  versionOf(slot: number): number {
    const { versions } = this
    return versions.get(slot * 2) + versions.get(slot * 2 + 1) * WORD_VALUES
  }

  setVersion(slot: number, version: number): void {
    const { versions } = this
    versions.set(slot * 2, version >>> 0)
    versions.set(slot * 2 + 1, Math.floor(version / WORD_VALUES))
  }

  /** Returns where the text lies, in units from the start of the first page. */
  private appendText(bytes: Buffer, offset: number, lengthBytes: number): number {
    const neededBytes = alignWord(TEXT_LENGTH_BYTES + lengthBytes)
    if (this.usedBytes + neededBytes > TEXT_PAGE_BYTES) {
      this.texts.push(Buffer.alloc(TEXT_PAGE_BYTES))
      this.usedBytes = 0
    }
    const page = this.texts.length - 1
    const target = this.texts[page] as Buffer
    target.writeUInt16LE(lengthBytes, this.usedBytes)
    bytes.copy(target, this.usedBytes + TEXT_LENGTH_BYTES, offset, offset + lengthBytes)
    const reference = page * TEXT_UNITS_A_PAGE + this.usedBytes / TEXT_UNIT_BYTES
    this.usedBytes += neededBytes
    return reference
  }

  private textAt(reference: number): string {
    const page = this.texts[Math.floor(reference / TEXT_UNITS_A_PAGE)] as Buffer
    const start = (reference % TEXT_UNITS_A_PAGE) * TEXT_UNIT_BYTES
    const from = start + TEXT_LENGTH_BYTES
    return readText(page, from, from + page.readUInt16LE(start))
  }
}

/** Words by index; a page of zeros comes with the first word set in it. */
class WordPages {
  private readonly pages: Uint32Array[] = []

  get(index: number): number {
    return this.pages[Math.floor(index / PAGE_WORDS)]?.[index % PAGE_WORDS] ?? 0
  }

  /** Indexes grow by less than a page at a time. */
  set(index: number, word: number): void {
    const number = Math.floor(index / PAGE_WORDS)
    if (number === this.pages.length) this.pages.push(new Uint32Array(PAGE_WORDS))
    const page = this.pages[number] as Uint32Array
    page[index % PAGE_WORDS] = word
  }
}
