/** State of an aggregate as a JavaScript object, as a domain declares it (object-store.ts keeps it). */
import { TidewheelError } from '../journal/errors.js'
import type { Fields } from '../journal/schema/field-types.js'

/** State kept as a JavaScript object, for shapes that fixed fields cannot hold. */
export interface ObjectState<State> {
  readonly kind: 'object'
  create(): State
  /** The whole state as plain data: what a field of type `any` may hold. */
  snapshot(state: State): unknown
  restore(data: unknown): State
}

/** Plain trees need only `create`; anything with classes, Maps or Sets says how it is saved. */
export function object<State extends object>(options: {
  create: () => State
  snapshot?: (state: State) => unknown
  restore?: (data: never) => State
}): ObjectState<State> {
  const { create, snapshot, restore } = options
  if ((snapshot === undefined) !== (restore === undefined)) {
    throw new TidewheelError(
      'INVALID_DOMAIN',
      'object state: give snapshot and restore, or neither',
    )
  }
  return Object.freeze({
    kind: 'object',
    create,
    snapshot: snapshot ?? ((state: State): unknown => state),
    restore: (restore as ((data: unknown) => State) | undefined) ?? ((data) => data as State),
  })
}

export function isObjectState(state: Fields | ObjectState<object>): state is ObjectState<object> {
  return (state as { kind?: unknown }).kind === 'object'
}
