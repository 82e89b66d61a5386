/**
 * Opening: takes the journal's lock, recovers the files, and replays them into the state. What it
 * returns is all that a running engine starts from.
 */
import { existsSync } from 'node:fs'
import { type Catalogue, encodeCatalogueFrame, mergeCatalogue } from '../journal/catalogue.js'
import { causeOf, TidewheelError } from '../journal/errors.js'
import { openFileStorage } from '../journal/file-storage.js'
import { refuseForeignDirectory } from '../journal/journal-directory.js'
import type { JournalEnd } from '../journal/journal-end.js'
import { acquireJournalLock, type JournalLock } from '../journal/journal-lock.js'
import { KEY_WINDOW_DEFAULT, type KeyWindow, sameWindow } from '../journal/key-window.js'
import { segmentNumberIn } from '../journal/open-segment.js'
import { type RecoveryOptions, recoverJournal } from '../journal/recovery.js'
import type { RecoveryReport } from '../journal/recovery-report.js'
import { SEGMENT_DATA } from '../journal/segment-layout.js'
import type { Storage } from '../journal/storage.js'
import { WaitingJournaler } from '../journal/waiting-journaler.js'
import type { Domain } from './domain.js'
import { DomainRuntime } from './domain-runtime.js'
import type { ResolvedOptions } from './engine-options.js'
import { Replay } from './replay.js'
import { StateRestore } from './snapshot/state-restore.js'

export interface OpenJournal {
  readonly path: string
  readonly lock: JournalLock
  /** Started while the files were recovered; undefined where a test drives the journaler. */
  readonly waiting: WaitingJournaler | undefined
  /** Where the journaler goes on. */
  readonly end: JournalEnd
  /** The catalogue's frame, which begins each segment. */
  readonly preamble: Uint8Array
  /** The catalogue changed, and no preamble says so in time: its frame has to come first. */
  readonly announcesCatalogue: boolean
}

export interface OpenState {
  readonly runtime: DomainRuntime
  readonly catalogue: Catalogue
  readonly report: RecoveryReport
  /** Undefined at durability `none`. */
  readonly journal: OpenJournal | undefined
}

/**
 * Blocks for as long as recovery takes.
 * @throws TidewheelError whatever is wrong with directory, journal or domain; the lock is free then
 */
export function openState(path: string, domain: Domain, options: ResolvedOptions): OpenState {
  const { durability, segmentBytes, keyWindow } = options
  if (durability === 'none') return openWithoutJournal(path, new DomainRuntime(domain), keyWindow)
  const storage = openDirectory(path)
  // Before the lock, which writes a file: a directory that is not ours stays as it is.
  refuseForeignDirectory(storage)
  const lock = acquireJournalLock(path)
  let waiting: WaitingJournaler | undefined
  try {
    waiting = new WaitingJournaler()
    return recoverState(storage, lock, domain, { durability, segmentBytes, keyWindow, waiting })
  } catch (error) {
    waiting?.discard()
    lock.abandon()
    throw error
  }
}

/**
 * Everything behind the directory and its lock, which the caller holds: what tests over a simulated
 * disk begin with.
 * @throws TidewheelError whatever is wrong with journal or domain
 */
export function recoverState(
  storage: Storage,
  lock: JournalLock,
  domain: Domain,
  options: Pick<ResolvedOptions, 'durability' | 'segmentBytes' | 'keyWindow'> &
    Pick<RecoveryOptions, 'window'> & { readonly waiting?: WaitingJournaler },
): OpenState {
  const { keyWindow, waiting, ...given } = options
  const durability = options.durability === 'os' ? 'os' : 'disk'
  const saved = new StateRestore(storage, domain)
  let replay = new Replay(saved.runtime)
  const { end, report } = recoverJournal(
    storage,
    {
      ...given,
      durability,
      restore: (journalId, segments, window) => {
        const restored = saved.restore(journalId, segments, window)
        replay = new Replay(saved.runtime, saved.catalogue)
        return restored
      },
    },
    (view, offset, payloadBytes) => replay.visit(view, offset, payloadBytes),
  )
  const { runtime } = saved
  const merged = mergeCatalogue(replay.catalogue, domain.name, runtime.declaration(), keyWindow)
  runtime.bind(merged.catalogue)
  const { catalogue } = merged
  // The types can wait for the first transaction, which brings a preamble at the start of a
  // segment; a window is kept also when there is none.
  const windowBefore = replay.catalogue?.keyWindow ?? KEY_WINDOW_DEFAULT
  const changesWindow = !sameWindow(windowBefore, catalogue.keyWindow)
  const journal: OpenJournal = {
    path: storage.path,
    lock,
    waiting,
    end,
    preamble: encodeCatalogueFrame(catalogue, runtime.latestUs),
    announcesCatalogue: merged.changed && (end.fileOffset !== SEGMENT_DATA || changesWindow),
  }
  return { runtime, catalogue, report, journal }
}

/** @throws TidewheelError JOURNAL_UNREADABLE for what is no directory, or not ours to use. */
function openDirectory(path: string): Storage {
  try {
    return openFileStorage(path, { create: true })
  } catch (cause) {
    throw new TidewheelError(
      'JOURNAL_UNREADABLE',
      `${path} cannot be used as the directory of a journal: ${causeOf(cause)}. Give a directory that this process may create, read and write`,
      { cause },
    )
  }
}

function openWithoutJournal(
  path: string,
  runtime: DomainRuntime,
  keyWindow: Partial<KeyWindow>,
): OpenState {
  if (existsSync(path)) {
    const segment = openFileStorage(path)
      .list()
      .find((name) => segmentNumberIn(name) > 0)
    if (segment !== undefined) {
      throw new TidewheelError(
        'DURABILITY_MISMATCH',
        `${path} holds a journal, which durability 'none' would neither read nor write; open it with 'disk' or 'os', or choose another directory`,
        { file: segment },
      )
    }
  }
  const declared = runtime.declaration()
  const { catalogue } = mergeCatalogue(undefined, runtime.domain.name, declared, keyWindow)
  runtime.bind(catalogue)
  const report: RecoveryReport = {
    created: true,
    segments: 0,
    blocks: 0,
    events: 0,
    bytes: 0,
    seconds: 0,
    eventsPerSecond: 0,
    repaired: [],
  }
  return { runtime, catalogue, report, journal: undefined }
}
