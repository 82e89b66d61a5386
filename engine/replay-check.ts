/**
 * Replays a journal twice with the user's domain, in two states that know nothing of each other, and
 * compares them: where they differ, an `evolve` asks for something that is not in the event. On the
 * way it restores each snapshot, and the state in it must be the one that the journal gives; from the
 * newest it goes on, as opening does. It reads without a lock and never writes.
 *
 *   block ─┬─▶ first state ──────────────────┬──────────────────┬─▶ the same digest, or the first
 *          ├─▶ second, as if elsewhere ───────┴──────────────────┤   stream that differs
 *          └───────── newest snapshot ═ the first state there ──┘
 *
 * All take each block in turn, so a journal that is being written is the same for all. Two replays
 * within a millisecond would see one time, hence `elsewhere`.
 */
import { type Catalogue, mergeCatalogue } from '../journal/catalogue.js'
import { TidewheelError } from '../journal/errors.js'
import { journalBlocks } from '../journal/event-reader.js'
import { openFileStorage } from '../journal/file-storage.js'
import { openJournalFolder } from '../journal/journal-folder.js'
import { SnapshotReader } from '../journal/snapshot-reader.js'
import type { VerifiedSnapshot } from '../journal/verify-snapshots.js'
import { json } from './cli/json-lines.js'
import type { Domain } from './domain.js'
import { DomainRuntime } from './domain-runtime.js'
import { elsewhere } from './elsewhere.js'
import { Replay } from './replay.js'
import { restoreState } from './snapshot/state-restore.js'
import { findDifference, type StateDifference } from './state-difference.js'
import { stateDigest } from './state-digest.js'

export interface ReplayCheck {
  readonly events: number
  readonly digest: string
  /** Between two states that should be the same. */
  readonly difference: FoundDifference | undefined
  /** Snapshots whose state is the journal's. */
  readonly snapshots: readonly string[]
  /** Those that other code has made, or that are gone meanwhile: a sentence each. */
  readonly skipped: readonly string[]
}

export interface FoundDifference extends StateDifference {
  /** The one that gives another state than the journal, there or behind it; undefined: two replays. */
  readonly snapshot: string | undefined
}

/**
 * @param snapshots those that end with a block of this journal, newest first
 * @throws TidewheelError whatever opening would say of journal and domain
 */
export async function checkReplay(
  path: string,
  domain: Domain,
  snapshots: readonly VerifiedSnapshot[] = [],
): Promise<ReplayCheck> {
  const first = new Replayed(new DomainRuntime(domain))
  const second = new Replayed(new DomainRuntime(domain))
  const skipped: string[] = []
  const same: string[] = []
  const newest = snapshots[0]?.file
  let restored: Replayed | undefined
  let difference: FoundDifference | undefined
  for await (const block of journalBlocks(openJournalFolder(path))) {
    const { view, frameOffset, payloadBytes, header } = block
    for (const replayed of [first, restored]) {
      replayed?.replay.visit(view, frameOffset, payloadBytes)
    }
    elsewhere(() => second.replay.visit(view, frameOffset, payloadBytes))
    for (const { file } of snapshots.filter(({ block }) => block === header.blockNumber)) {
      const loaded = restore(path, file, domain, skipped)
      if (loaded === undefined) continue
      difference ??= compare(first, loaded, file)
      same.push(file)
      if (file === newest) restored = loaded
    }
  }
  difference ??= compare(first, second, undefined)
  if (restored !== undefined) difference ??= compare(first, restored, newest)
  const { runtime } = first
  const digest = stateDigest(runtime)
  return { events: runtime.sequence, digest, difference, snapshots: same, skipped }
}

/** A sentence: which states differ, where first, and why that can be. */
export function describeDifference(difference: FoundDifference): string {
  const { aggregate, id, first, second, snapshot } = difference
  const [who, others] =
    snapshot === undefined
      ? ['two replays', 'all streams']
      : [`the journal and ${snapshot}`, 'their streams']
  if (aggregate === undefined) return `${who} gave different digests, though ${others} agree`
  const why =
    snapshot === undefined
      ? `An evolve of ${aggregate} uses the clock, randomness or a variable outside its state: put what it needs into the event`
      : `An evolve of ${aggregate} uses a variable outside its state, or its \`snapshot\` and \`restore\` do not keep all of it, or a function that they call was changed since the snapshot was made. Mend that, and remove the .snapshot files`
  return `${who} differ, first at ${aggregate} ${String(id)}: ${stateText(first)} and ${stateText(second)}. ${why}`
}

const STATE_CHARACTERS_MAX = 200

function stateText(state: unknown): string {
  if (state === undefined) return 'no such stream'
  const text = json(state)
  return text.length <= STATE_CHARACTERS_MAX ? text : `${text.slice(0, STATE_CHARACTERS_MAX)}…`
}

class Replayed {
  readonly runtime: DomainRuntime
  readonly replay: Replay

  constructor(runtime: DomainRuntime, catalogue?: Catalogue) {
    this.runtime = runtime
    this.replay = new Replay(runtime, catalogue)
  }

  /** As opening does: the journal's window of keys belongs to the digest. */
  bindAll(): void {
    const { runtime, replay } = this
    const { name } = runtime.domain
    runtime.bind(mergeCatalogue(replay.catalogue, name, runtime.declaration()).catalogue)
  }
}

/** Undefined, and a sentence why, for one that cannot be compared. */
function restore(
  path: string,
  name: string,
  domain: Domain,
  skipped: string[],
): Replayed | undefined {
  const runtime = new DomainRuntime(domain)
  const storage = openFileStorage(path)
  // A newer one was made meanwhile, and this one is no longer needed.
  if (!storage.list().includes(name)) return undefined
  const file = storage.open(name, 'read')
  try {
    return new Replayed(runtime, restoreState(new SnapshotReader(file), runtime))
  } catch (error) {
    if (!(error instanceof TidewheelError) || error.code === 'OUT_OF_MEMORY') throw error
    skipped.push(`${name} is not compared: ${error.reason}`)
    return undefined
  } finally {
    file.close()
  }
}

function compare(
  first: Replayed,
  other: Replayed,
  snapshot: string | undefined,
): FoundDifference | undefined {
  for (const replayed of [first, other]) replayed.bindAll()
  const difference = findDifference(first.runtime, other.runtime)
  return difference && { ...difference, snapshot }
}
