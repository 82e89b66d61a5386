/**
 * Real faults in a real process on real files, by strace: killed at a system call, or the call answered
 * with EIO or ENOSPC. Here a sample of one subject, another one each time; `npm run soak -- --suite system`
 * tries every call of all.
 */
import { describe, expect, it } from 'vitest'
import { FaultSession } from './support/faults/fault-session.js'
import { judge, type Said } from './support/faults/fault-verdict.js'
import { placesIn, straceProblem } from './support/faults/strace.js'
import { faultSubjects } from './support/faults/subjects.js'
import { seededRandom } from './support/seeded-random.js'
import { Coverage } from './support/simulation/coverage.js'

/** Of one subject; each takes about half a second. */
const SAMPLE = 3

describe('real faults', () => {
  const seed = Date.now() & 0xffff
  it(`real faults: killed, EIO and ENOSPC at a system call (seed ${seed})`, async (test) => {
    const problem = straceProblem()
    if (problem !== undefined) {
      console.warn(`SKIPPED: real faults; ${problem}`)
      test.skip(problem)
    }
    const random = seededRandom(seed)
    const coverage = new Coverage()
    const subjects = faultSubjects()
    const session = new FaultSession(subjects[random.below(subjects.length)]!, coverage)
    try {
      const cases = await session.cases()
      expect(cases.length).toBeGreaterThan(50)
      for (let i = 0; i < SAMPLE; i++) await session.try(cases[random.below(cases.length)]!)
      expect(session.wrong, `seed ${seed}`).toEqual([])
    } finally {
      session.remove()
    }
    console.log(`real faults, a sample:\n${coverage}`)
  })
})

describe('real faults, judged', () => {
  const place = { call: 'pwrite64', file: '0000000001.segment', ordinal: 1 }
  const orderly: Said[] = [['begun'], ['opened'], ['answered', 1, 2], ['closed', null]]

  it.each<[string, Said[], string | undefined]>([
    ['goes on after a failed write', orderly, 'it went on after a failed write or sync'],
    ['throws what is none of ours', [['untyped', 'TypeError: x'], ...orderly], 'none of ours'],
    [
      'answers after it has stopped',
      [
        ['opened'],
        ['failed', 1, 'ENGINE_STOPPED', 'unknown'],
        ['answered', 2, 4],
        ['closed', null],
      ],
      'an answer came after it had stopped',
    ],
    ['refuses with a code of another thing', [['refused', 'JOURNAL_DAMAGED']], 'refused with'],
    ['does not close', [['opened'], ['failed', 1, 'ENGINE_STOPPED', 'unknown']], 'not close'],
    ['says nothing', [], 'not close'],
    [
      'stops',
      [['opened'], ['failed', 1, 'ENGINE_STOPPED', 'unknown'], ['closed', 'STORAGE_FAILED']],
      undefined,
    ],
  ])('judged: a process that %s', (_what, said, problem) => {
    const verdict = judge(said, 0, 'EIO', place)
    if (problem === undefined) expect(verdict.problem).toBe(undefined)
    else expect(verdict.problem).toContain(problem)
  })

  it('judged: the same end is fine where no answer depends on the call', () => {
    const preparing = { ...place, file: '0000000002.segment.preparing' }
    expect(judge(orderly, 0, 'EIO', preparing)).toEqual({ outcome: 'went on', problem: undefined })
    expect(judge(orderly, 'SIGSEGV', 'EIO', preparing).problem).toContain('SIGSEGV')
  })

  it('places: calls of each thread on files of the directory, counted, none of other files', () => {
    const log = [
      '7 mkdir("/d/j", 0777)            = 0',
      '7 openat(AT_FDCWD</home>, "/d/j/lock", O_RDWR) = 18</d/j/lock>',
      '7 pwrite64(18</d/j/lock>, "12318\\n", 6, 0) = 6',
      '8 pwrite64(18</d/j/lock>, "12318\\n", 6, 0 <unfinished ...>',
      '7 pwrite64(18</d/j/lock>, "12318\\n", 6, 0) = 6',
      '8 <... pwrite64 resumed>) = 6',
      '7 fsync(19</d/j>)                = 0',
      '7 rename("/d/j/a.new", "/d/j/a") = 0',
      '7 openat(AT_FDCWD</home>, "/d/other", O_RDONLY) = 18</d/other>',
      '7 pread64(18</d/j/deep/file>, "", 6, 0) = 6',
    ].join('\n')
    expect(
      placesIn(log, '/d/j').map(({ call, file, ordinal }) => `${call} ${file} ${ordinal}`),
    ).toEqual([
      'mkdir . 1',
      'openat lock 1',
      'pwrite64 lock 1',
      'pwrite64 lock 2',
      'fsync . 1',
      'rename a.new 1',
    ])
  })
})
