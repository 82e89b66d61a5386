/** Runs a recovery and collects what it hands out, so that tests compare outcomes. */
import { expect } from 'vitest'
import { TidewheelError } from '../../journal/errors.js'
import { FrameCursor } from '../../journal/frames.js'
import type { JournalEnd } from '../../journal/journal-end.js'
import { getU64 } from '../../journal/layout.js'
import { ReadWindow } from '../../journal/read-window.js'
import { type RecoveryOptions, recoverJournal } from '../../journal/recovery.js'
import type { RecoveryReport } from '../../journal/recovery-report.js'
import type { Storage } from '../../journal/storage.js'
import type { JournalBuilder } from './journal-builder.js'
import type { MemoryStorage } from './memory-storage.js'

export interface Opened {
  readonly kind: 'opened'
  /** As the events themselves say. */
  readonly sequences: number[]
  readonly end: JournalEnd
  readonly report: RecoveryReport
}

export interface Refused {
  readonly kind: 'refused'
  readonly error: TidewheelError
}

const window = new ReadWindow()

export function recover(
  storage: Storage,
  options: Partial<RecoveryOptions> = {},
): Opened | Refused {
  const { durability = 'disk', ...others } = options
  const sequences: number[] = []
  const cursor = new FrameCursor()
  try {
    const { end, report } = recoverJournal(
      storage,
      { durability, segmentBytes: 2 * 1024 * 1024, window, ...others },
      (view, frameOffset, payloadBytes, header) => {
        collectSequences(cursor, view, frameOffset, payloadBytes, sequences)
        if (sequences.length !== header.baseSequence + header.eventCount - 1) {
          throw new Error('a block was handed out of order')
        }
      },
    )
    return { kind: 'opened', sequences, end, report }
  } catch (error) {
    if (error instanceof TidewheelError) return { kind: 'refused', error }
    throw error
  }
}

export function collectSequences(
  cursor: FrameCursor,
  view: DataView,
  frameOffset: number,
  payloadBytes: number,
  sequences: number[],
): void {
  cursor.reset(view, frameOffset, payloadBytes)
  while (cursor.nextFrame()) {
    while (cursor.nextRecord()) {
      if (cursor.isEvent) sequences.push(getU64(view, cursor.payloadOffset))
    }
  }
}

export function upTo(sequence: number): number[] {
  return Array.from({ length: sequence }, (_, index) => index + 1)
}

export function opened(outcome: Opened | Refused): Opened {
  if (outcome.kind === 'refused') throw outcome.error
  return outcome
}

/** Asserts a refusal that changed nothing. */
export function expectRefusal(
  builder: { storage: MemoryStorage },
  message: RegExp,
  code = 'JOURNAL_DAMAGED',
) {
  const before = builder.storage.digests()
  builder.storage.changes = 0
  const outcome = recover(builder.storage)
  expect(outcome.kind).toBe('refused')
  const { error } = outcome as Refused
  expect(error.code).toBe(code)
  expect(error.message).toMatch(message)
  expect(builder.storage.changes).toBe(0)
  expect(builder.storage.digests()).toEqual(before)
  return error
}

/** Makes a block's payload wrong, as a write that was cut short leaves it. */
export function tear(builder: JournalBuilder, block: number, from = 140): void {
  const { offset, usedBytes } = builder.at(block)
  builder.bytesAround(block).fill(0, offset + from, offset + usedBytes)
}
