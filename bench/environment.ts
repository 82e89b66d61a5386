/** Where a figure was measured: without it, a figure says nothing. */
import { execFileSync } from 'node:child_process'
import { statfsSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

export interface Environment {
  readonly node: string
  readonly v8: string
  readonly kernel: string
  readonly processor: string
  readonly cores: number
  readonly memoryGiB: number
  readonly fileSystem: string
  readonly date: string
}

export function environmentOf(directory: string): Environment {
  const cores = cpus()
  return {
    node: process.version,
    v8: process.versions.v8,
    kernel: `${process.platform} ${release()}`,
    processor: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    fileSystem: fileSystemOf(directory),
    date: new Date().toISOString(),
  }
}

function fileSystemOf(directory: string): string {
  try {
    const output = execFileSync('stat', ['-f', '-c', '%T', directory], { encoding: 'utf8' })
    return output.trim()
  } catch {
    // Without GNU stat there is still the number.
    return `type 0x${statfsSync(directory).type.toString(16)}`
  }
}
