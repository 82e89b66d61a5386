/**
 * An engine makes snapshots unasked, and a long measurement would have one in some rounds and none in
 * others. So every benchmark that is not about them opens its engine with this.
 */
import type { EngineOptions } from '../engine/index.js'

export const NO_SNAPSHOTS = {
  snapshot: { everyBytes: Number.POSITIVE_INFINITY },
} satisfies EngineOptions
