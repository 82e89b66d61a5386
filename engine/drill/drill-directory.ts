/** Where a drill writes its journal: a directory that is given and kept, or a temporary one. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { causeOf } from '../../journal/errors.js'
import { DrillError } from './drill-error.js'

/** @throws DrillError for one that is not empty: a drill never writes to a journal that is there */
export async function withDrillDirectory<T>(
  given: string | undefined,
  run: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = given ?? mkdtempSync(join(tmpdir(), 'tidewheel-drill-'))
  if (given !== undefined) prepare(given)
  try {
    return await run(directory)
  } finally {
    if (given === undefined) rmSync(directory, { recursive: true, force: true })
  }
}

function prepare(directory: string): void {
  let names: string[]
  try {
    mkdirSync(directory, { recursive: true })
    names = readdirSync(directory)
  } catch (error) {
    throw new DrillError(
      `${directory} cannot be used: ${causeOf(error)}; give a directory that can be made and written to`,
    )
  }
  if (names.length === 0) return
  throw new DrillError(
    `${directory} is not empty; the drill starts with a new journal, so give a new or an empty directory`,
  )
}
