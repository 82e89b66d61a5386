/**
 * A command in a producer's ring (byte-ring.ts). Little-endian, starts at a multiple of 8.
 *
 *    0                   4         6         8                   12                  16
 *   ┌───────────────────┬─────────┬─────────┬───────────────────┬───────────────────┬──────────┐
 *   │ length u32        │ type u16│ key     │ payload bytes u32 │ reserved u32 = 0  │ key,     │
 *   │ (the ring's)      │ from 1  │ bytes   │ exact             │                   │ payload  │
 *   └───────────────────┴─────────┴─────────┴───────────────────┴───────────────────┴──────────┘
 *
 * `type` counts the domain's commands in the order of declaration; both sides compare the domain's
 * fingerprint before. The key is UTF-8, 0 bytes for none, and takes whole words, so that the
 * payload (the command's schema, flavour 'command') is aligned.
 */
import { assert } from '../journal/errors.js'
import { assertLayout } from '../journal/layout.js'
import { RING_LENGTH, RING_LENGTH_BYTES } from './ring/byte-ring.js'

export const COMMAND_TYPE = 4
export const COMMAND_KEY_BYTES = 6
export const COMMAND_PAYLOAD_BYTES = 8
export const COMMAND_RESERVED = 12
export const COMMAND_HEADER_BYTES = 16

/** The largest command, with header and key. */
export const COMMAND_BYTES_MAX = 256 * 1024

/** Type and key bytes are two halves of one word. */
export const COMMAND_KEY_BYTES_SHIFT = 8 * (COMMAND_KEY_BYTES - COMMAND_TYPE)
assert(COMMAND_KEY_BYTES_SHIFT === 16, 'the length of the key lies beside the type')

assertLayout(
  'command',
  [
    [RING_LENGTH, RING_LENGTH_BYTES],
    [COMMAND_TYPE, 2],
    [COMMAND_KEY_BYTES, 2],
    [COMMAND_PAYLOAD_BYTES, 4],
    [COMMAND_RESERVED, 4],
  ],
  COMMAND_HEADER_BYTES,
)
