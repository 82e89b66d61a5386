/**
 * Whether a journal still holds the history of a head that was noted elsewhere (chain-head.ts).
 *
 *   block 1 ─▶ … ─▶ block with the noted hash ─▶ … ─▶ last block
 *   └── exactly what it was ─────────────────┘   └─ added since: not said
 *
 * Every hash is computed from the bytes that are there, and contains the hash before it. So where a
 * block has the noted hash, and all links up to it hold (verify-links.ts), every byte up to it is the
 * one that was noted: another one would need two contents with one SHA-256.
 */
import { HASH_BYTES } from './block-layout.js'
import type { NotedHead } from './chain-head.js'
import { segmentName } from './segment-layout.js'
import type { SegmentVerdict, VerifyProblem } from './verify-segment.js'

const NO_HASH = '00'.repeat(HASH_BYTES)

/** Number of the block; 0 for the head of an empty journal; undefined: it is not there. */
export function notedBlockOf(
  verdicts: readonly SegmentVerdict[],
  head: NotedHead,
): number | undefined {
  if (head.hash === NO_HASH && head.sequence === 0) return 0
  const found = verdicts.find(({ notedBlock }) => notedBlock !== 0)
  return found?.notedSequence === head.sequence ? found.notedBlock : undefined
}

/** `verdicts` are in order of segment numbers. */
export function findHeadProblem(
  verdicts: readonly SegmentVerdict[],
  head: NotedHead,
): VerifyProblem | undefined {
  if (notedBlockOf(verdicts, head) !== undefined) return undefined
  const found = verdicts.find(({ notedBlock }) => notedBlock !== 0)
  const reached = verdicts.find(({ nextSequence }) => nextSequence > head.sequence)
  const last = verdicts.findLast(({ firstBlock }) => firstBlock !== 0)
  const file = (found ?? reached ?? last)?.name ?? segmentName(1)
  return { code: 'HEAD_MISSING', message: reasonOf(found, reached, last, head), file, offset: 0 }
}

function reasonOf(
  found: SegmentVerdict | undefined,
  reached: SegmentVerdict | undefined,
  last: SegmentVerdict | undefined,
  { sequence }: NotedHead,
): string {
  if (found !== undefined) {
    return `the noted hash is that of block ${found.notedBlock}, which ends with sequence ${found.notedSequence}, not ${sequence}: sequence and hash are not of one head`
  }
  if (reached === undefined) {
    const end = last === undefined ? 0 : last.nextSequence - 1
    return `the journal ends with sequence ${end}, before the noted head with sequence ${sequence}: its end is missing, or it is another journal`
  }
  return `no block has the noted hash: what the journal holds up to sequence ${sequence} is not what was noted`
}
