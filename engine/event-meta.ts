import { RECORD_SLOT } from '../journal/record-layout.js'
import { readRecordVersion } from '../journal/record-version.js'
import type { EventMeta } from './domain.js'
import type { EventRuntime } from './event-runtime.js'

/** What `evolve` is told about its event; read from the record when it is asked. */
export class EventMetaView implements EventMeta<unknown> {
  event: EventRuntime | undefined
  view: DataView | undefined
  /** Offset of the record in `view`. */
  record = 0
  sequence = 0
  time = 0

  get slot(): number {
    return this.view!.getUint32(this.record + RECORD_SLOT, true)
  }

  get version(): number {
    return readRecordVersion(this.view!, this.record)
  }

  get id(): unknown {
    return this.event?.store.ids.idOf(this.slot)
  }
}
