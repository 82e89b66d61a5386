/**
 * Where the recordings are that some tests compare with: `TIDEWHEEL_DATA`, or `../shared/data`
 * beside the project. They are not part of the project; without them those tests are skipped,
 * loudly.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The path of a recording, or undefined, with a warning, where it is not there. */
export function findData(name: string): string | undefined {
  const { TIDEWHEEL_DATA } = process.env
  const folder = TIDEWHEEL_DATA ?? join(projectRoot(), '..', 'shared', 'data')
  const path = join(folder, name)
  if (existsSync(path)) return path
  console.warn(`SKIPPED: no ${path}; set TIDEWHEEL_DATA to the folder that holds ${name}`)
  return undefined
}

/** Tests run from the compiled output, which lies somewhere below the folder of package.json. */
function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('no package.json above this test')
    folder = parent
  }
  return folder
}
