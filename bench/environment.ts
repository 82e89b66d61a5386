/** Where a figure was measured: without it, a figure says nothing. */
import { readFileSync, realpathSync, statfsSync } from 'node:fs'
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

/** By the list of mounts: the number that `statfs` gives is the same for ext2, ext3 and ext4. */
function fileSystemOf(directory: string): string {
  const number = `type 0x${statfsSync(directory).type.toString(16)}`
  const path = realpathSync(directory)
  try {
    return mountedType(readFileSync('/proc/self/mounts', 'utf8'), path) ?? number
  } catch {
    // Other systems than Linux have no such file.
    return number
  }
}

/** The type of what is mounted deepest on the way to `path`, and of that the last one. */
export function mountedType(mounts: string, path: string): string | undefined {
  let deepest = ''
  let found: string | undefined
  for (const line of mounts.split('\n')) {
    const [, escaped, type] = line.split(' ')
    if (escaped === undefined) continue
    const point = escaped.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    const isAbove = path === point || path.startsWith(point.endsWith('/') ? point : `${point}/`)
    if (!isAbove || point.length < deepest.length) continue
    deepest = point
    found = type
  }
  return found
}
