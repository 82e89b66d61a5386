/**
 * `tidewheel prove`: makes the proof of an event out of a journal, or checks one without a journal
 * (journal/event-proof.ts).
 */
import { readFileSync, statSync } from 'node:fs'
import type { NotedHead } from '../../journal/chain-head.js'
import { causeOf, TidewheelError } from '../../journal/errors.js'
import { PROOF_TEXT_BYTES_MAX, proofText, proveEvent } from '../../journal/event-proof.js'
import { checkProof } from '../../journal/proof-check.js'
import { jsonLine } from './json-lines.js'
import type { LineOutput } from './line-output.js'

/** Prints the proof. @throws TidewheelError where there is none */
export async function proveCommand(
  path: string,
  sequence: number,
  head: NotedHead | undefined,
  output: LineOutput,
): Promise<number> {
  await output.writeAll([proofText(await proveEvent(path, sequence, head))])
  return 0
}

/** Prints the event that `file` proves. @throws TidewheelError PROOF_FAILED */
export async function checkProofCommand(
  file: string,
  head: NotedHead,
  output: LineOutput,
): Promise<number> {
  const event = checkProof(textOf(file), head)
  await output.writeAll([
    jsonLine(event),
    `PROVED: this event is in the history that ends with hash ${head.hash}.`,
  ])
  return 0
}

function textOf(file: string): string {
  let text: string
  try {
    if (statSync(file).size > PROOF_TEXT_BYTES_MAX) throw new Error('it is larger than any proof')
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new TidewheelError('PROOF_FAILED', `${file} cannot be read: ${causeOf(cause)}`, { cause })
  }
  return text
}
