/** All decoders of untrusted bytes. */
import { archiveTargets } from './archive-targets.js'
import { formatTargets } from './format-targets.js'
import type { FuzzTarget } from './fuzz-target.js'
import { makeJournalSample } from './journal-sample.js'
import { journalTargets } from './journal-targets.js'
import { ringTargets } from './ring-targets.js'
import { snapshotTargets } from './snapshot-targets.js'
import { textTargets } from './text-targets.js'
import { valueTargets } from './value-targets.js'
import { walkTargets } from './walk-targets.js'

/** @param folder an empty directory that the targets may write into */
export async function makeFuzzTargets(folder: string): Promise<readonly FuzzTarget[]> {
  const sample = await makeJournalSample()
  return [
    ...formatTargets(sample),
    ...valueTargets(sample),
    ...ringTargets(),
    ...walkTargets(sample),
    ...journalTargets(),
    ...(await snapshotTargets()),
    ...archiveTargets(),
    ...textTargets(folder, sample),
  ]
}
