/**
 * One slot of a slab: the state of one stream of an aggregate. Slot 0 is never assigned: it stays
 * zero, and is what a stream without events looks like. Little-endian; slots are whole words.
 *
 *    0                 4              6             8
 *   ┌─────────────────┬──────────────┬─────────────┬──────────────────────────────┐
 *   │ stream version, │ version high │ pending     │ fields, flavour 'state' …    │
 *   │ low u32         │ u16          │ events u16  │                              │
 *   └─────────────────┴──────────────┴─────────────┴──────────────────────────────┘
 *     word 0            word 1
 *
 * `pending` counts the events that the running command has emitted to the stream; it is 0 between
 * commands. Both lie in the slot, since a handler that touches one touches the other. They are read
 * as two words of 32 bits: while the second is 0, and it nearly always is, the first says it all.
 */
import { assert } from '../journal/errors.js'
import { assertLayout } from '../journal/layout.js'
import { EVENTS_A_TRANSACTION_MAX } from '../journal/record-layout.js'

const SLOT_VERSION = 0
const SLOT_VERSION_HIGH = 4
const SLOT_PENDING = 6
export const SLOT_FIELDS = 8

/** Words of 32 bits, and how the second is divided. */
export const SLOT_VERSION_WORD = 0
export const SLOT_PENDING_WORD = 1
export const SLOT_FIELDS_WORD = 2
export const SLOT_PENDING_SHIFT = 16
export const SLOT_VERSION_HIGH_MASK = 0xffff

assertLayout(
  'slot',
  [
    [SLOT_VERSION, 4],
    [SLOT_VERSION_HIGH, 2],
    [SLOT_PENDING, 2],
  ],
  SLOT_FIELDS,
)
assert(SLOT_FIELDS_WORD * 4 === SLOT_FIELDS, 'fields begin behind the two words')
assert(SLOT_VERSION_WORD * 4 === SLOT_VERSION, 'the low part of a version is a word')
assert(SLOT_PENDING_WORD * 4 === SLOT_VERSION_HIGH, 'version high and pending are a word')
assert(EVENTS_A_TRANSACTION_MAX <= 0xffff, 'the pending events of a stream fit into 16 bits')
