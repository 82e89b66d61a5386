/**
 * What the worker of the pool of comparisons runs: replays the files up to a place, and says
 * where the state differs from the live one at that place. As if on another day, and in another process.
 */
import { mergeCatalogue } from '../../journal/catalogue.js'
import { assert } from '../../journal/errors.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { ReadWindow } from '../../journal/read-window.js'
import type { IdValue } from '../../journal/schema/id-type.js'
import type { SyncedEdge } from '../../journal/synced-edge.js'
import { outcomeOf, type TaskOutcome } from '../../journal/task-pool.js'
import type { DomainRuntime } from '../domain-runtime.js'
import { elsewhere } from '../elsewhere.js'
import { type DomainSource, loadDomain } from '../load-domain.js'
import { loadModule } from '../module-loading.js'
import { replayFiles } from '../snapshot/replayed-files.js'
import type { StatePiece } from '../state-digest.js'
import { firstDifference, type StateOutline, streamHashes } from './state-outline.js'

/** Of the live state: all of it, or the streams of one piece. */
export type LiveState =
  | { readonly outline: StateOutline }
  | { readonly piece: StatePiece; readonly hashes: readonly string[] }

export interface ComparisonTask {
  /** Of the journal's directory. */
  readonly path: string
  readonly domain: DomainSource
  /** Where the journal ends with this very state. */
  readonly edge: SyncedEdge
  readonly live: LiveState
}

export interface ComparisonVerdict {
  /** That were replayed. */
  readonly events: number
  /** File that the replay began with; undefined: the first event. */
  readonly snapshot: string | undefined
  /** Where the states begin to differ; undefined: nowhere. */
  readonly piece: StatePiece | undefined
  /** The first stream of it that differs, where its streams were compared. */
  readonly id: IdValue | undefined
}

export default function compare(task: ComparisonTask): Promise<TaskOutcome<ComparisonVerdict>> {
  return outcomeOf(async () => {
    const { path, edge, live } = task
    const domain = await loadDomain(task.domain, loadModule)
    // Past the page cache: pages of the segment in use would slow its writer down.
    const window = new ReadWindow(undefined, true)
    const { runtime, replay, events, snapshot } = elsewhere(() =>
      replayFiles(openFileStorage(path), domain, edge, window),
    )
    assert(runtime.sequence === edge.sequence, 'the files hold all that is synced')
    // As opening does: the journal's window of keys belongs to the digest.
    runtime.bind(mergeCatalogue(replay.catalogue, domain.name, runtime.declaration()).catalogue)
    const found = 'outline' in live ? wholeState(runtime, live.outline) : streams(runtime, live)
    return { events, snapshot: snapshot?.file, ...found }
  })
}

type Found = Pick<ComparisonVerdict, 'piece' | 'id'>

function wholeState(runtime: DomainRuntime, outline: StateOutline): Found {
  return { piece: firstDifference(runtime, outline), id: undefined }
}

function streams(
  runtime: DomainRuntime,
  { piece, hashes }: { readonly piece: StatePiece; readonly hashes: readonly string[] },
): Found {
  const index = streamHashes(runtime, piece).findIndex((hash, i) => hash !== hashes[i])
  if (index < 0) return { piece: undefined, id: undefined }
  const store = runtime.stores[piece.storeIndex]
  const id = store?.ids.idOf(piece.firstSlot + index) as IdValue | undefined
  return { piece, id }
}
