/** The files of a journal's directory in memory, for readers that know no directories. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export function readFolder(path: string): Map<string, Uint8Array> {
  return new Map(readdirSync(path).map((name) => [name, readFileSync(join(path, name))]))
}

/** Makes the directory. */
export function writeFolder(path: string, files: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(path)
  for (const [name, bytes] of files) writeFileSync(join(path, name), bytes)
}
