/**
 * Verifies a journal: everything that can be checked without the application. It takes no lock and
 * never writes. Segments are checked in parallel, each in a worker (verify-segment.ts); then the
 * links between them (verify-links.ts).
 *
 * A journal that is being written is verified up to the end that was seen. What looks wrong there
 * is looked at again, since the writer may have been half-way through a block: if the end has moved
 * on, it was that.
 */
import { availableParallelism } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { Piscina } from 'piscina'
import { HASH_BYTES } from './block-layout.js'
import type { NotedHead } from './chain-head.js'
import { causeOf, TidewheelError } from './errors.js'
import { openFileStorage } from './file-storage.js'
import { type Manifest, readManifest } from './manifest.js'
import { segmentNames } from './open-segment.js'
import { checkSnapshots } from './snapshot-check.js'
import type { Storage } from './storage.js'
import { indexedSegmentOf, indexName } from './stream-index-layout.js'
import { threadArguments } from './thread-arguments.js'
import { findHeadProblem, notedBlockOf } from './verify-head.js'
import { findLinkProblems } from './verify-links.js'
import type { SegmentVerdict, VerifyProblem } from './verify-segment.js'
import type { VerifySegmentTask } from './verify-segment-task.js'
import { type VerifiedSnapshot, verifySnapshots } from './verify-snapshots.js'

export interface VerifyOptions {
  /** Default: one a processor core, and no more than there are segments. */
  readonly threads?: number
  /** As it was noted elsewhere: the journal must still hold exactly the history of this head. */
  readonly head?: NotedHead
}

export interface VerifyReport {
  readonly ok: boolean
  readonly problems: readonly VerifyProblem[]
  /** Wrong indexes and snapshots: caches, which concern neither the journal nor `ok`. */
  readonly warnings: readonly VerifyProblem[]
  /** Hexadecimal; '' when no segment tells. */
  readonly journalId: string
  readonly segments: number
  /** Of intact segments, that were compared with them. */
  readonly indexes: number
  /** Those that an opening can begin with, newest first. */
  readonly snapshots: readonly VerifiedSnapshot[]
  readonly blocks: number
  readonly events: number
  /** Of the blocks, with padding. */
  readonly bytes: number
  /** Of the last block; 0: none. */
  readonly lastBlock: number
  /** Of the last event; 0: none. */
  readonly lastSequence: number
  /** Hash of the last block, hexadecimal: whoever notes it elsewhere can prove all before it. */
  readonly headHash: string
  /** That of the noted head, all before which is what it was; undefined: none given, or not `ok`. */
  readonly notedBlock?: number
  /** The journal was being written meanwhile. */
  readonly live: boolean
  readonly seconds: number
}

/** How often what looks wrong at the end is looked at again, and how long a writer gets. */
const LOOKS = 5
const LOOK_AGAIN_MS = 20

/**
 * @throws TidewheelError NOT_A_JOURNAL when there is no journal, JOURNAL_UNREADABLE when it cannot
 * be read. Damage does not throw: it is in the report.
 */
export async function verifyJournal(
  path: string,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  let storage: Storage
  try {
    storage = openFileStorage(path)
  } catch (error) {
    throw unreadable(path, error)
  }
  const segments = segmentNames(storage).length
  const threads = Math.max(1, Math.min(options.threads ?? availableParallelism(), segments))
  const pool = new Piscina<VerifySegmentTask, SegmentVerdict>({
    filename: new URL('./verify-segment-task.js', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
    ...threadArguments(),
  })
  try {
    const { head } = options
    const notedHash = head?.hash ?? ''
    return await verifyWith(
      storage,
      (name) => pool.run({ path: storage.path, name, notedHash }),
      head,
    )
  } catch (error) {
    throw error instanceof TidewheelError ? error : unreadable(path, error)
  } finally {
    await pool.destroy()
  }
}

/** The same with any way of running {@link verifySegment} on one segment. */
export async function verifyWith(
  storage: Storage,
  run: (name: string) => Promise<SegmentVerdict>,
  head?: NotedHead,
): Promise<VerifyReport> {
  const startedMs = performance.now()
  // Before the list: the manifest never knows of a segment that is not there yet.
  const manifest = readManifestOrProblem(storage)
  const names = segmentNames(storage)
  const snapshots = checkSnapshots(storage)
  if (names.length === 0 && manifest === undefined) {
    throw new TidewheelError(
      'NOT_A_JOURNAL',
      `the directory ${storage.path} has no journal; give the directory that the engine was opened with`,
    )
  }
  const verdicts = await Promise.all(names.map(run))
  verdicts.sort((a, b) => a.number - b.number)
  const live = await lookAgain(verdicts, manifest, head, run)
  const report = summarise(verdicts, live)
  const found = allProblems(verdicts, manifest, head)
  const { journalId, lastBlock } = report
  const isWhole = found.length === 0
  const saved = verifySnapshots(storage, snapshots, { journalId, lastBlock, isWhole })
  const problems = [...found, ...saved.problems]
  const ok = problems.length === 0
  const notedBlock = head && ok ? notedBlockOf(verdicts, head) : undefined
  return {
    ok,
    problems,
    warnings: [...findWrongIndexes(verdicts, storage.list()), ...saved.warnings],
    snapshots: saved.good,
    ...report,
    ...(notedBlock === undefined ? {} : { notedBlock }),
    seconds: (performance.now() - startedMs) / 1000,
  }
}

function readManifestOrProblem(storage: Storage): Manifest | 'damaged' | undefined {
  try {
    return readManifest(storage)
  } catch (error) {
    if (error instanceof TidewheelError) throw error
    throw unreadable(storage.path, error)
  }
}

function allProblems(
  verdicts: readonly SegmentVerdict[],
  manifest: Manifest | 'damaged' | undefined,
  head: NotedHead | undefined,
): VerifyProblem[] {
  const problems = verdicts.flatMap((verdict) => verdict.problems)
  const headProblem = head === undefined ? undefined : findHeadProblem(verdicts, head)
  const links = findLinkProblems(verdicts, manifest)
  return [...problems, ...links, ...(headProblem === undefined ? [] : [headProblem])]
}

function findWrongIndexes(
  verdicts: readonly SegmentVerdict[],
  names: readonly string[],
): VerifyProblem[] {
  const warnings: VerifyProblem[] = []
  const warn = (file: string, problem: string): void => {
    const message = `the index is wrong: ${problem}. It is a cache and may be deleted; an engine makes it again when a read needs it`
    warnings.push({ code: 'INDEX_WRONG', message, file, offset: 0 })
  }
  for (const { number, indexProblem = '' } of verdicts) {
    if (indexProblem !== '') warn(indexName(number), indexProblem)
  }
  const numbers = new Set(verdicts.map(({ number }) => number))
  for (const name of names) {
    const number = indexedSegmentOf(name)
    if (number > 0 && !numbers.has(number)) warn(name, 'there is no such segment')
  }
  return warnings
}

/** Verifies the last segments again while that changes something; returns whether it did. */
async function lookAgain(
  verdicts: SegmentVerdict[],
  manifest: Manifest | 'damaged' | undefined,
  head: NotedHead | undefined,
  run: (name: string) => Promise<SegmentVerdict>,
): Promise<boolean> {
  let live = false
  for (let look = 1; look < LOOKS && allProblems(verdicts, manifest, head).length > 0; look++) {
    await setTimeout(LOOK_AGAIN_MS)
    let moved = false
    for (const index of tailIndexes(verdicts)) {
      const before = verdicts[index] as SegmentVerdict
      const after = await run(before.name)
      if (after.lastBlock > before.lastBlock) {
        moved = true
        dropUnfinishedTail(after)
      }
      verdicts[index] = after
    }
    live ||= moved
  }
  return live
}

/** The last segment that has blocks, the one before it, and those after it. */
function tailIndexes(verdicts: readonly SegmentVerdict[]): number[] {
  let last = verdicts.length - 1
  while (last > 0 && verdicts[last]?.firstBlock === 0) last--
  const indexes: number[] = []
  for (let index = Math.max(0, last - 1); index < verdicts.length; index++) indexes.push(index)
  return indexes
}

/** The end is moving: the block behind it is being written. */
function dropUnfinishedTail(verdict: SegmentVerdict): void {
  const { problems } = verdict
  if (problems.at(-1)?.code === 'TAIL_TORN') problems.pop()
}

type JournalSummary = Omit<VerifyReport, 'ok' | 'problems' | 'warnings' | 'snapshots' | 'seconds'>

function summarise(verdicts: readonly SegmentVerdict[], live: boolean): JournalSummary {
  let blocks = 0
  let events = 0
  let bytes = 0
  let last: SegmentVerdict | undefined
  for (const verdict of verdicts) {
    blocks += verdict.blocks
    events += verdict.events
    bytes += verdict.bytes
    if (verdict.firstBlock !== 0) last = verdict
  }
  return {
    journalId: verdicts.find((verdict) => verdict.journalId !== '')?.journalId ?? '',
    segments: verdicts.length,
    indexes: verdicts.filter(({ indexProblem }) => indexProblem !== undefined).length,
    blocks,
    events,
    bytes,
    lastBlock: last?.lastBlock ?? 0,
    lastSequence: last === undefined ? 0 : last.nextSequence - 1,
    headHash: last?.lastHash ?? '00'.repeat(HASH_BYTES),
    live,
  }
}

function unreadable(path: string, cause: unknown): TidewheelError {
  return new TidewheelError(
    'JOURNAL_UNREADABLE',
    `the journal ${path} cannot be read (${causeOf(cause)}); check the path and the permissions of its files`,
    { cause },
  )
}
