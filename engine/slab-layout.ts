/**
 * One slot of a slab: the state of one stream of an aggregate. Slot 0 is never assigned: it stays
 * zero, and is what a stream without events looks like. Little-endian; slots are whole words.
 *
 *    0                 4              6             8
 *   ┌─────────────────┬──────────────┬─────────────┬──────────────────────────────┐
 *   │ stream version, │ version high │ pending     │ fields, flavour 'state' …    │
 *   │ low u32         │ u16          │ events u16  │                              │
 *   └─────────────────┴──────────────┴─────────────┴──────────────────────────────┘
 *
 * `pending` counts the events that the running command has emitted to the stream; it is 0 between
 * commands. Both lie in the slot, since a handler that touches one touches the other.
 */
import { assert } from '../journal/errors.js'
import { assertLayout } from '../journal/layout.js'
import { EVENTS_A_TRANSACTION_MAX } from '../journal/record-layout.js'

export const SLOT_VERSION = 0
export const SLOT_VERSION_HIGH = 4
export const SLOT_PENDING = 6
export const SLOT_FIELDS = 8

assertLayout(
  'slot',
  [
    [SLOT_VERSION, 4],
    [SLOT_VERSION_HIGH, 2],
    [SLOT_PENDING, 2],
  ],
  SLOT_FIELDS,
)
assert(EVENTS_A_TRANSACTION_MAX <= 0xffff, 'the pending events of a stream fit into 16 bits')
