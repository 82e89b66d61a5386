/** Payloads of type `any`: plain data checked and packed by msgpackr, and unpacked. */
import { decodePlainData, packPlain } from '../../journal/schema/plain-data.js'
import { assertEqual, type MicroGroup, OPERATIONS } from './micro-group.js'

export const addPlainData: MicroGroup = (tasks) => {
  const value = { owner: 'Alice', tags: ['a', 'b'], n: 0 }
  tasks.add('msgpackr.pack', () => {
    for (let i = 0; i < OPERATIONS; i++) {
      value.n = i
      packPlain(value)
    }
  })
  const packed = Buffer.from(packPlain({ ...value, n: 3 }) as Buffer)
  let sum = 0
  let unpacked = 0
  tasks.add('msgpackr.unpack', () => {
    for (let i = 0; i < OPERATIONS; i++) sum += (decodePlainData(packed) as typeof value).n
    unpacked += OPERATIONS
  })
  return () => assertEqual('what was unpacked', sum, 3 * unpacked)
}
