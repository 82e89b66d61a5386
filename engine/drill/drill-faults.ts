/**
 * The part of a drill after the kills: for each fault a copy of the journal, harmed (drill-damage.ts),
 * and opened in a process of its own. What must be refused is refused and left as it is; what must
 * open has every answer and the state that it had.
 *
 *   journal ─▶ copy ─▶ harm ─▶ open ─┬▶ refused: why, and was anything written?
 *                                    └▶ opened: what was told, digest, every answer looked up
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BLOCK_ALIGNMENT_BYTES } from '../../journal/block-layout.js'
import { causeOf } from '../../journal/errors.js'
import { LOCK_NAME } from '../../journal/journal-lock.js'
import { segmentNumberOf } from '../../journal/segment-layout.js'
import type { AcknowledgementLog } from './acknowledgements.js'
import {
  type DrillFault,
  endOfBlocks,
  flipBit,
  flipFirstBlock,
  MUST_REFUSE,
  removeSegment,
  tearTail,
  truncateSegment,
} from './drill-damage.js'
import type { FlowReference } from './drill-flow.js'
import type { ChildMessage, ExaminedMessage } from './drill-messages.js'
import { EngineProcess } from './engine-process.js'
import { auditJournal } from './journal-audit.js'

export interface FaultOutcome {
  readonly fault: DrillFault
  /** What was done, and where; or why it could not be. */
  readonly harm: string
  readonly outcome: 'refused' | 'opened' | 'not tried'
  /** What the engine said: why it refused, or what it cut or passed over. */
  readonly said: string
  /** Until it was open. */
  readonly seconds: number | undefined
  /** Answers that are not there; a journal that was refused and left as it was has lost none. */
  readonly lost: number
  /** Of the state that was there before. */
  readonly digestMatches: boolean | undefined
  readonly isRight: boolean
}

export interface FaultyDrill {
  /** Closed in order. */
  readonly directory: string
  readonly flow: FlowReference
  readonly segmentBytes: number
  readonly acknowledgements: AcknowledgementLog
  /** Of the state in it. */
  readonly digest: string
}

/** Of the last segment, that the load may still write. */
const LEFT_BYTES = 64 * 1024
const RATE = 20_000
const FILL_MS_MAX = 60_000

export async function runFault(drill: FaultyDrill, fault: DrillFault): Promise<FaultOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'tidewheel-drill-fault-'))
  const directory = join(folder, 'journal')
  try {
    copyJournal(drill.directory, directory)
    if (fault === 'full') return await fillUp(drill, directory)
    const harm = await doHarm(drill, fault, directory)
    if (typeof harm !== 'string') return notTried(fault, harm.impossible)
    const before = fingerprint(directory)
    const { opened, refused } = await examine(drill, 'examine', directory)
    if (opened === undefined) {
      const isUntouched = fingerprint(directory) === before
      const isRight = MUST_REFUSE.has(fault) && isUntouched && refused?.code === 'JOURNAL_DAMAGED'
      const said = `${refused?.message}${isUntouched ? '' : ' BUT IT HAS CHANGED FILES'}`
      const lost = 0
      return outcome({ fault, harm, outcome: 'refused', said, lost, isRight })
    }
    const { lost } = await auditJournal(directory, drill.acknowledgements)
    const digestMatches = opened.digest === drill.digest
    const isRight = !MUST_REFUSE.has(fault) && digestMatches && lost === 0 && opened.told !== ''
    const { seconds, told: said } = opened
    const measured = { seconds, digestMatches, lost, isRight }
    return outcome({ fault, harm, outcome: 'opened', said, ...measured })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Goes on under load until a write is refused; then it is opened twice, without a limit. */
async function fillUp(drill: FaultyDrill, directory: string): Promise<FaultOutcome> {
  if (process.platform === 'win32') return notTried('full', 'this system has no ulimit')
  const last = usedSegments(directory).at(-1) as string
  const limitBytes = fillLimitOf(endOfBlocks(join(directory, last)), drill.segmentBytes)
  const harm = `no file may be longer than ${limitBytes} bytes, ${last}`
  const acknowledgements = drill.acknowledgements.copy()
  const { flow, segmentBytes } = drill
  const acknowledged = acknowledgements.count
  const start = { mode: 'load', directory, flow, segmentBytes, acknowledged, rate: RATE } as const
  let stop = ''
  const child = new EngineProcess(start, acknowledgements, () => undefined, limitBytes)
  const timer = setTimeout(() => child.kill(), FILL_MS_MAX)
  try {
    await child.ended
  } catch (error) {
    stop = causeOf(error)
  } finally {
    clearTimeout(timer)
  }
  if (stop === '') return notTried('full', 'the load did not fill the space that was left')
  const { opened, refused } = await examine(drill, 'examine', directory)
  if (opened === undefined) {
    const said = `${stop}; opened again: ${refused?.message}`
    return outcome({ fault: 'full', harm, outcome: 'refused', said, lost: 0, isRight: false })
  }
  const again = await examine(drill, 'examine', directory)
  const digestMatches = again.opened?.digest === opened.digest
  const { lost } = await auditJournal(directory, acknowledgements)
  const isRight = lost === 0 && digestMatches && acknowledgements.count > acknowledged
  const { seconds } = opened
  const said = `stopped: ${stop}`
  const measured = { seconds, digestMatches, lost, isRight }
  return outcome({ fault: 'full', harm, outcome: 'opened', said, ...measured })
}

/**
 * Below the length of a segment: a load that goes on in the next one must come to the limit as well.
 * @param endBytes of the last segment's blocks
 */
export function fillLimitOf(endBytes: number, segmentBytes: number): number {
  return Math.min(endBytes + LEFT_BYTES, segmentBytes - BLOCK_ALIGNMENT_BYTES)
}

function usedSegments(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => segmentNumberOf(name) > 0)
    .filter((name) => endOfBlocks(join(directory, name)) > 0)
    .sort()
}

function outcome(
  given: Omit<FaultOutcome, 'seconds' | 'digestMatches'> & Partial<FaultOutcome>,
): FaultOutcome {
  return { seconds: undefined, digestMatches: undefined, ...given }
}

function notTried(fault: DrillFault, why: string): FaultOutcome {
  const nothing = { outcome: 'not tried', said: '', lost: 0, isRight: true } as const
  return outcome({ fault, harm: why, ...nothing })
}

async function doHarm(
  drill: FaultyDrill,
  fault: Exclude<DrillFault, 'full'>,
  directory: string,
): Promise<string | { readonly impossible: string }> {
  const names = readdirSync(directory).sort()
  const segments = names.filter((name) => segmentNumberOf(name) > 0)
  const first = segments[0] as string
  if (fault === 'snapshot') {
    const { snapshot } = await examine(drill, 'snapshot', directory)
    if (snapshot === undefined) {
      return { impossible: 'no segment is full yet, so there is no snapshot; give more seconds' }
    }
    const bytes = readFileSync(join(directory, snapshot)).length
    return flipBit(directory, snapshot, Math.floor(bytes / 2))
  }
  // A snapshot would keep the harmed blocks from being read.
  for (const name of names) if (name.endsWith('.snapshot')) rmSync(join(directory, name))
  switch (fault) {
    case 'flip':
      return flipFirstBlock(directory, first)
    case 'truncate':
      return truncateSegment(directory, first)
    case 'missing':
      return removeSegment(directory, first)
    case 'torn': {
      const last = usedSegments(directory).at(-1) ?? first
      const torn = tearTail(directory, last, segments[segments.indexOf(last) + 1])
      return torn ?? { impossible: 'no segment was prepared for the next block; drill again' }
    }
  }
}

/** In a process of its own: a domain may do anything when it is loaded, and replay takes memory. */
async function examine(
  { flow, segmentBytes, acknowledgements }: FaultyDrill,
  mode: 'examine' | 'snapshot',
  directory: string,
): Promise<ExaminedMessage> {
  let examined: ExaminedMessage | undefined
  const start = { mode, directory, flow, segmentBytes, acknowledged: 0, rate: 0 }
  await new EngineProcess(start, acknowledgements, (message: ChildMessage) => {
    if (message.kind === 'examined') examined = message
  }).ended
  return examined ?? { kind: 'examined' }
}

function copyJournal(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    if (name !== LOCK_NAME) copyFileSync(join(from, name), join(to, name))
  }
}

function fingerprint(directory: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(directory).sort()) {
    if (name !== LOCK_NAME)
      hash
        .update(name)
        .update('\0')
        .update(readFileSync(join(directory, name)))
  }
  return hash.digest('hex')
}
