/**
 * What fields and types may be called. Field names become properties and accessors of generated
 * classes, so nothing that JavaScript already gives a meaning on objects is allowed; names of
 * aggregates, events and commands are only ever compared and printed.
 */
import { TidewheelError } from '../errors.js'

export const NAME_LENGTH_MAX = 100
export const FIELDS_MAX = 200

const FIELD_NAME = /^[A-Za-z][A-Za-z0-9_]*$/
const TYPE_NAME = /^[A-Za-z][A-Za-z0-9_.:-]*$/

/** Every property that an ordinary object inherits, and those that change how it is treated. */
const RESERVED_FIELD_NAMES: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'prototype',
  'toJSON',
  'then',
])

/** Says what is wrong with a field's name, or undefined. */
export function fieldNameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string' || !FIELD_NAME.test(name)) {
    return 'must begin with a letter and hold only letters, digits and _'
  }
  if (name.length > NAME_LENGTH_MAX) return `must have at most ${NAME_LENGTH_MAX} characters`
  if (RESERVED_FIELD_NAMES.has(name)) return 'has a meaning of its own in JavaScript'
  return undefined
}

/** Says what is wrong with the name of an aggregate, event or command, or undefined. */
export function typeNameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string' || !TYPE_NAME.test(name)) {
    return 'must begin with a letter and hold only letters, digits and _ . : -'
  }
  if (name.length > NAME_LENGTH_MAX) return `must have at most ${NAME_LENGTH_MAX} characters`
  return undefined
}

/** `what` is for people: 'event', 'aggregate'. @throws TidewheelError INVALID_DOMAIN */
export function assertTypeName(what: string, name: unknown): asserts name is string {
  const problem = typeNameProblem(name)
  if (problem === undefined) return
  const shown = typeof name === 'string' ? JSON.stringify(name.slice(0, 40)) : typeof name
  throw new TidewheelError('INVALID_DOMAIN', `the name of this ${what}, ${shown}, ${problem}`)
}
