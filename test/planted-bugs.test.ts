/** The list of planted bugs fits the code: a change that leaves an entry behind is seen at once. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PLANTED_BUGS } from '../scripts/planted-bugs/planted-bugs.js'

/** The compiled project: this file lies in its test folder. */
const dist = join(import.meta.dirname, '..')

describe('planted bugs', () => {
  it.each(PLANTED_BUGS)('$name: has one place in the code, and its test exists', (bug) => {
    const code = readFileSync(join(dist, bug.file), 'utf8')
    expect(code.split(bug.search)).toHaveLength(2)
    expect(bug.replace).not.toBe(bug.search)
    expect(existsSync(join(dist, bug.test))).toBe(true)
  })
})
