/** A row's config as a line of text: what was done, with what. */
import type { Row } from '../bench/benchmark.js'
import { formatNumber } from './format.js'

/** The machine has a table of its own, and some of it a column. */
const CONFIG_HIDDEN = new Set([
  'processor',
  'cores',
  'memoryGiB',
  'kernel',
  'fileSystem',
  'node',
  'v8',
  'size',
  'date',
  'seed',
  'peer',
  'mode',
  'workload',
])

/** Processor, cores and memory, as far as they are known. */
export function machineText(config: Row['config']): string {
  const { processor, cores, memoryGiB } = config
  return [processor, cores && `${cores} cores`, memoryGiB && `${memoryGiB} GiB`]
    .filter((part) => part !== undefined)
    .join(', ')
}

export function configText({ config }: Row): string {
  const seed = config['seed'] === undefined ? [] : [`seed ${config['seed']}`]
  const node = config['node'] === undefined ? [] : [`Node ${config['node']}`]
  const others = Object.entries(config)
    .filter(([key, value]) => !CONFIG_HIDDEN.has(key) && value !== '' && value !== null)
    .map(([key, value]) => (key === 'how' ? String(value) : `${words(key)} ${plain(value)}`))
  return [...others, ...seed, ...node].join(' · ')
}

/** `warmUpSeconds` as `warm up seconds`; what is all capitals is a variable of the environment. */
function words(key: string): string {
  if (key === key.toUpperCase()) return key
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function plain(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
