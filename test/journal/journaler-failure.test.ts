/** The first failed write or sync ends the journaler: nothing more is released, nothing tried again. */
import { rmSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TidewheelError } from '../../journal/errors.js'
import { makeFrame, openJournal, parseChain, putFrame, systemError } from './writing-harness.js'

function attempt(action: () => void): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}

/** Blocks, a roll, an idle seal, a close: all that reaches the disk in a life. */
function live(journal: ReturnType<typeof openJournal>, released: number[]): void {
  const { journaler, writer, ring } = journal
  for (let mark = 0; mark < 6; mark++) {
    putFrame(writer, makeFrame(300_000, 1, mark))
    writer.publish()
    journaler.step()
    journaler.tick(mark * 400)
    released.push(ring.syncedPosition())
  }
  journaler.tick(9000)
  journaler.close()
}

describe('journaler: failing storage', () => {
  const variants = [
    { durability: 'disk' as const, direct: true, code: 'EIO' },
    { durability: 'disk' as const, direct: false, code: 'ENOSPC' },
    { durability: 'os' as const, direct: false, code: 'EIO' },
  ]
  it.each(variants)(
    'journaler: stops at the first error, wherever ($durability, direct $direct)',
    (variant) => {
      const whole = openJournal(variant)
      live(whole, [])
      const total = whole.storage.operations.length
      expect(total).toBeGreaterThan(15)
      for (let failing = 1; failing <= total; failing++) {
        const journal = openJournal(variant)
        const { storage, journaler, ring, edge } = journal
        let releasedAtFailure = -1
        storage.before = (_operation, index) => {
          if (index < failing) return
          if (releasedAtFailure < 0) releasedAtFailure = ring.syncedPosition()
          throw systemError(variant.code)
        }
        const error = attempt(() => live(journal, []))
        expect(error).toBeInstanceOf(TidewheelError)
        expect(error).toMatchObject({ code: 'STORAGE_FAILED', file: expect.any(String) })
        expect(String(error)).toContain(`${variant.code}: injected`)
        // Nothing was tried again, and nothing was released after the failure.
        expect(storage.operations).toHaveLength(failing)
        expect(ring.syncedPosition()).toBe(releasedAtFailure)
        expect(edge.read().ringPosition).toBe(releasedAtFailure)
        for (const use of [
          () => journaler.step(),
          () => journaler.tick(0),
          () => journaler.close(),
        ]) {
          expect(use).toThrow('is not used after')
        }
        expect(storage.operations).toHaveLength(failing)
      }
    },
  )

  it.each([
    [
      'left alone and sealed',
      ({ journaler }: ReturnType<typeof openJournal>) => journaler.tick(400),
    ],
    ['written to all the time', undefined],
  ])('journaler: stops when its files are deleted (%s)', (_, pause) => {
    const journal = openJournal()
    const { journaler, writer, ring, path } = journal
    const write = (): void => {
      putFrame(writer, makeFrame(64, 1, 1))
      writer.publish()
      journaler.step()
    }
    journaler.tick(0)
    write()
    journaler.tick(0)
    pause?.(journal)
    const released = ring.syncedPosition()
    rmSync(path, { recursive: true })
    // Once a second by the clock of its duties; and always where nothing was written meanwhile.
    const error = attempt(() => {
      if (pause === undefined) journaler.tick(1000)
      write()
    })
    expect(error).toMatchObject({ code: 'STORAGE_FAILED', file: '0000000001.segment' })
    expect(String(error)).toContain('was deleted while the engine ran')
    expect(ring.syncedPosition()).toBe(released)
  })

  it('journaler: what was released before an error is whole on disk', () => {
    const journal = openJournal({ direct: false })
    let writes = 0
    journal.storage.before = ({ kind }) => {
      if (kind === 'write' && ++writes === 3) throw systemError('EIO')
    }
    attempt(() => live(journal, []))
    expect(journal.ring.syncedPosition()).toBe(600_000)
    expect(parseChain(journal.path, 1)).toHaveLength(2)
  })
})
