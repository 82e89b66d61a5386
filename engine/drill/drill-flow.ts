/**
 * Where the commands of a drill come from. The engine's process is started anew after each kill, so
 * it gets the name of a module, and loads it; the same options must give the same commands again.
 */
import type { CommandType, Domain } from '../domain.js'

/** A command, and the value that is given to `submit` with it. */
export interface DrillCommand {
  readonly command: CommandType
  readonly value: unknown
}

/**
 * What the module of `tidewheel drill --commands` exports as default: the next command of the load,
 * for as long as it is asked. All randomness must come from `random`, which gives numbers from 0 up
 * to 1: after a kill the drill calls a freshly loaded module from its first command on, and must get
 * the same ones, because what was in flight is sent again with the same keys.
 */
export type DrillCommands = (random: () => number) => DrillCommand

export interface DrillFlow {
  readonly domain: Domain
  /** Each call of what it returns gives the next command; undefined: there are no more. */
  open(): Promise<() => DrillCommand | undefined>
}

/** Names a module that exports `flow(options): Promise<DrillFlow>`. */
export interface FlowReference {
  readonly moduleUrl: string
  /** Plain data. */
  readonly options: unknown
}
