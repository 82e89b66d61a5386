/**
 * Checks what holds between the segments of a journal, and between them and the manifest: nothing
 * missing, and the last hash of one segment in the first block of the next.
 */
import { HASH_BYTES } from './block-layout.js'
import type { Manifest } from './manifest.js'
import { MANIFEST_NAME } from './manifest-layout.js'
import { SEGMENT_DATA, segmentName } from './segment-layout.js'
import type { SegmentVerdict, VerifyProblem } from './verify-segment.js'

const NO_HASH = '00'.repeat(HASH_BYTES)

/** `verdicts` are in order of segment numbers. */
export function findLinkProblems(
  verdicts: readonly SegmentVerdict[],
  manifest: Manifest | 'damaged' | undefined,
): VerifyProblem[] {
  const problems = findManifestProblems(verdicts, manifest)
  let expectedNumber = 1
  let before: SegmentVerdict | undefined
  let empty: SegmentVerdict | undefined
  for (const verdict of verdicts) {
    if (expectedNumber < verdict.number) {
      problems.push(missingSegments(expectedNumber, verdict.number - 1))
    }
    expectedNumber = verdict.number + 1
    if (verdict.firstBlock === 0) {
      empty ??= verdict
      continue
    }
    if (empty !== undefined) {
      const message = `the segment has blocks, and segment ${empty.number} before it has none`
      problems.push({ code: 'CHAIN_BROKEN', message, file: verdict.name, offset: SEGMENT_DATA })
    }
    const message = before === undefined ? startProblem(verdict) : linkProblem(before, verdict)
    if (message !== '') {
      problems.push({ code: 'CHAIN_BROKEN', message, file: verdict.name, offset: SEGMENT_DATA })
    }
    if (
      before !== undefined &&
      verdict.firstTimeUs !== 0 &&
      verdict.firstTimeUs < before.lastTimeUs
    ) {
      const back = 'time goes backwards from the segment before'
      problems.push({
        code: 'TIME_BACKWARDS',
        message: back,
        file: verdict.name,
        offset: SEGMENT_DATA,
      })
    }
    before = verdict
  }
  if (before?.isArchived === true) {
    const message = `the journal ends in an archived segment, so segment ${before.number + 1} had blocks, and they are missing`
    const file = segmentName(before.number + 1)
    problems.push({ code: 'SEGMENT_MISSING', message, file, offset: SEGMENT_DATA })
  }
  return problems
}

function findManifestProblems(
  verdicts: readonly SegmentVerdict[],
  manifest: Manifest | 'damaged' | undefined,
): VerifyProblem[] {
  const problems: VerifyProblem[] = []
  if (manifest === undefined || manifest === 'damaged') {
    const what = manifest ?? 'missing'
    const message = `the manifest is ${what}; the next opening makes it again from the segments`
    problems.push({ code: 'MANIFEST_DAMAGED', message, file: MANIFEST_NAME, offset: 0 })
  }
  const known = manifest === 'damaged' ? undefined : manifest
  const journalId =
    known === undefined
      ? verdicts.find((verdict) => verdict.journalId !== '')?.journalId
      : Buffer.from(known.journalId).toString('hex')
  for (const verdict of verdicts) {
    if (verdict.journalId === '' || verdict.journalId === journalId) continue
    const message = 'the segment belongs to another journal'
    problems.push({ code: 'SEGMENT_FOREIGN', message, file: verdict.name, offset: 0 })
  }
  const highest = verdicts.at(-1)?.number ?? 0
  const expected = known?.highestSegment ?? 0
  if (highest < expected) problems.push(missingSegments(highest + 1, expected))
  return problems
}

function startProblem(first: SegmentVerdict): string {
  if (first.firstBlock !== 1) return `the journal starts with block ${first.firstBlock}, not with 1`
  if (first.firstSequence !== 1) {
    return `the journal starts with sequence ${first.firstSequence}, not with 1`
  }
  return first.firstPreviousHash === NO_HASH ? '' : 'the first block carries the hash of another'
}

function linkProblem(before: SegmentVerdict, verdict: SegmentVerdict): string {
  if (verdict.firstBlock !== before.lastBlock + 1) {
    return `the segment starts with block ${verdict.firstBlock}, where block ${before.lastBlock + 1} belongs`
  }
  if (verdict.firstSequence !== before.nextSequence) {
    return `the segment starts with sequence ${verdict.firstSequence}, where ${before.nextSequence} belongs`
  }
  if (verdict.firstEpoch < before.lastEpoch) return 'the segment starts with an older epoch'
  if (verdict.firstPreviousHash !== before.lastHash) {
    return `the hash in block ${verdict.firstBlock} is not that of the block before it`
  }
  return ''
}

function missingSegments(first: number, last: number): VerifyProblem {
  const message =
    first === last ? `segment ${first} is missing` : `segments ${first} to ${last} are missing`
  return { code: 'SEGMENT_MISSING', message, file: segmentName(first), offset: 0 }
}
