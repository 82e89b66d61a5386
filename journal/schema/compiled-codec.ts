/**
 * The codec that the engine runs: one class a layout, generated once, straight-line and without
 * allocations of its own. `NaiveCodec` is its oracle. What is generated for the event
 * `{ amount: int, to: Account.id, note: text }` (shortened: attach, and check's repetitions):
 *
 *   return class {
 *     encode(value, sink) {
 *       if (typeof value !== 'object' || value === null) refuseValue(value)
 *       const written = this.write(sink, value.amount, value.to, value.note)
 *       return written >= -1 ? written : refuseFields(written, value)
 *     }
 *     write(sink, v0, v1, v2) {
 *       if (!Number.isSafeInteger(v0)) return refused(0, v0)
 *       if (typeof v1 !== 'number' || (v1 >>> 0) !== v1) return refused(1, v1)
 *       const n2 = textBytes(v2)
 *       if (n2 < 0 || n2 > 262144) return refused(2, v2)
 *       const s1 = sink.slotOf(0, v1)
 *       if (!(s1 > 0)) refuseReference(1, v1)
 *       const end2 = 16 + n2
 *       const length = end2
 *       const view = sink.view, o = sink.payloadOffset
 *       if (o + ((length + 7) & ~7) > sink.payloadLimit) return -1
 *       if (length > 16) view.setFloat64(o + ((length - 1) & ~7), 0, true)
 *       view.setFloat64(o, v0 + 0, true)
 *       view.setUint32(o + 8, s1, true)
 *       view.setUint32(o + 12, end2, true)
 *       writeText(sink.bytes, o + 16, v2, n2)
 *       return length
 *     }
 *     check(view, o, lengthBytes) {
 *       if (view !== this.checkedView) this.attachToCheck(view)
 *       if (lengthBytes < 16 || o + lengthBytes > this.checkedBytes) return SHORT_DAMAGE
 *       if (isNoInt(view.getFloat64(o, true))) return damage[0]
 *       …
 *     }
 *     decode(view, o, lengthBytes, ids) {
 *       const bytes = this.view === view ? this.bytes : this.attach(view)
 *       return {
 *         amount: view.getFloat64(o, true),
 *         to: ids.idOf(0, view.getUint32(o + 8, true)),
 *         note: readText(bytes, o + 16, o + view.getUint32(o + 12, true)),
 *       }
 *     }
 *   }
 *
 * `encode` only reads the value, and is small: V8 inlines it where it is called, so that an object
 * literal that is only encoded never comes to exist. `write` is the work, and takes what was read.
 * `encodingOf` gives its pieces, for who writes more than a payload (engine/compiled-event.ts).
 */
import { assert } from '../errors.js'
import { type Codec, PAST_LIMIT, refuseField, refuseReference, refuseValue } from './codec.js'
import {
  at,
  damagedCode,
  generate,
  loadCode,
  loadU32Code,
  nameInCode,
  oneOfConstants,
  readVariableCode,
  refusesCode,
  refusesIdCode,
  storeCode,
} from './generated-code.js'
import { isId } from './id-type.js'
import { isVariable, type PayloadLayout, type PlacedField } from './payload-layout.js'
import {
  damageOf,
  extentDamageOf,
  LENGTH_DAMAGE,
  PADDING_DAMAGE,
  SHORT_DAMAGE,
} from './value-check.js'

const BYTES_OF_VIEW = 'const bytes = this.view === view ? this.bytes : this.attach(view)'

export function compileCodec(layout: PayloadLayout): Codec {
  assert(layout.flavour !== 'state', 'state is read and written in its slab')
  const source = `return class {
  constructor(layout) {
    this.layout = layout
    this.view = undefined
    this.bytes = undefined
    this.checkedView = undefined
    this.checkedBytes = 0
  }
  attachToCheck(view) {
    this.checkedView = view
    // Kept, since V8 asks a view for its length with a call.
    this.checkedBytes = view.byteLength
  }
  attach(view) {
    this.view = view
    this.bytes = bytesOver(view)
    return this.bytes
  }
${encodeCode(layout)}
${checkCode(layout)}
${decodeCode(layout)}
}`
  const Generated = generate<new (layout: PayloadLayout) => Codec>(source, {
    ...encodingConstants(layout),
    damage: layout.fields.map(damageOf),
    extentDamage: layout.fields.map(extentDamageOf),
    SHORT_DAMAGE,
    LENGTH_DAMAGE,
    PADDING_DAMAGE,
  })
  return new Generated(layout)
}

/** Source of what writes a payload, in parts; what it calls is in {@link encodingConstants}. */
export interface Encoding {
  /** Of a value: `value.amount, value.to`. */
  readonly reads: string
  /** What was read: `v0, v1`. */
  readonly parameters: string
  /** Of all fields; a refused one ends in `return refused(…)`, which is below PAST_LIMIT. */
  readonly checks: readonly string[]
  /** The slots of references, from `sink`. */
  readonly resolving: readonly string[]
  /** The `length`. */
  readonly measuring: readonly string[]
  /** Into `view` at `o`, which has room. */
  readonly writing: readonly string[]
}

export function encodingOf(layout: PayloadLayout): Encoding {
  return {
    reads: layout.fields.map((field) => `value.${nameInCode(field)}`).join(', '),
    parameters: layout.fields.map(({ index }) => `v${index}`).join(', '),
    checks: layout.fields.flatMap(checkedCode),
    resolving: layout.references.flatMap(resolvedCode),
    measuring: measuringCode(layout),
    writing: writingCode(layout),
  }
}

export function encodingConstants(layout: PayloadLayout): Record<string, unknown> {
  const fieldAt = (index: number): PlacedField => layout.fields[index] as PlacedField
  let given: unknown
  return {
    ...oneOfConstants(layout),
    isId,
    refuseValue: (value: unknown): never => refuseValue(layout, value),
    refused: (index: number, refusedValue: unknown): number => {
      given = refusedValue
      return PAST_LIMIT - 1 - index
    },
    refuseFields: (written: number, value: object): never => {
      const refusedValue = given
      given = undefined
      refuseField(layout, fieldAt(PAST_LIMIT - 1 - written), refusedValue, value)
    },
    refuseReference: (index: number, id: unknown): never =>
      refuseReference(layout, fieldAt(index), id),
  }
}

function encodeCode(layout: PayloadLayout): string {
  const { reads, parameters, checks, resolving, measuring, writing } = encodingOf(layout)
  const lines = [
    ...checks,
    ...resolving,
    ...measuring,
    'const view = sink.view, o = sink.payloadOffset',
    `if (o + ((length + 7) & ~7) > sink.payloadLimit) return ${PAST_LIMIT}`,
    ...writing,
    'return length',
  ]
  return `  encode(value, sink) {
    if (typeof value !== 'object' || value === null) refuseValue(value)
    const written = this.write(${['sink', reads].filter(Boolean).join(', ')})
    return written >= ${PAST_LIMIT} ? written : refuseFields(written, value)
  }
  write(${['sink', parameters].filter(Boolean).join(', ')}) {
    ${lines.join('\n    ')}
  }`
}

/** Checks `v`; what that finds out goes into `n` (a length) or `p` (packed bytes). */
function checkedCode(field: PlacedField): string[] {
  const { index: i, storage, bytesMin, bytesMax } = field
  const value = `v${i}`
  const refuse = `return refused(${i}, ${value})`
  if (storage === 'slot') return [`if (${refusesIdCode(field, value)}) ${refuse}`]
  if (!isVariable(storage)) return [`if (${refusesCode(field, value)}) ${refuse}`]
  if (storage === 'any') {
    return [`const p${i} = packPlain(${value})`, `if (typeof p${i} === 'string') ${refuse}`]
  }
  return [
    `const n${i} = ${storage === 'text' ? 'textBytes' : 'byteCount'}(${value})`,
    `if (n${i} < ${bytesMin} || n${i} > ${bytesMax}) ${refuse}`,
  ]
}

function resolvedCode({ index: i, reference, storage }: PlacedField): string[] {
  if (storage !== 'slot') return []
  return [
    `const s${i} = sink.slotOf(${reference?.aggregateIndex}, v${i})`,
    `if (!(s${i} > 0)) refuseReference(${i}, v${i})`,
  ]
}

function measuringCode(layout: PayloadLayout): string[] {
  const lines: string[] = []
  let end = String(layout.fixedBytes)
  for (const { index: i, storage } of layout.variableFields) {
    lines.push(`const end${i} = ${end} + ${storage === 'any' ? `p${i}.length` : `n${i}`}`)
    end = `end${i}`
  }
  return [...lines, `const length = ${end}`]
}

function writingCode(layout: PayloadLayout): string[] {
  const { fixedBytes, fixedEnd, variableFields } = layout
  const lines: string[] = []
  // The last word of each part is zeroed before it is filled: that leaves zeros where nothing lies.
  if (fixedEnd < fixedBytes) lines.push(`view.setFloat64(${at(fixedBytes - 8)}, 0, true)`)
  if (variableFields.length > 0) {
    lines.push(`if (length > ${fixedBytes}) view.setFloat64(o + ((length - 1) & ~7), 0, true)`)
  }
  for (const field of layout.fields) {
    const { index: i, offset, storage } = field
    if (storage === 'slot') lines.push(`view.setUint32(${at(offset)}, s${i}, true)`)
    else if (isVariable(storage)) lines.push(`view.setUint32(${at(offset)}, end${i}, true)`)
    else lines.push(storeCode(field, `v${i}`))
  }
  let start = String(fixedBytes)
  for (const { index: i, storage } of variableFields) {
    const to = `sink.bytes, o + ${start}`
    if (storage === 'text') lines.push(`writeText(${to}, v${i}, n${i})`)
    else if (storage === 'bytes') lines.push(`writeBytes(${to}, v${i}, n${i})`)
    else lines.push(`sink.bytes.set(p${i}, o + ${start})`)
    start = `end${i}`
  }
  return lines
}

function checkCode(layout: PayloadLayout): string {
  const { fixedBytes, fixedEnd, variableFields } = layout
  const lines = [
    'if (view !== this.checkedView) this.attachToCheck(view)',
    `if (lengthBytes < ${fixedBytes} || o + lengthBytes > this.checkedBytes) return SHORT_DAMAGE`,
  ]
  for (const field of layout.fields) {
    if (isVariable(field.storage)) continue
    const damaged = damagedCode(field)
    if (damaged !== undefined) lines.push(`if (${damaged}) return damage[${field.index}]`)
  }
  for (let offset = fixedEnd; offset < fixedBytes; offset++) {
    lines.push(`if (view.getUint8(${at(offset)}) !== 0) return PADDING_DAMAGE`)
  }
  if (variableFields.length > 0) lines.push(BYTES_OF_VIEW)
  let start = String(fixedBytes)
  for (const { index: i, storage, offset, bytesMin, bytesMax } of variableFields) {
    const end = `end${i}`
    lines.push(`const ${end} = ${loadU32Code(offset)}`)
    lines.push(
      `if (${end} < ${start} + ${bytesMin} || ${end} > ${start} + ${bytesMax} || ${end} > lengthBytes) return extentDamage[${i}]`,
    )
    const extent = `bytes, o + ${start}, o + ${end}`
    if (storage === 'text') lines.push(`if (!isText(${extent})) return damage[${i}]`)
    if (storage === 'any') {
      lines.push(`if (plainDamage(${extent}) !== undefined) return damage[${i}]`)
    }
    start = end
  }
  lines.push(`return ${start} === lengthBytes ? undefined : LENGTH_DAMAGE`)
  return `  check(view, o, lengthBytes) {\n    ${lines.join('\n    ')}\n  }`
}

function decodeCode(layout: PayloadLayout): string {
  const properties = layout.fields.map((field) => {
    const { offset, reference, storage } = field
    let value: string
    if (storage === 'slot') value = `ids.idOf(${reference?.aggregateIndex}, ${loadU32Code(offset)})`
    else if (isVariable(storage)) value = readVariableCode(layout, field, loadU32Code(offset))
    else value = loadCode(field)
    return `      ${nameInCode(field)}: ${value},`
  })
  return `  decode(view, o, lengthBytes, ids) {
    ${layout.variableFields.length > 0 ? BYTES_OF_VIEW : ''}
    return {
${properties.join('\n')}
    }
  }`
}
