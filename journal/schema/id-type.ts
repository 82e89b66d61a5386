/**
 * How aggregates are named: by text, by an unsigned integer or by a UUID. The engine and the
 * schemas share these checks, so that an id is refused for one reason in one wording everywhere.
 */
import { ID_BYTES_MAX } from '../record-layout.js'
import { isU32, isU64 } from './integers.js'
import { textBytes } from './text-bytes.js'
import { isUuid } from './uuid-bytes.js'

export type IdType = 'text' | 'u32' | 'u64' | 'uuid'
export type IdValue = string | number | bigint

/** What a schema needs to know of an aggregate. */
export interface AggregateLike {
  readonly name: string
  readonly idType: IdType
}

const ID_TYPES: readonly IdType[] = ['text', 'u32', 'u64', 'uuid']

/** What an id of this type must be, for the end of "must be …". */
export const ID_EXPECTATIONS: Readonly<Record<IdType, string>> = {
  text: `an id: well-formed text of 1 to ${ID_BYTES_MAX} bytes in UTF-8`,
  u32: 'an id: an integer from 0 to 4294967295',
  u64: 'an id: an integer from 0 to 18446744073709551615, as a bigint or a safe number',
  uuid: 'an id: a UUID in lower case, such as 01234567-89ab-cdef-0123-456789abcdef',
}

export function isIdType(value: unknown): value is IdType {
  return ID_TYPES.includes(value as IdType)
}

export function isId(idType: IdType, value: unknown): value is IdValue {
  switch (idType) {
    case 'text': {
      const lengthBytes = textBytes(value)
      return lengthBytes > 0 && lengthBytes <= ID_BYTES_MAX
    }
    case 'u32':
      return isU32(value)
    case 'u64':
      return isU64(value)
    case 'uuid':
      return isUuid(value)
  }
}
