/** Values inside of records: plain data, payloads of events and commands, catalogues. */
import { isDeepStrictEqual } from 'node:util'
import type { Catalogue } from '../../../journal/catalogue.js'
import { readCatalogueRecord } from '../../../journal/catalogue.js'
import { assert } from '../../../journal/errors.js'
import { FrameCursor } from '../../../journal/frames.js'
import { CATALOGUE_RECORD } from '../../../journal/record-layout.js'
import { FixedSink } from '../../../journal/schema/codec.js'
import { compileCodec } from '../../../journal/schema/compiled-codec.js'
import {
  any,
  bytes,
  f64,
  int,
  oneOf,
  text,
  u64,
  uuid,
} from '../../../journal/schema/field-types.js'
import { NaiveCodec } from '../../../journal/schema/naive-codec.js'
import { layOut } from '../../../journal/schema/payload-layout.js'
import { decodePlainData, packPlain } from '../../../journal/schema/plain-data.js'
import type { SeededRandom } from '../seeded-random.js'
import { EVERY_DECODER, type FuzzTarget } from './fuzz-target.js'
import type { JournalSample } from './journal-sample.js'
import { mutateBytes } from './mutation.js'

export function valueTargets(sample: JournalSample): FuzzTarget[] {
  return [plainTarget(), ...payloadTargets(), catalogueTarget(sample)]
}

const PLAIN: readonly unknown[] = [
  null,
  [1, -1, 127, 128, -33, 65_536, 2 ** 40, 1.5, Number.POSITIVE_INFINITY, true, false, null],
  { name: 'ä'.repeat(40), nested: { list: [[], {}, [[[]]]], '': '' }, bytes: new Uint8Array(300) },
  { big: [1n << 63n, -(1n << 62n)], long: Array.from({ length: 20 }, (_, i) => i) },
  'text of some length, longer than thirty-one bytes',
  deep(60),
]

function deep(depth: number): unknown {
  return depth === 0 ? 0 : [deep(depth - 1)]
}

function plainTarget(): FuzzTarget {
  const packed = PLAIN.map((value) => Uint8Array.from(packedOf(value)))
  return {
    name: 'plain data',
    inputs: EVERY_DECODER,
    makeValid: (random) => (packed[random.below(packed.length)] as Uint8Array).slice(),
    decode(input) {
      const value = decodePlainData(input)
      assert(typeof packPlain(value) !== 'string', 'what was read can be written')
    },
  }
}

function packedOf(value: unknown): Uint8Array {
  const packed = packPlain(value)
  assert(typeof packed !== 'string', 'the sample is plain data')
  return packed
}

const FIELDS = {
  money: int,
  ratio: f64,
  wide: u64,
  token: uuid,
  colour: oneOf('red', 'green', 'blue'),
  title: text,
  blob: bytes,
  note: any,
}
const VALUE = {
  money: 5,
  ratio: 0.5,
  wide: 7n,
  token: '00000000-0000-4000-8000-000000000001',
  colour: 'green',
  title: 'títle',
  blob: new Uint8Array([1, 2, 3]),
  note: { list: [1, 'two'] },
}
/** Behind the payload lies what is not its business. */
const ROOM_BYTES = 4096
const NO_IDS = { idOf: () => undefined, slotOf: () => 0 }

/** The generated codec and the interpreting one say the same of the same bytes. */
function payloadTargets(): FuzzTarget[] {
  return (['event', 'command'] as const).map((flavour) => {
    const layout = layOut('Fuzzed', FIELDS, flavour)
    const naive = new NaiveCodec(layout)
    const compiled = compileCodec(layout)
    const view = new DataView(new ArrayBuffer(ROOM_BYTES))
    const room = new Uint8Array(view.buffer)
    const length = naive.encode(VALUE, new FixedSink(view, NO_IDS).at(0, ROOM_BYTES))
    const intact = room.slice(0, length)
    return {
      name: `payload of ${flavour === 'event' ? 'an event' : 'a command'}`,
      inputs: EVERY_DECODER,
      makeValid: () => intact.slice(),
      decode(input) {
        room.fill(0xee)
        room.set(input.subarray(0, ROOM_BYTES))
        const lengthBytes = Math.min(input.length, ROOM_BYTES)
        const damage = naive.check(view, 0, lengthBytes)
        assert(compiled.check(view, 0, lengthBytes) === damage, 'both codecs find the same damage')
        if (damage !== undefined) return
        const value = naive.decode(view, 0, lengthBytes, NO_IDS)
        const other = compiled.decode(view, 0, lengthBytes, NO_IDS)
        assert(isDeepStrictEqual(other, value), 'both codecs read the same value')
      },
    }
  })
}

function catalogueTarget({ blocks }: JournalSample): FuzzTarget {
  const intact = catalogueIn(blocks[0]!.payload)
  return {
    name: 'catalogue',
    inputs: EVERY_DECODER,
    makeValid: () => intact.slice(),
    mutate: (input, random) => (random.below(3) === 0 ? mutateBytes : mutateJson)(input, random),
    decode(input) {
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
      const catalogue: Catalogue = readCatalogueRecord(view, 0, input.byteLength)
      for (const entry of catalogue.entries) {
        if (entry.kind === 'event') layOut(entry.name, catalogue.fieldsOf(entry), 'event')
      }
    },
  }
}

function catalogueIn(payload: Uint8Array): Uint8Array {
  const cursor = new FrameCursor()
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  cursor.reset(view, 0, payload.length)
  while (cursor.nextFrame()) {
    while (cursor.nextRecord()) {
      if (cursor.recordType !== CATALOGUE_RECORD) continue
      return payload.slice(cursor.payloadOffset, cursor.payloadOffset + cursor.payloadBytes)
    }
  }
  throw new Error('the first block of a journal has its catalogue')
}

const ODD_JSON = [
  'null',
  'true',
  '-1',
  '0',
  '15',
  '16',
  '17',
  '65534',
  '65535',
  '65536',
  '1e308',
  '1e999',
  '0.5',
  '9007199254740993',
  '""',
  '"__proto__"',
  '"constructor"',
  '"aggregate"',
  '"event"',
  '"command"',
  '"text"',
  '"u32"',
  '"oneOf"',
  '"reference"',
  '"\\ud800"',
  '"a\\u0000b"',
  '[]',
  '{}',
  '{"__proto__":[]}',
  '[null]',
  '{"length":1e9}',
]
const VALUE_IN_JSON = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\[\]/g

/** Replaces values and names of the text by odd ones, or by one another; now and then nests deeply. */
function mutateJson(input: Uint8Array, random: SeededRandom): Uint8Array {
  let json = Buffer.from(input).toString('utf8')
  for (let left = 1 + random.below(3); left > 0; left--) {
    const places = [...json.matchAll(VALUE_IN_JSON)]
    const { index, 0: old } = places[random.below(places.length)] as RegExpExecArray
    const other = places[random.below(places.length)]?.[0] ?? ''
    const odd = ODD_JSON[random.below(ODD_JSON.length)] as string
    json =
      json.slice(0, index) + (random.below(2) === 0 ? odd : other) + json.slice(index + old.length)
  }
  if (random.below(200) === 0) {
    const depth = 1 + random.below(20_000)
    json = json.replace(/"entries":/, `"more":${'['.repeat(depth)}${']'.repeat(depth)},"entries":`)
  }
  return Uint8Array.from(Buffer.from(json))
}
