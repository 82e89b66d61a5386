/**
 * One slot of a slab: the state of one stream of an aggregate. Slot 0 is never assigned: it stays
 * zero, and is what a stream without events looks like. Little-endian; slots are whole words.
 *
 *    0                    4                    8
 *   ┌────────────────────┬────────────────────┬──────────────────────────────┐
 *   │ stream version u32 │ pending events u32 │ fields, flavour 'state' …    │
 *   └────────────────────┴────────────────────┴──────────────────────────────┘
 *
 * `pending` counts the events that the running command has emitted to the stream; it is 0 between
 * commands. Both lie in the slot, since a handler that touches one touches the other.
 */
import { assertLayout } from '../journal/layout.js'

export const SLOT_VERSION = 0
export const SLOT_PENDING = 4
export const SLOT_FIELDS = 8

assertLayout(
  'slot',
  [
    [SLOT_VERSION, 4],
    [SLOT_PENDING, 4],
  ],
  SLOT_FIELDS,
)
