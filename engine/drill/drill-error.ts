/** A drill that cannot begin or go on; the sentence says why and what to do. */
export class DrillError extends Error {}
