/**
 * A state in a few kilobytes, so that two of them on different threads can be compared without
 * either being moved: the digest, and what its hash was after each piece of the state on the way. The
 * first piece after which two outlines differ is where the states do.
 */
import type { DomainRuntime } from '../domain-runtime.js'
import { hashStream, STREAMS_A_PIECE, type StatePiece, stateDigest } from '../state-digest.js'

export interface StateOutline {
  readonly digest: string
  /** In the order of the digest. */
  readonly pieces: readonly string[]
}

/** Enough that two different pieces do not look alike by accident. */
const PIECE_CHARACTERS = 12

export function outlineOf(runtime: DomainRuntime): StateOutline {
  const pieces: string[] = []
  const digest = stateDigest(runtime, (_, hash) => {
    pieces.push(hash.copy().digest('base64').slice(0, PIECE_CHARACTERS))
  })
  return { digest, pieces }
}

/** Where this state begins to differ from one with that outline; undefined: nowhere. */
export function firstDifference(
  runtime: DomainRuntime,
  other: StateOutline,
): StatePiece | undefined {
  const { digest, pieces } = outlineOf(runtime)
  if (digest === other.digest) return undefined
  const index = pieces.findIndex((piece, i) => piece !== other.pieces[i])
  const places: StatePiece[] = []
  stateDigest(runtime, (piece) => places.push(piece))
  // Where the pieces agree as far as they go, what comes last differs.
  return places[index] ?? places.at(-1)
}

/** A hash of each stream of a piece, by slot. */
export function streamHashes(runtime: DomainRuntime, piece: StatePiece): string[] {
  const store = runtime.stores[piece.storeIndex]
  if (store === undefined || piece.firstSlot === 0) return []
  const end = Math.min(piece.firstSlot + STREAMS_A_PIECE, store.ids.count + 1)
  const hashes: string[] = []
  for (let slot = piece.firstSlot; slot < end; slot++) hashes.push(hashStream(store, slot))
  return hashes
}
