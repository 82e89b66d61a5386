/** Fields that name a stream: their types, and those of the ids that they hold. */
import { TidewheelError } from '../journal/errors.js'
import {
  type FieldType,
  type ReferenceField,
  reference,
  text,
} from '../journal/schema/field-types.js'
import { type IdType, isIdType } from '../journal/schema/id-type.js'

/** Field types that identify a stream. */
export type IdFieldType = FieldType<string> | FieldType<number> | FieldType<bigint, number | bigint>

/** A field that names a stream. In state it is undefined until it is set. */
export type Reference<T, I = T> = FieldType<T, I> & { readonly kind: 'reference' }

/** What may be given for an id that is read as `Id`: a u64 also as a safe number. */
export type IdInput<Id> = Id extends bigint ? bigint | number : Id

/**
 * As a field: names a stream of an aggregate that is declared later, or of the one being declared.
 *
 * @param type the aggregate's type of ids
 */
export function ref(aggregate: string): ReferenceField<string>
export function ref<T, I>(aggregate: string, type: FieldType<T, I>): Reference<T, I>
export function ref(aggregate: string, type: FieldType = text): ReferenceField {
  const idType = idTypeOf(aggregate, type as IdFieldType)
  return reference(() => ({ name: aggregate, idType }))
}

/** @throws TidewheelError INVALID_DOMAIN when streams cannot be named by this type */
export function idTypeOf(name: string, type: IdFieldType): IdType {
  const { kind } = type
  if (isIdType(kind)) return kind
  throw new TidewheelError(
    'INVALID_DOMAIN',
    `aggregate ${name} has ids of type ${kind}; use text, u32, u64 or uuid`,
  )
}
