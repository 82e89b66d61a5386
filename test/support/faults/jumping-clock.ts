/**
 * A process whose clock jumps, by libfaketime: what it says is when each command was answered.
 *
 *   node jumping-clock.js DIRECTORY FILE SEED     FILE is what libfaketime reads the offset from
 *
 *   [ 'answered', time of the receipt, time of the system ]   microseconds since 1970
 *   [ 'closed' ]
 */
import { writeFileSync } from 'node:fs'
import { Engine } from '../../../engine/index.js'
import probe, { Count } from '../domains/probe.js'
import { seededRandom } from '../seeded-random.js'

const COMMANDS = 40
const OFFSET_SECONDS_MAX = 100_000
const [directory = '', file = '', seed = ''] = process.argv.slice(2)
const random = seededRandom(Number(seed))
const ignore = () => undefined

const engine = await Engine.open(directory, probe, {
  logger: { info: ignore, warn: ignore, error: ignore },
})
for (let i = 0; i < COMMANDS; i++) {
  const seconds = random.below(2 * OFFSET_SECONDS_MAX) - OFFSET_SECONDS_MAX
  writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}s\n`)
  const { time } = await engine.execute(Count, { counter: 1, by: 1 })
  process.stdout.write(`${JSON.stringify(['answered', time, Date.now() * 1000])}\n`)
}
await engine.close()
process.stdout.write(`${JSON.stringify(['closed'])}\n`)
