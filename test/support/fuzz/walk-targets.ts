/**
 * The records of blocks whose checksums are right: read without the application, and replayed by
 * it. A block begins with the catalogue, so that one input is a whole journal.
 */

import { jsonLine } from '../../../engine/cli/json-lines.js'
import { DomainRuntime } from '../../../engine/domain-runtime.js'
import { Replay } from '../../../engine/replay.js'
import { assert } from '../../../journal/errors.js'
import { EventWalk } from '../../../journal/event-walk.js'
import { FrameCursor, frameProblem } from '../../../journal/frames.js'
import showcase from '../domains/showcase.js'
import type { FuzzTarget } from './fuzz-target.js'
import type { JournalSample } from './journal-sample.js'
import { mutateInPlace } from './mutation.js'

export function walkTargets({ blocks, header }: JournalSample): FuzzTarget[] {
  // The catalogue, and a command with every type of event.
  const few = blocks.slice(0, 2)
  const payload = Uint8Array.from(Buffer.concat(few.map((block) => block.payload)))
  const fields = {
    makeValid: () => payload.slice(),
    mutate: mutateInPlace,
  }
  return [
    {
      ...fields,
      name: 'events, read',
      inputs: 200_000,
      decode(bytes) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        if (!isWhole(view)) return
        const walk = new EventWalk()
        walk.enterBlock({ view, frameOffset: 0, payloadBytes: bytes.length, header })
        while (walk.nextEvent()) JSON.parse(jsonLine(walk.decode()))
      },
    },
    {
      ...fields,
      name: 'events, replayed',
      // The state of a domain reserves addresses, which count as memory.
      growthBytesMax: 512 * 1024 * 1024,
      inputs: 2_000,
      decode(bytes) {
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        if (!isWhole(view)) return
        const runtime = new DomainRuntime(showcase)
        new Replay(runtime).visit(view, 0, bytes.length)
        assert(runtime.sequence >= 0, 'a state')
      },
    },
  ]
}

/** Whether an opening takes the frames, as it does before anyone reads them. */
function isWhole(view: DataView): boolean {
  const cursor = new FrameCursor()
  cursor.reset(view, 0, view.byteLength)
  let frames = 0
  let events = 0
  for (; cursor.nextFrame(); frames++) events += cursor.eventCount
  return frameProblem(view, 0, view.byteLength, frames, events) === ''
}
