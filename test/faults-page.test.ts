/** docs/faults.md names tests that exist, and shows what was recorded. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FAULT_ROWS } from '../scripts/faults/matrix.js'
import { namedTests, patternOf } from '../scripts/faults/named-tests.js'
import { faultsPage } from '../scripts/faults/page.js'
import { readRecords } from '../scripts/faults/records.js'
import { projectRoot } from '../scripts/measurements.js'

describe('docs/faults.md', () => {
  it('page: is what the matrix and the records give', () => {
    const page = readFileSync(join(projectRoot, 'docs', 'faults.md'), 'utf8')
    expect(faultsPage(readRecords()) === page, 'npm run faults was not run').toBe(true)
  })

  it.each(namedTests())('matrix: $file has a test that begins with $name', ({ file, name }) => {
    const path = join(projectRoot, file)
    expect(existsSync(path)).toBe(true)
    const quoted = ["'", '`', '"'].map((quote) => `${quote}${name}`)
    const code = readFileSync(path, 'utf8')
    expect(quoted.some((text) => code.includes(text))).toBe(true)
  })

  it('matrix: every row has a test, every test has passed when it was last recorded', () => {
    const { tests } = readRecords()
    for (const { fault, tests: own } of FAULT_ROWS) expect(own.length, fault).toBeGreaterThan(0)
    for (const { file, name } of namedTests()) {
      const count = tests.find((each) => each.file === file && each.name === name)
      expect(count, `${file}: ${name}; run npm run faults -- --run`).toBeDefined()
      expect(count?.passed, name).toBeGreaterThan(0)
      expect(count?.failed, name).toBe(0)
    }
  })

  it.each([
    ['kill -9: every answer', 'kill -9: every answer is kept', true],
    ['%s: ids of every', 'Account: ids of every good shape', true],
    ['judged: a process that %s', 'judged: a process that goes on (x)', true],
    ['lock: two (many', 'lock: two (many processes', true],
    ['lock: two never', 'lock: one never', false],
  ])('names: %j stands for %j: %s', (name, title, isMeant) => {
    expect(patternOf(name).test(title)).toBe(isMeant)
  })
})
