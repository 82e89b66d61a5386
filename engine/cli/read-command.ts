/** `tidewheel read`: the events of a journal as lines of JSON. */
import { type ReadEventsOptions, readEvents } from '../../journal/event-reader.js'
import { jsonLine } from './json-lines.js'
import type { LineOutput } from './line-output.js'

/** @throws TidewheelError, after everything before the damage is printed */
export async function readCommand(
  path: string,
  options: ReadEventsOptions,
  output: LineOutput,
): Promise<number> {
  try {
    for await (const event of readEvents(path, options)) {
      const full = output.write(jsonLine(event))
      if (full !== undefined) await full
      if (output.isClosed) return 0
    }
  } finally {
    await output.flush()
  }
  return 0
}
