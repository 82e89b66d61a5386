/**
 * The head of the hash chain: the hash of a block, which stands for that block and for every one
 * before it. Whoever notes it elsewhere can tell later whether the journal still holds exactly that
 * history, however far it has grown since (verify.ts), and be shown an event of it without the
 * journal (event-proof.ts).
 *
 * People and shells pass it on as `SEQUENCE:HASH`. The hash alone decides; the sequence says where
 * to look, and catches heads that were mixed up.
 */
import { HASH_BYTES } from './block-layout.js'

export interface ChainHead {
  /** Of the last event in the block or before it; 0: none. */
  readonly sequence: number
  /** Number of the block; 0: the journal has none. */
  readonly block: number
  /** Of the block, hexadecimal; zeros when there is none. */
  readonly hash: string
}

/** A head as it was noted: number of the block or not. */
export type NotedHead = Pick<ChainHead, 'sequence' | 'hash'>

export function headText({ sequence, hash }: NotedHead): string {
  return `${sequence}:${hash}`
}

const HEAD_TEXT = new RegExp(`^(\\d{1,16}):([0-9a-f]{${2 * HASH_BYTES}})$`)

/** Undefined for what is no head. */
export function parseHead(text: string): NotedHead | undefined {
  const [, digits = '', hash = ''] = HEAD_TEXT.exec(text) ?? []
  const sequence = Number(digits)
  return hash === '' || !Number.isSafeInteger(sequence) ? undefined : { sequence, hash }
}
