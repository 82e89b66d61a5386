/** Ten million keys: through a window of a million, and all of them remembered. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runKeys } from '../../test/support/keys/key-run.js'
import type { SuiteResult } from './suite-result.js'

const KEYS = 10_000_000
const SEGMENT_BYTES = 64 * 1024 * 1024
const MIB = 1024 * 1024

/** A key that is not answered as it must be throws. */
export async function soakKeys(): Promise<SuiteResult> {
  const counts: Record<string, number> = {}
  for (const countMax of [1_000_000, KEYS]) {
    const directory = mkdtempSync(join(tmpdir(), 'tidewheel-keys-'))
    try {
      const result = await runKeys({
        directory,
        keys: KEYS,
        countMax,
        segmentBytes: SEGMENT_BYTES,
      })
      const { tableBytes, rssBytes, plainBytes, archivedBytes, openSeconds, asked } = result
      counts[`window of ${countMax}: keys`] = KEYS
      counts[`window of ${countMax}: asked for again, answered as before`] = asked
      const [half, end, reopened] = tableBytes
      counts[`window of ${countMax}: table of keys half-way, MiB`] = Math.round(half / MIB)
      counts[`window of ${countMax}: table of keys at the end, MiB`] = Math.round(end / MIB)
      counts[`window of ${countMax}: table of keys reopened, MiB`] = Math.round(reopened / MIB)
      const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`
      console.log(
        [
          `${KEYS.toLocaleString('en')} keys, window of ${countMax.toLocaleString('en')}:`,
          `  table of keys: ${tableBytes.map(mib).join(', ')} (half-way, at the end, reopened)`,
          `  process: ${rssBytes.map(mib).join(', ')} (at most, reopened)`,
          `  archived: ${mib(plainBytes)} as ${mib(archivedBytes)}; opened in ${openSeconds.toFixed(1)} s`,
          `  ${asked} keys asked for again, all answered as before`,
        ].join('\n'),
      )
    } finally {
      rmSync(directory, { recursive: true })
    }
  }
  return { isRight: true, counts }
}
