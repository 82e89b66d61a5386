import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Row } from '../bench/benchmark.js'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', 'bench', 'main.js')

describe('bench', () => {
  it('smoke: every benchmark runs, checks itself, and gives complete rows', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidewheel-bench-test-'))
    try {
      const file = join(folder, 'rows.json')
      execFileSync(process.execPath, [main, '--smoke', '--data', folder, '--json', file])
      const rows = JSON.parse(readFileSync(file, 'utf8')) as Row[]
      const names = rows.map(({ name }) => name)
      expect(names).toContain('transfer.throughput')
      expect(names).toContain('transfer.latency@20000.p99')
      expect(names).toContain('micro.codec.encode')
      for (const { value, unit, runs, config } of rows) {
        expect(value).toBeGreaterThanOrEqual(0)
        expect(unit).not.toBe('')
        expect(runs.length).toBeGreaterThan(0)
        expect(config).toHaveProperty('fileSystem')
      }
      const throughput = rows.find(({ name }) => name === 'transfer.throughput')
      expect(throughput?.ratio).toBeGreaterThan(0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
