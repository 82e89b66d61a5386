/**
 * Replays a journal twice with the user's domain, in two states that know nothing of each other, and
 * compares them: where they differ, an `evolve` asks for something that is not in the event. It reads
 * without a lock and never writes.
 *
 *   block ─┬─▶ first state                             ┐
 *          └─▶ second state, on a clock of another day ┴─▶ the same digest, or the first stream
 *                                                          that differs
 *
 * Both take each block in turn, so a journal that is being written is the same for both. Two replays
 * within a millisecond would see one time, hence the other clock.
 */
import { type Catalogue, mergeCatalogue } from '../../journal/catalogue.js'
import { journalBlocks } from '../../journal/event-reader.js'
import { openJournalFolder } from '../../journal/journal-folder.js'
import { onAnotherDay } from '../another-day.js'
import type { Domain } from '../domain.js'
import { DomainRuntime } from '../domain-runtime.js'
import { Replay } from '../replay.js'
import { findDifference, type StateDifference } from '../state-difference.js'
import { stateDigest } from '../state-digest.js'

export interface ReplayCheck {
  readonly events: number
  readonly digest: string
  readonly difference: StateDifference | undefined
}

/** @throws TidewheelError whatever opening would say of journal and domain */
export async function checkReplay(path: string, domain: Domain): Promise<ReplayCheck> {
  const first = new DomainRuntime(domain)
  const second = new DomainRuntime(domain)
  const firstReplay = new Replay(first)
  const secondReplay = new Replay(second)
  for await (const { view, frameOffset, payloadBytes } of journalBlocks(openJournalFolder(path))) {
    firstReplay.visit(view, frameOffset, payloadBytes)
    onAnotherDay(() => secondReplay.visit(view, frameOffset, payloadBytes))
  }
  for (const runtime of [first, second]) bindAll(runtime, firstReplay.catalogue)
  return {
    events: first.sequence,
    digest: stateDigest(first),
    difference: findDifference(first, second),
  }
}

/** As opening does: the journal's window of keys belongs to the digest. */
function bindAll(runtime: DomainRuntime, found: Catalogue | undefined): void {
  runtime.bind(mergeCatalogue(found, runtime.domain.name, runtime.declaration()).catalogue)
}
