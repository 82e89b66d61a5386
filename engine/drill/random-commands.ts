/**
 * Commands made from their declarations alone: values of each field by its type. Ids and numbers are
 * mostly few and small, so that commands meet on the same streams, and now and then at the edge of
 * what the type takes. Many will be rejected, which is part of the drill.
 */
import {
  type FieldType,
  isOneOf,
  isReference,
  type OneOfField,
} from '../../journal/schema/field-types.js'
import type { IdType } from '../../journal/schema/id-type.js'
import type { Domain } from '../domain.js'
import type { DrillCommand } from './drill-flow.js'

type Random = () => number

const IDS = 50
const SMALL_MAX = 100
const I32_MAX = 2 ** 31 - 1
const U32_MAX = 2 ** 32 - 1
const U64_MAX = 2n ** 64n - 1n
/** Of values that are not small, or at an edge. */
const EDGE_SHARE = 0.02
const WORDS = ['', 'a', 'ä€𝄞', 'tidewheel', 'a b', 'x'.repeat(200)]

export function randomCommand(domain: Domain, random: Random): DrillCommand {
  const command = pick(domain.commands, random)
  const value: Record<string, unknown> = {}
  for (const [name, type] of Object.entries(command.fields)) value[name] = randomValue(type, random)
  return { command, value }
}

function randomValue(type: FieldType, random: Random): unknown {
  if (isReference(type)) return idOf(type.aggregate().idType, random)
  if (isOneOf(type)) return pick((type as OneOfField).values, random)
  switch (type.kind) {
    case 'bool':
      return random() < 0.5
    case 'i32':
      return integer(random, [-1, I32_MAX, -I32_MAX - 1])
    case 'u32':
      return integer(random, [U32_MAX])
    case 'int':
      return integer(random, [-1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])
    case 'u64':
      return random() < EDGE_SHARE ? U64_MAX : BigInt(below(SMALL_MAX, random))
    case 'f64':
      return random() < EDGE_SHARE ? -1e300 : below(SMALL_MAX, random) / 8
    case 'uuid':
      return uuidOf(below(IDS, random))
    case 'text':
      return pick(WORDS, random)
    case 'bytes':
      return new Uint8Array(below(16, random)).fill(below(256, random))
    default:
      return { number: below(SMALL_MAX, random), text: pick(WORDS, random) }
  }
}

function idOf(type: IdType, random: Random): string | number | bigint {
  const n = 1 + below(IDS, random)
  switch (type) {
    case 'text':
      return `id-${n}`
    case 'u32':
      return n
    case 'u64':
      return BigInt(n)
    case 'uuid':
      return uuidOf(n)
  }
}

function integer(random: Random, edges: readonly number[]): number {
  return random() < EDGE_SHARE ? pick(edges, random) : below(SMALL_MAX, random)
}

function uuidOf(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
}

function below(end: number, random: Random): number {
  return Math.floor(random() * end)
}

function pick<T>(values: readonly T[], random: Random): T {
  return values[below(values.length, random)] as T
}
