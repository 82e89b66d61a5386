/**
 * The command-line arguments of Node for a thread of ours. A thread inherits those of its process,
 * and one of them it cannot live with: `--input-type`, which belongs to a program given as text
 * (`node --input-type=module -e …`), makes Node refuse to load the thread's file.
 *
 * A list that is given may hold no argument of V8 or of the process, and Node refuses some that it
 * would inherit: so where there is no `--input-type`, the thread inherits; where there is one, it
 * gets only what says how modules are loaded.
 */

const INPUT_TYPE = '--input-type'

/** What a thread that loads a user's module has to have as its process has it. */
const MODULE_LOADING: ReadonlySet<string> = new Set([
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
])

/** To be spread into the options of a `Worker` or of a pool. */
export function threadArguments(given: readonly string[] = process.execArgv): {
  execArgv?: string[]
} {
  if (!given.some((argument) => nameOf(argument) === INPUT_TYPE)) return {}
  const execArgv: string[] = []
  for (let i = 0; i < given.length; i++) {
    const argument = given[i] as string
    if (!MODULE_LOADING.has(nameOf(argument))) continue
    execArgv.push(argument)
    // The value is in the same argument behind `=`, or it is the next one.
    const value = given[i + 1]
    if (!argument.includes('=') && value !== undefined) execArgv.push(value)
  }
  return { execArgv }
}

function nameOf(argument: string): string {
  return argument.split('=', 1)[0] as string
}
