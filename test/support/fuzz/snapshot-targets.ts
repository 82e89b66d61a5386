/**
 * Snapshots from strangers: read as a file, as the tools do, and restored into the state of a domain
 * with every type of field, id and object. Whoever gives changed bytes right checksums is a forger;
 * what is then restored must be a state that can be looked at, digested and saved again.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DomainRuntime } from '../../../engine/domain-runtime.js'
import { Replay } from '../../../engine/replay.js'
import { readState } from '../../../engine/snapshot/state-reader.js'
import { countKeys, writeState } from '../../../engine/snapshot/state-writer.js'
import { stateDigest } from '../../../engine/state-digest.js'
import type { Catalogue } from '../../../journal/catalogue.js'
import { assert } from '../../../journal/errors.js'
import { journalBlocks } from '../../../journal/event-reader.js'
import { openJournalFolder } from '../../../journal/journal-folder.js'
import { SEGMENT_DATA } from '../../../journal/segment-layout.js'
import { snapshotName } from '../../../journal/snapshot-layout.js'
import { SnapshotReader } from '../../../journal/snapshot-reader.js'
import { SnapshotWriter } from '../../../journal/snapshot-writer.js'
import saved from '../domains/saved.js'
import { MemoryStorage } from '../memory-storage.js'
import { openSaved, runAny } from '../saved-journal.js'
import { seededRandom } from '../seeded-random.js'
import { signSnapshot } from '../snapshot-bytes.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import { mutateInPlace } from './mutation.js'

const COMMANDS = 60
const START_US = 1_700_000_000_000_000

export async function snapshotTargets(): Promise<FuzzTarget[]> {
  const { runtime, catalogue } = await makeState()
  const bytes = written(runtime, catalogue)
  const fields = {
    makeValid: () => bytes.slice(),
    mutate: mutateInPlace,
    mend: (changed: Uint8Array) => signSnapshot(changed),
  }
  return [
    {
      ...fields,
      name: 'snapshot, as a file',
      inputs: EVERY_DECODER,
      decode: (input) => readerOf(input).skipToEnd(),
    },
    {
      ...fields,
      name: 'snapshot, restored',
      inputs: 1_500,
      decode(input) {
        const restored = new DomainRuntime(saved)
        const found = readState(readerOf(input), restored)
        const again = new DomainRuntime(saved)
        readState(readerOf(written(restored, found)), again)
        assert(stateDigest(again) === stateDigest(restored), 'what is restored can be saved again')
      },
    },
  ]
}

function readerOf(bytes: Uint8Array): SnapshotReader {
  const storage = new MemoryStorage()
  storage.files.set('input', bytes)
  return new SnapshotReader(storage.open('input', 'read'))
}

/** A function of the seeds alone: nothing in it is of a clock. */
async function makeState(): Promise<{ runtime: DomainRuntime; catalogue: Catalogue }> {
  const directory = mkdtempSync(join(tmpdir(), 'tidewheel-fuzz-snapshot-'))
  try {
    const path = join(directory, 'journal')
    let nowUs = START_US
    const engine = await openSaved(path, { clock: () => nowUs++ })
    const random = seededRandom(1)
    for (let n = 0; n < COMMANDS; n++) await runAny(engine, random)
    await engine.close()
    const runtime = new DomainRuntime(saved)
    const replay = new Replay(runtime)
    for await (const { view, frameOffset, payloadBytes } of journalBlocks(
      openJournalFolder(path),
    )) {
      replay.visit(view, frameOffset, payloadBytes)
    }
    const { catalogue } = replay
    assert(catalogue !== undefined, 'a journal with events has a catalogue')
    return { runtime, catalogue }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function written(runtime: DomainRuntime, catalogue: Catalogue): Uint8Array {
  const storage = new MemoryStorage()
  const { sequence, latestUs: timeUs } = runtime
  const writer = new SnapshotWriter(storage, {
    journalId: new Uint8Array(16).fill(7),
    sequence,
    blockNumber: 1,
    segmentNumber: 1,
    fileOffset: SEGMENT_DATA,
    blockHash: new Uint8Array(32).fill(9),
    timeUs,
    fingerprint: new Uint8Array(32).fill(5),
    keys: countKeys(runtime),
  })
  writeState(runtime, catalogue, writer)
  writer.finish()
  writer.close()
  return storage.bytesOf(snapshotName(sequence)).slice()
}
