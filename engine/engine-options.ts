/** Options of `Engine.open`: what they mean, their defaults, and their limits. */
import { BLOCK_ALIGNMENT_BYTES } from '../journal/block-layout.js'
import { TidewheelError } from '../journal/errors.js'
import {
  EVENT_RING_BYTES_DEFAULT,
  EVENT_RING_BYTES_MAX,
  EVENT_RING_BYTES_MIN,
} from '../journal/event-ring.js'
import { KEY_COUNT_MAX, type KeyWindow } from '../journal/key-window.js'
import { describeValue } from '../journal/schema/value-check.js'
import {
  SEGMENT_BYTES_DEFAULT,
  SEGMENT_BYTES_MAX,
  SEGMENT_BYTES_MIN,
} from '../journal/segment-layout.js'
import { defaultLogger, guarded, type Logger } from './logger.js'
import type { Clock } from './wall-clock.js'

/**
 * - `disk`: an answer leaves after its events are on disk. Survives a power cut.
 * - `os`: after its events were handed to the system, which syncs them every second. Survives the
 *   death of the process, not of the machine.
 * - `none`: no files at all. For tests and caches.
 */
export type Durability = 'disk' | 'os' | 'none'

export interface EngineOptions {
  /** Default: `disk`. */
  readonly durability?: Durability
  /** Where commands run: on the caller's thread, or on one of their own. Default: `inline`. */
  readonly processor?: 'inline' | 'thread'
  /** Size of journal files made from now on. Default: 64 MiB. */
  readonly segmentBytes?: number
  /** Size of the ring between processor and journaler, a power of two. Default: 8 MiB. */
  readonly ringBytes?: number
  /**
   * Idempotency keys that are remembered. The journal keeps it. Default: as the journal has it,
   * 1,000,000 in a new one.
   */
  readonly keyCountMax?: number
  /**
   * How long a key is remembered, in milliseconds of journal time. The journal keeps it. Default:
   * as the journal has it, 24 hours in a new one.
   */
  readonly keyAgeMsMax?: number
  /** When snapshots are made without being asked for, and how many are kept. */
  readonly snapshot?: SnapshotOptions
  /** How long `execute` waits for room before it fails with BACKPRESSURE. Default: 5,000. */
  readonly executeWaitMs?: number
  /** `console` and pino fit. Default: warnings and errors to stderr. */
  readonly logger?: Logger
  /** Microseconds since 1970, for tests. Default: the system's clock. Inline only. */
  readonly clock?: Clock
}

/**
 * A snapshot is made when one of both has come since the last, whichever is first, and the segment
 * that is then written is full. `Infinity`: never for that reason.
 */
export interface SnapshotOptions {
  /** Bytes of journal. Default: 4 GiB. */
  readonly everyBytes?: number
  /** Default: Infinity. */
  readonly everyEvents?: number
  /** The newest so many stay: a second one, in case that the first is damaged. Default: 2. */
  readonly keep?: number
}

export interface ResolvedOptions {
  readonly durability: Durability
  readonly processor: 'inline' | 'thread'
  readonly segmentBytes: number
  readonly ringBytes: number
  /** What of the journal's window of idempotency keys is to be changed. */
  readonly keyWindow: Partial<KeyWindow>
  readonly snapshot: Required<SnapshotOptions>
  readonly executeWaitMs: number
  readonly logger: Logger
  readonly clock: Clock | undefined
}

/** Replaying them takes some ten seconds: docs/decisions/0016-snapshot-policy.md. */
const SNAPSHOT_BYTES_DEFAULT = 4 * 1024 ** 3
const SNAPSHOTS_KEPT_DEFAULT = 2
const SNAPSHOTS_KEPT_MAX = 1000
const EXECUTE_WAIT_MS_DEFAULT = 5_000
const EXECUTE_WAIT_MS_MAX = 2 ** 31 - 1

/** @throws TidewheelError INVALID_OPTION */
export function resolveOptions(options: EngineOptions): ResolvedOptions {
  refuseUnknown(options)
  const resolved: ResolvedOptions = {
    durability: options.durability ?? 'disk',
    processor: options.processor ?? 'inline',
    segmentBytes: options.segmentBytes ?? SEGMENT_BYTES_DEFAULT,
    ringBytes: options.ringBytes ?? EVENT_RING_BYTES_DEFAULT,
    keyWindow: wantedKeyWindow(options),
    snapshot: wantedSnapshots(options),
    executeWaitMs: options.executeWaitMs ?? EXECUTE_WAIT_MS_DEFAULT,
    logger: guarded(loggerOf(options)),
    clock: options.clock,
  }
  requireOneOf('durability', resolved.durability, ['disk', 'os', 'none'])
  requireOneOf('processor', resolved.processor, ['inline', 'thread'])
  requireInteger('segmentBytes', resolved.segmentBytes, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX)
  requireInteger('ringBytes', resolved.ringBytes, EVENT_RING_BYTES_MIN, EVENT_RING_BYTES_MAX)
  const { segmentBytes, ringBytes } = resolved
  const isWhole = segmentBytes % BLOCK_ALIGNMENT_BYTES === 0
  requireThat('segmentBytes', isWhole, segmentBytes, `a multiple of ${BLOCK_ALIGNMENT_BYTES}`)
  const isPowerOfTwo = (ringBytes & (ringBytes - 1)) === 0
  requireThat('ringBytes', isPowerOfTwo, ringBytes, 'a power of two')
  requireInteger('executeWaitMs', resolved.executeWaitMs, 0, EXECUTE_WAIT_MS_MAX)
  const hasClock = resolved.clock !== undefined
  const isClock = !hasClock || typeof resolved.clock === 'function'
  requireThat('clock', isClock, resolved.clock, 'a function that returns microseconds since 1970')
  if (hasClock && resolved.processor === 'thread') {
    throw new TidewheelError(
      'INVALID_OPTION',
      'a clock is a function, which cannot move to the processor thread; leave it out, or run inline',
    )
  }
  return resolved
}

/** One that cannot be called would swallow every warning. */
function loggerOf({ logger = defaultLogger }: EngineOptions): Logger {
  const isLogger = (['info', 'warn', 'error'] as const).every(
    (level) => typeof logger?.[level] === 'function',
  )
  requireThat('logger', isLogger, logger, 'an object with the functions info, warn and error')
  return logger
}

function wantedKeyWindow({ keyCountMax, keyAgeMsMax }: EngineOptions): Partial<KeyWindow> {
  if (keyCountMax !== undefined) requireInteger('keyCountMax', keyCountMax, 1, KEY_COUNT_MAX)
  if (keyAgeMsMax !== undefined) {
    requireInteger('keyAgeMsMax', keyAgeMsMax, 0, Math.floor(Number.MAX_SAFE_INTEGER / 1000))
  }
  return {
    ...(keyCountMax === undefined ? {} : { countMax: keyCountMax }),
    ...(keyAgeMsMax === undefined ? {} : { ageMaxUs: keyAgeMsMax * 1000 }),
  }
}

function wantedSnapshots({ snapshot = {} }: EngineOptions): Required<SnapshotOptions> {
  requireThat(
    'snapshot',
    typeof snapshot === 'object' && snapshot !== null && !Array.isArray(snapshot),
    snapshot,
    'an object such as { everyBytes: 1e9, keep: 3 }; { everyBytes: Infinity } makes none unasked',
  )
  const unknown = Object.keys(snapshot).find((name) => !SNAPSHOT_NAMES.has(name))
  if (unknown !== undefined) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `${JSON.stringify(unknown)} is not an option of snapshot; these are ${[...SNAPSHOT_NAMES].join(', ')}`,
    )
  }
  const {
    everyBytes = SNAPSHOT_BYTES_DEFAULT,
    everyEvents = Number.POSITIVE_INFINITY,
    keep = SNAPSHOTS_KEPT_DEFAULT,
  } = snapshot
  requireAmount('snapshot.everyBytes', everyBytes)
  requireAmount('snapshot.everyEvents', everyEvents)
  requireInteger('snapshot.keep', keep, 1, SNAPSHOTS_KEPT_MAX)
  return { everyBytes, everyEvents, keep }
}

const SNAPSHOT_NAMES: ReadonlySet<string> = new Set<keyof SnapshotOptions>([
  'everyBytes',
  'everyEvents',
  'keep',
])

const NAMES: ReadonlySet<string> = new Set<keyof EngineOptions>([
  'durability',
  'processor',
  'segmentBytes',
  'ringBytes',
  'keyCountMax',
  'keyAgeMsMax',
  'snapshot',
  'executeWaitMs',
  'logger',
  'clock',
])

function refuseUnknown(options: EngineOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TidewheelError(
      'INVALID_OPTION',
      `the options of an engine are an object such as { durability: 'os' }, got ${describeValue(options)}`,
    )
  }
  const unknown = Object.keys(options).find((name) => !NAMES.has(name))
  if (unknown === undefined) return
  throw new TidewheelError(
    'INVALID_OPTION',
    `${JSON.stringify(unknown)} is not an option; the options are ${[...NAMES].join(', ')}`,
  )
}

function requireOneOf(name: string, value: unknown, values: readonly string[]): void {
  requireThat(name, values.includes(value as string), value, `one of ${values.join(', ')}`)
}

function requireInteger(name: string, value: number, min: number, max: number): void {
  const isInRange = Number.isInteger(value) && value >= min && value <= max
  requireThat(name, isInRange, value, `an integer from ${min} to ${max}`)
}

function requireAmount(name: string, value: number): void {
  const isAmount = value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value >= 1)
  requireThat(name, isAmount, value, 'an integer from 1, or Infinity for never')
}

function requireThat(name: string, isGood: boolean, value: unknown, wanted: string): void {
  if (isGood) return
  throw new TidewheelError(
    'INVALID_OPTION',
    `option ${name} is ${describeValue(value)}; give ${wanted}`,
  )
}
