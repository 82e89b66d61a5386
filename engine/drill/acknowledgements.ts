/**
 * The channel by which the engine's process tells the drill what it has acknowledged, so that the
 * drill knows it however the process ends. One batch of receipts is one write:
 *
 *   │ first command u32 │ count u32 │ answer f64 │ answer f64 │ …      little-endian
 *
 * Commands count from 1 in the order of the flow. An answer is the sequence in the receipt, negative
 * when the command was rejected; a rejection before the first event is −0.5.
 */
import { writeSync } from 'node:fs'

const HEADER_BYTES = 8
const ANSWER_BYTES = 8
const BATCH_ANSWERS = 8192
const BEFORE_FIRST_EVENT = -0.5

export class AcknowledgementWriter {
  private readonly fd: number
  private readonly bytes = new Uint8Array(HEADER_BYTES + BATCH_ANSWERS * ANSWER_BYTES)
  private readonly view = new DataView(this.bytes.buffer)
  private count = 0
  private first = 0

  constructor(fd: number) {
    this.fd = fd
  }

  add(command: number, accepted: boolean, sequence: number): void {
    if (this.count === 0) this.first = command
    const answer = accepted ? sequence : -sequence || BEFORE_FIRST_EVENT
    this.view.setFloat64(HEADER_BYTES + this.count * ANSWER_BYTES, answer, true)
    if (++this.count === BATCH_ANSWERS) this.flush()
  }

  flush(): void {
    if (this.count === 0) return
    this.view.setUint32(0, this.first, true)
    this.view.setUint32(4, this.count, true)
    const lengthBytes = HEADER_BYTES + this.count * ANSWER_BYTES
    let written = 0
    while (written < lengthBytes) {
      try {
        written += writeSync(this.fd, this.bytes, written, lengthBytes - written)
      } catch (error) {
        // The drill reads slower than the engine answers: the pipe is full for a moment.
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
    }
    this.count = 0
  }
}

export class AcknowledgementLog {
  /** Commands 1 … count are acknowledged; the drill's flow has one producer. */
  count = 0
  private answers = new Float64Array(1024 * 1024)
  private rest: Buffer = Buffer.alloc(0)

  /** Sequence in the receipt of a command, from 1; undefined when it was not acknowledged. */
  sequenceOf(command: number): number | undefined {
    if (command < 1 || command > this.count) return undefined
    const answer = this.answers[command]!
    return answer === BEFORE_FIRST_EVENT ? 0 : Math.abs(answer)
  }

  wasAccepted(command: number): boolean {
    return this.answers[command]! >= 0
  }

  /** Goes on by itself from here. */
  copy(): AcknowledgementLog {
    const log = new AcknowledgementLog()
    log.count = this.count
    log.answers = this.answers.slice()
    return log
  }

  /** Bytes from the channel; a batch may come in pieces, and the last may be cut off by a kill. */
  receive(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk])
    let offset = 0
    while (bytes.length - offset >= HEADER_BYTES) {
      const count = bytes.readUInt32LE(offset + 4)
      const end = offset + HEADER_BYTES + count * ANSWER_BYTES
      if (end > bytes.length) break
      this.record(bytes, offset + HEADER_BYTES, bytes.readUInt32LE(offset), count)
      offset = end
    }
    this.rest = bytes.subarray(offset)
  }

  /** The process is gone: what was cut off was not acknowledged. */
  endOfProcess(): void {
    this.rest = Buffer.alloc(0)
  }

  private record(bytes: Buffer, offset: number, first: number, count: number): void {
    if (first !== this.count + 1) {
      throw new Error(`acknowledgement of command ${first} came after that of ${this.count}`)
    }
    while (this.count + count >= this.answers.length) this.grow()
    for (let i = 0; i < count; i++) {
      this.answers[first + i] = bytes.readDoubleLE(offset + i * ANSWER_BYTES)
    }
    this.count += count
  }

  private grow(): void {
    const larger = new Float64Array(this.answers.length * 2)
    larger.set(this.answers)
    this.answers = larger
  }
}
