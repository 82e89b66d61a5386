/**
 * A second implementation of frames, records, catalogue and events, by docs/file-format.md alone, to
 * prove that the page is enough. So it imports nothing of tidewheel, and its numbers are those of
 * the page.
 */
import type { Buffer } from 'node:buffer'
import type { IndependentBlock } from './independent-blocks.js'
import {
  Damage,
  damaged,
  decodePayload,
  decodePlainValue,
  decodeText,
  decodeUuid,
  type IndependentField,
  roundUp,
} from './independent-values.js'

interface Record {
  readonly type: number
  readonly slot: number
  readonly version: number
  /** With the header. */
  readonly bytes: Buffer
}

interface Frame {
  readonly commandType: number
  readonly eventCount: number
  readonly time: number
  readonly records: readonly Record[]
}

const isEvent = ({ type }: Record): boolean => type >= 16 && type <= 0xfffe

/** Whether the frames of a block do not hold together. */
export function frameDamage(payload: Buffer, frameCount: number, eventCount: number): boolean {
  try {
    const frames = readFrames(payload)
    const events = frames.flatMap(({ records }) => records).filter(isEvent)
    return frames.length !== frameCount || events.length !== eventCount
  } catch (error) {
    if (error instanceof Damage) return true
    throw error
  }
}

function readFrames(payload: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < payload.length; ) {
    if (payload.length - at < 16) damaged('a frame header')
    const lengthBytes = payload.readUInt32LE(at)
    if (lengthBytes < 16 || lengthBytes % 8 !== 0 || at + lengthBytes > payload.length) {
      damaged('the length of a frame')
    }
    const frame = {
      commandType: payload.readUInt16LE(at + 4),
      eventCount: payload.readUInt16LE(at + 6),
      time: Number(payload.readBigUInt64LE(at + 8)),
      records: readRecords(payload.subarray(at + 16, at + lengthBytes)),
    }
    if (frame.commandType === 0xffff) damaged('a padding frame')
    if (frame.records.filter(isEvent).length !== frame.eventCount) damaged('events of a frame')
    frames.push(frame)
    at += lengthBytes
  }
  return frames
}

function readRecords(bytes: Buffer): Record[] {
  const records: Record[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 16) damaged('a record header')
    const lengthBytes = bytes.readUInt32LE(at)
    if (lengthBytes < 16 || at + lengthBytes > bytes.length) damaged('the length of a record')
    const record = {
      type: bytes.readUInt16LE(at + 4),
      slot: bytes.readUInt32LE(at + 8),
      version: bytes.readUInt32LE(at + 12) + bytes.readUInt16LE(at + 6) * 2 ** 32,
      bytes: bytes.subarray(at, at + lengthBytes),
    }
    if (!isEvent(record)) checkOwnRecord(record)
    records.push(record)
    at += roundUp(lengthBytes, 8)
  }
  return records
}

function checkOwnRecord({ type, version, bytes }: Record): void {
  const { length } = bytes
  if (version !== 0) damaged('a version of what is no event')
  if (type === 1) return
  if (type === 2) {
    if (length < 20) damaged('a stream-opened record')
    const idBytes = bytes.readUInt16LE(18)
    if (idBytes > 1024 || length !== 20 + idBytes) damaged('an id')
  } else if (type === 3) {
    if (length < 30 || (bytes[24] as number) > 1 || bytes[25] !== 0) damaged('a keyed outcome')
    const keyBytes = bytes.readUInt16LE(26)
    if (keyBytes > 1024 || 30 + keyBytes + bytes.readUInt16LE(28) > length) damaged('a key')
  } else if (type !== 4 || length !== 16) damaged('a record of an unknown type')
}

export interface IndependentEvent {
  readonly sequence: number
  readonly time: number
  readonly type: string
  readonly stream: string
  readonly id: unknown
  readonly version: number
  readonly data: { readonly [name: string]: unknown }
}

export interface IndependentOutcome {
  readonly command: string
  readonly commandNumber: number
  readonly key: string
  readonly accepted: boolean
  readonly code: string
  readonly detail: unknown
  readonly contentHash: readonly [low: number, high: number]
  readonly eventCount: number
  readonly sequence: number
  readonly time: number
}

interface Entry {
  readonly number: number
  readonly kind: 'aggregate' | 'event' | 'command'
  readonly name: string
  readonly idType?: string
  readonly aggregate?: string
  readonly fields?: readonly IndependentField[]
}

/** Everything that a journal's good blocks say. @throws Damage */
export class IndependentEvents {
  domain = ''
  readonly events: IndependentEvent[] = []
  readonly outcomes: IndependentOutcome[] = []
  /** Frames with the catalogue, and with a seal. */
  catalogues = 0
  seals = 0
  /** Keys that were not forgotten, oldest first, with the time of their frame. */
  private readonly keys = new Map<string, number>()
  private window = { countMax: 0, ageMaxUs: 0 }
  private readonly entries = new Map<number, Entry>()
  /** Ids of an aggregate, in the order of their slots. */
  private readonly ids = new Map<number, unknown[]>()
  private readonly versions = new Map<string, number>()
  private sequence = 0
  private lastTime = 0

  constructor(blocks: readonly IndependentBlock[]) {
    for (const { baseSequence, payload } of blocks) {
      this.sequence = baseSequence - 1
      for (const frame of readFrames(payload)) this.takeFrame(frame)
    }
  }

  /** That count at the time of the last frame of a command, oldest first. */
  get countingKeys(): string[] {
    const counts = (time: number): boolean => this.lastTime - time <= this.window.ageMaxUs
    return [...this.keys].filter(([, time]) => counts(time)).map(([key]) => key)
  }

  private takeFrame(frame: Frame): void {
    const { commandType, eventCount, records, time } = frame
    if (commandType === 0) {
      if (eventCount !== 0 || records.length !== 1) damaged('a system frame')
    } else {
      if (time < this.lastTime) damaged('time goes backwards')
      this.lastTime = time
    }
    for (const record of records) {
      if (record.type === 1) this.takeCatalogue(record.bytes)
      else if (record.type === 2) this.openStream(record)
      else if (record.type === 3) this.takeOutcome(record.bytes, frame)
      else if (record.type === 4) this.seals++
      else this.takeEvent(record, time)
    }
  }

  private takeCatalogue(bytes: Buffer): void {
    const json = JSON.parse(decodeText(bytes.subarray(16))) as {
      domain: string
      keyWindow: { countMax: number; ageMaxUs: number }
      entries: Entry[]
    }
    if (this.domain !== '' && this.domain !== json.domain) damaged('another domain')
    this.domain = json.domain
    this.catalogues++
    this.changeWindow(json.keyWindow)
    for (const entry of json.entries) this.entries.set(entry.number, entry)
  }

  private changeWindow(window: { countMax: number; ageMaxUs: number }): void {
    const ageMaxUs = Math.min(this.window.ageMaxUs, window.ageMaxUs)
    for (const [key, time] of this.keys) {
      const isTooMany = this.keys.size > window.countMax
      if (isTooMany || this.lastTime - time > ageMaxUs) this.keys.delete(key)
    }
    this.window = window
  }

  private remember(key: string, time: number): void {
    const known = this.keys.get(key)
    if (known !== undefined && time - known <= this.window.ageMaxUs) damaged('a key, twice')
    this.keys.delete(key)
    this.keys.set(key, time)
    const [oldest] = this.keys.keys()
    if (this.keys.size > this.window.countMax) this.keys.delete(oldest as string)
  }

  private openStream({ slot, bytes }: Record): void {
    const number = bytes.readUInt16LE(16)
    const ids = this.ids.get(number) ?? []
    this.ids.set(number, ids)
    if (slot !== ids.length + 1) damaged('a slot out of order')
    const id = bytes.subarray(20)
    const { idType } = this.entry(number, 'aggregate')
    if (idType === 'text') ids.push(decodeText(id))
    else if (idType === 'u32' && id.length === 4) ids.push(id.readUInt32LE())
    else if (idType === 'u64' && id.length === 8) ids.push(id.readBigUInt64LE())
    else if (idType === 'uuid' && id.length === 16) ids.push(decodeUuid(id))
    else damaged('an id')
  }

  private takeOutcome(bytes: Buffer, { commandType, eventCount, time }: Frame): void {
    const code = 30 + bytes.readUInt16LE(26)
    this.remember(decodeText(bytes.subarray(30, code)), time)
    const detail = code + bytes.readUInt16LE(28)
    this.outcomes.push({
      command: this.entry(commandType, 'command').name,
      commandNumber: commandType,
      key: decodeText(bytes.subarray(30, code)),
      accepted: bytes[24] === 1,
      code: decodeText(bytes.subarray(code, detail)),
      detail: detail === bytes.length ? undefined : decodePlainValue(bytes.subarray(detail)),
      contentHash: [bytes.readUInt32LE(16), bytes.readUInt32LE(20)],
      eventCount,
      sequence: this.sequence,
      time,
    })
  }

  private takeEvent({ type, slot, version, bytes }: Record, time: number): void {
    const { name, aggregate = '', fields = [] } = this.entry(type, 'event')
    const stream = `${aggregate} ${slot}`
    if (version !== (this.versions.get(stream) ?? 0) + 1) damaged('a version out of order')
    this.versions.set(stream, version)
    this.events.push({
      sequence: ++this.sequence,
      time,
      type: name,
      stream: aggregate,
      id: this.idOf(aggregate, slot),
      version,
      data: decodePayload(bytes.subarray(16), fields, (of, named) => this.idOf(of, named)),
    })
  }

  private idOf(aggregate: string, slot: number): unknown {
    for (const { kind, name, number } of this.entries.values()) {
      if (kind !== 'aggregate' || name !== aggregate) continue
      return this.ids.get(number)?.[slot - 1] ?? damaged('a stream that was never opened')
    }
    return damaged('an aggregate that is not in the catalogue')
  }

  private entry(number: number, kind: Entry['kind']): Entry {
    const entry = this.entries.get(number)
    return entry?.kind === kind ? entry : damaged(`the catalogue has no ${kind} ${number}`)
  }
}
