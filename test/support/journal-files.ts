/** The files of a journal's directory in memory, for readers that know no directories. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export function readFolder(path: string): Map<string, Uint8Array> {
  return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]))
}
