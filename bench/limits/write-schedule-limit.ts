/**
 * The limit of latency at a rate: the bytes of the commands, put on disk on the same schedule and
 * under the same rules (what is due goes into one block, padded to 4 KiB, at most 1 MiB; one block in
 * flight; synced), by one thread that does nothing else. The blocks hold no commands: nothing is
 * encoded, hashed or copied. Latency counts from when a command was due until its block is on disk.
 */
import { mkdirSync, rmSync } from 'node:fs'
import {
  BLOCK_BYTES_MAX,
  BLOCK_PAYLOAD_BYTES_MAX,
  paddedBlockBytes,
} from '../../journal/block-layout.js'
import { alignedBuffer } from '../../journal/storage.js'
import type { Contender } from '../benchmark.js'
import { AnswerLog, commandCount, type OpenLoopResult, type Schedule } from '../open-loop.js'
import { stolenMs } from '../stolen-time.js'
import { closeRaw, openRaw, prepareFiles, type RawFile, writeSynced } from './raw-file.js'

export interface WriteScheduleOptions extends Schedule {
  readonly directory: string
  /** Of a command's transaction in the journal. */
  readonly commandBytes: number
}

const FILE_BYTES = 64 * 1024 * 1024

/** What was written, before anything is worked out of it, which makes garbage. */
export interface WrittenLoad {
  readonly log: AnswerLog
  readonly startedMs: number
  readonly elapsedSeconds: number
  /** With padding. */
  readonly bytes: number
}

export async function prepare(options: WriteScheduleOptions): Promise<Contender<OpenLoopResult>> {
  const writes = await prepareWrites(options)
  const total = commandCount(options)
  return {
    async round() {
      const stolenBefore = stolenMs()
      const { log, startedMs, elapsedSeconds } = await writes.round()
      const stolen = stolenMs() - stolenBefore
      const percentiles = log.percentiles(options, startedMs)
      return {
        ...percentiles,
        answeredPerSecond: total / elapsedSeconds,
        accepted: total,
        rejected: 0,
        stolenMs: stolen,
      }
    },
    end: () => writes.end(),
  }
}

export async function prepareWrites(
  options: WriteScheduleOptions,
): Promise<Contender<WrittenLoad>> {
  const { directory } = options
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const [name] = prepareFiles(directory, 1, FILE_BYTES)
  const file = openRaw(name!)
  return {
    round: async () => writeOnSchedule(file, options),
    async end() {
      closeRaw(file)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function writeOnSchedule(file: RawFile, options: WriteScheduleOptions): WrittenLoad {
  const { rate, commandBytes } = options
  const total = commandCount(options)
  const blockMax = Math.floor(BLOCK_PAYLOAD_BYTES_MAX / commandBytes)
  const staging = alignedBuffer(BLOCK_BYTES_MAX)
  const log = new AnswerLog()
  let written = 0
  let bytes = 0
  let fileOffset = 0
  const startedMs = performance.now()
  while (written < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedMs) * rate) / 1000))
    const count = Math.min(due - written, blockMax)
    if (count === 0) continue
    const block = staging.subarray(0, paddedBlockBytes(count * commandBytes))
    if (fileOffset + block.length > FILE_BYTES) fileOffset = 0
    writeSynced(file, block, fileOffset)
    fileOffset += block.length
    bytes += block.length
    written += count
    log.add(written, performance.now())
  }
  return { log, startedMs, elapsedSeconds: (performance.now() - startedMs) / 1000, bytes }
}
