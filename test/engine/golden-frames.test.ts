/**
 * The bytes of every record that the engine writes, as they lie in the journal: a change of any of
 * them is a change of the format, and must be meant.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { domain, Engine, int, text, u32 } from '../../engine/index.js'
import { openFileStorage } from '../../journal/file-storage.js'
import { FrameCursor } from '../../journal/frames.js'
import { JournalReader } from '../../journal/journal-reader.js'

const golden = domain('golden', import.meta.url)
const Account = golden.aggregate('Account', { id: text, state: { balance: int } })
const Box = golden.aggregate('Box', { id: u32, state: { weight: int } })
const Credited = Account.event('Credited', { amount: int, note: text }, (account, event) => {
  account.balance += event.amount
})
const Moved = Box.event('Moved', { to: Account.id, weight: int }, (box, event) => {
  box.weight += event.weight
})
const Credit = golden.command('Credit', { account: Account.id, amount: int }, (command, tx) => {
  if (command.amount === 0) return tx.reject('NOTHING', { amount: 0 })
  tx.emit(Credited, command.account, { amount: command.amount, note: 'ok' })
})
const Move = golden.command('Move', { box: Box.id, to: Account.id }, (command, tx) => {
  tx.emit(Moved, command.box, { to: command.to, weight: 2 })
})

const directory = mkdtempSync(join(tmpdir(), 'tidewheel-golden-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A frame's header and its records, in hexadecimal; the catalogue (JSON) has a test of its own. */
async function framesOf(path: string): Promise<string[][]> {
  const reader = new JournalReader(openFileStorage(path))
  const cursor = new FrameCursor()
  const frames: string[][] = []
  const hex = (view: DataView, start: number, end: number) =>
    Buffer.from(view.buffer, view.byteOffset + start, end - start).toString('hex')
  for await (const block of reader.blocks({ fromSequence: 1, fromSegmentStart: true })) {
    cursor.reset(block.view, block.frameOffset, block.payloadBytes)
    while (cursor.nextFrame()) {
      const frame = [hex(cursor.view, cursor.frameOffset, cursor.frameOffset + 16)]
      while (cursor.nextRecord()) {
        const { recordOffset, recordBytes, view, recordType } = cursor
        // With the zeros up to the next word.
        const end = recordOffset + ((recordBytes + 7) & ~7)
        if (recordType !== 1) frame.push(hex(view, recordOffset, end))
      }
      if (frame.length > 1) frames.push(frame)
    }
  }
  reader.close()
  return frames
}

describe('golden frames', () => {
  it('journal: every record is written as documented', async () => {
    let us = 1_700_000_000_000_000
    const clock = () => us++
    const segmentBytes = 2 * 1024 * 1024
    const engine = await Engine.open(directory, golden, { segmentBytes, clock })
    await engine.execute(Credit, { account: 'al', amount: 5 })
    await engine.execute(Move, { box: 7, to: 'bo' }, { key: 'k1' })
    await engine.execute(Credit, { account: 'al', amount: 0 }, { key: 'k2' })
    await engine.close()
    expect(await framesOf(directory)).toEqual([
      [
        // frame: 0x50 bytes, command 20 (Credit), 1 event, time
        '5000000014000100' + '00401e18240a0600',
        // stream opened: 22 bytes, type 2, slot 1; aggregate 16 (Account), 2 bytes, "al"
        '1600000002000000' + '0100000000000000' + '10000200616c0000',
        // Credited (18): 34 bytes, slot 1, version 1; amount 5.0, end 18, "ok"
        '2200000012000000' +
          '0100000001000000' +
          '0000000000001440' +
          '1200000000000000' +
          '6f6b000000000000',
      ],
      [
        // frame: 0x80 bytes, command 21 (Move), 1 event, time
        '8000000015000100' + '01401e18240a0600',
        // stream opened: slot 1 of aggregate 17 (Box), 4 bytes, 7
        '1800000002000000' + '0100000000000000' + '1100040007000000',
        // stream opened by a reference: slot 2 of Account, "bo"
        '1600000002000000' + '0200000000000000' + '10000200626f0000',
        // Moved (19): slot 1, version 1; weight 2.0, to slot 2
        '2000000013000000' + '0100000001000000' + '0000000000000040' + '0200000000000000',
        // keyed outcome: hash, accepted, key of 2 bytes, no code; "k1"
        '2000000003000000' + '0000000000000000' + '28748ec18fb0e9c7' + '0100020000006b31',
      ],
      [
        // frame: command 20, no events
        '4000000014000000' + '02401e18240a0600',
        // keyed outcome: hash, rejected, key of 2 bytes, code of 7; "k2", "NOTHING", { amount: 0 }
        '3000000003000000' +
          '0000000000000000' +
          '3b26c44ba6da7cac' +
          '0000020007006b32' +
          '4e4f5448494e4781' +
          'a6616d6f756e7400',
      ],
      [
        // frame of the system: no command, no events, the time of the last one
        '2000000000000000' + '02401e18240a0600',
        // seal
        '1000000004000000' + '0000000000000000',
      ],
    ])
  })
})
