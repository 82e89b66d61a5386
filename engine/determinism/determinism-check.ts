/**
 * The guard for non-determinism of a running engine: replays what is in the files, in the pool, and
 * compares the state that they give with the live one at the same place of the journal.
 *
 *   live    ── no batch ──▶ outline of the state ─── commands go on ──▶  hashes of one piece ──▶ …
 *                              │ place 1                  ▲ piece            │ place 2
 *   pool                       └─▶ replay to place 1 ─────┘ that differs     └─▶ replay to place 2
 *                                                                                ─▶ the stream
 *
 * Once is enough where they agree. Where not, the second round names the stream; a state that has
 * come to agree again meanwhile leaves the aggregate.
 */
import type { IdValue } from '../../journal/schema/id-type.js'
import type { TaskPool } from '../../journal/task-pool.js'
import type { Domain } from '../domain.js'
import { fingerprintOf } from '../producer.js'
import type { QuietRead } from '../quiet-reads.js'
import type { StatePiece } from '../state-digest.js'
import type { ComparisonTask, ComparisonVerdict, LiveState } from './comparison-task.js'
import type { StateOutline } from './state-outline.js'

export interface DeterminismReport {
  /** The live state and the replayed one are the same. */
  readonly ok: boolean
  /** Of the last event in both. */
  readonly sequence: number
  /** Of the live state. */
  readonly digest: string
  /** That were replayed. */
  readonly events: number
  /** File that the replay began with; undefined: the first event. */
  readonly snapshot: string | undefined
  /** How long commands waited for the look at the live state. */
  readonly pausedMs: number
  readonly seconds: number
  /** What differs, as a sentence; undefined: nothing. */
  readonly problem?: string
  /** Where they differ first. */
  readonly aggregate?: string
  readonly id?: IdValue
}

/** The live state, wherever it is. */
export interface LiveStateSource {
  outline(): Promise<QuietRead<StateOutline>>
  streamHashes(piece: StatePiece): Promise<QuietRead<string[]>>
}

export async function checkDeterminism(
  path: string,
  domain: Domain,
  source: LiveStateSource,
  pool: TaskPool<ComparisonTask, ComparisonVerdict>,
): Promise<DeterminismReport> {
  const startedMs = performance.now()
  const { name: domainName, moduleUrl } = domain
  const by = { domainName, moduleUrl, fingerprint: fingerprintOf(domain) }
  const compare = ({ edge }: QuietRead<unknown>, live: LiveState) =>
    pool.run({ path, domain: by, edge, live })

  const whole = await source.outline()
  const { events, snapshot, piece } = await compare(whole, { outline: whole.value })
  let { pausedMs } = whole
  let id: IdValue | undefined
  if (piece !== undefined && piece.firstSlot > 0) {
    const part = await source.streamHashes(piece)
    pausedMs += part.pausedMs
    id = (await compare(part, { piece, hashes: part.value })).id
  }
  const { sequence } = whole.edge
  const { digest } = whole.value
  const seconds = (performance.now() - startedMs) / 1000
  const report = { ok: true, sequence, digest, events, snapshot, pausedMs, seconds }
  return piece === undefined
    ? report
    : { ...report, ok: false, ...describe(domain, piece, id, snapshot) }
}

function describe(
  domain: Domain,
  piece: StatePiece,
  id: IdValue | undefined,
  snapshot: string | undefined,
): Pick<DeterminismReport, 'problem' | 'aggregate' | 'id'> {
  const aggregate = domain.aggregates[piece.storeIndex]?.name
  if (aggregate === undefined) {
    return { problem: 'the replayed state has other idempotency keys than the live one' }
  }
  const where =
    id === undefined ? `in streams of ${aggregate}` : `first at ${aggregate} ${String(id)}`
  const problem =
    `the replayed state differs from the live one, ${where}. ` +
    `An evolve of ${aggregate} uses the clock, randomness or a variable outside its state: put what it needs into the event` +
    (snapshot === undefined
      ? ''
      : `; or, as the replay began with ${snapshot}, its snapshot and restore do not keep the whole state`)
  return { problem, aggregate, ...(id === undefined ? {} : { id }) }
}
