import { describe, expect, it } from 'vitest'
import { BlockChecker } from '../../journal/block-check.js'
import { ReadWindow } from '../../journal/read-window.js'
import { inspectSegment } from '../../journal/segment-file.js'
import { sealedJournal } from '../support/journal-builder.js'

function checkerOf(builder = sealedJournal()) {
  const window = new ReadWindow()
  const name = '0000000001.segment'
  const segment = inspectSegment(builder.storage, name, window)
  const checker = new BlockChecker()
  checker.enterSegment(segment)
  window.enter(builder.storage.open(name, 'read'))
  return { builder, checker, window }
}

describe('block checker', () => {
  it.each(['check', 'checkHeader'] as const)(
    'block checker: says nothing of the block before (%s)',
    (method) => {
      const { builder, checker, window } = checkerOf()
      const { offset } = builder.at(1)
      expect(checker[method](window, offset + 4096)).toBe('misplaced')
      expect(checker.problem).toContain('where block 1 belongs')
      expect(checker.header?.blockNumber).toBe(2)
      expect(checker[method](window, offset)).toBe('good')
      expect(checker.problem).toBe('')
      expect(checker.header?.blockNumber).toBe(1)
      expect(checker[method](window, offset + 512)).toBe('unreadable')
      expect(checker.header).toBeUndefined()
    },
  )

  it('block checker: looks at the frames only where it is asked to', () => {
    const { builder, checker, window } = checkerOf()
    const { offset, usedBytes } = builder.at(1)
    builder.bytesAround(1)[offset + usedBytes - 1] = 1
    expect(checker.check(window, offset)).toBe('unreadable')
    expect(checker.checkHeader(window, offset)).toBe('good')
  })
})
