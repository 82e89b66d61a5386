/** The flow of `tidewheel drill`: the user's domain, and commands from a module or made up. */
import { causeOf } from '../../journal/errors.js'
import { CommandType, type Domain } from '../domain.js'
import { createRandom } from '../random.js'
import { loadUserDomain, loadUserFunction, ModuleError } from '../user-module.js'
import type { DrillCommand, DrillCommands, DrillFlow } from './drill-flow.js'
import { randomCommand } from './random-commands.js'

export interface UserFlowOptions {
  /** Path of the module that exports the domain. */
  readonly domain: string
  /** Of the module that exports a {@link DrillCommands}; undefined: commands are made up. */
  readonly commands: string | undefined
}

/** Any will do, but it has to be the same after each kill. */
const SEED = Uint32Array.of(1, 2, 3, 4)

/** @throws ModuleError */
export async function flow({ domain: path, commands }: UserFlowOptions): Promise<DrillFlow> {
  const domain = await loadUserDomain(path)
  return {
    domain,
    open: async () => {
      const random = createRandom(SEED)
      if (commands === undefined) return () => randomCommand(domain, random)
      const shape = 'a function (random) => ({ command, value })'
      const next = (await loadUserFunction('--commands', commands, shape)) as DrillCommands
      return () => checked(next, random, domain, commands)
    },
  }
}

function checked(
  next: DrillCommands,
  random: () => number,
  domain: Domain,
  path: string,
): DrillCommand {
  let made: unknown
  try {
    made = next(random)
  } catch (error) {
    throw new ModuleError(`${path} threw when it was asked for a command: ${causeOf(error)}`)
  }
  const { command } = (made ?? {}) as Partial<DrillCommand>
  if (!(command instanceof CommandType)) {
    throw new ModuleError(
      `${path} did not return { command, value } with a command that the domain ${domain.name} declares`,
    )
  }
  return made as DrillCommand
}
