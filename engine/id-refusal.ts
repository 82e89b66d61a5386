/** One wording for an id that cannot be one. */
import { TidewheelError } from '../journal/errors.js'
import { ID_EXPECTATIONS, type IdType } from '../journal/schema/id-type.js'
import { describeValue } from '../journal/schema/value-check.js'

/** @throws TidewheelError INVALID_ID always. */
export function refuseId(aggregate: string, idType: IdType, id: unknown): never {
  throw new TidewheelError(
    'INVALID_ID',
    `a stream of ${aggregate} is named by ${ID_EXPECTATIONS[idType]}, got ${describeValue(id)}`,
  )
}
