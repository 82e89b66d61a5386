/** What all id indexes check, in one wording. */
import { assert, TidewheelError } from '../../journal/errors.js'
import { ID_EXPECTATIONS, type IdType } from '../../journal/schema/id-type.js'

export function invalidId(idType: IdType): TidewheelError {
  return new TidewheelError('INVALID_ID', `this must be ${ID_EXPECTATIONS[idType]}`)
}

export function assertNew(slot: number): void {
  assert(slot === 0, `an id was added twice, it has slot ${slot}`)
}

export function assertSlot(slot: number, count: number): void {
  assert(slot >= 1 && slot <= count, `no slot ${slot} among ${count}`)
}
