#!/usr/bin/env node
/**
 * The command `tidewheel`: reads, verifies, surveys, copies and archives journals, proves events, and
 * drills domains. Exit codes: 0 all is well, 1 it is not, or cannot be told, 2 wrong arguments.
 */
import { createRequire } from 'node:module'
import { TidewheelError } from '../../journal/errors.js'
import { DrillError } from '../drill/drill-error.js'
import { ModuleError } from '../user-module.js'
import { archiveCommand } from './archive-command.js'
import { type Invocation, parseArguments, UsageError } from './arguments.js'
import { backupCommand } from './backup-command.js'
import { drillCommand } from './drill-command.js'
import { infoCommand } from './info-command.js'
import { LineOutput, OutputError } from './line-output.js'
import { printable } from './printable.js'
import { checkProofCommand, proveCommand } from './prove-command.js'
import { readCommand } from './read-command.js'
import { restoreCommand } from './restore-command.js'
import { usage } from './usage.js'
import { verifyCommand } from './verify-command.js'

const FAILED = 1
const WRONG_ARGUMENTS = 2

async function run(invocation: Invocation, output: LineOutput): Promise<number> {
  switch (invocation.kind) {
    case 'help':
      return print(usage(invocation.topic).trimEnd(), output)
    case 'version':
      return print(version(), output)
    case 'read':
      return readCommand(invocation.path, invocation.options, output)
    case 'verify':
      return verifyCommand(
        invocation.path,
        invocation.json,
        invocation.options,
        invocation.replay,
        output,
      )
    case 'info':
      return infoCommand(invocation.path, invocation.json, output)
    case 'backup':
      return backupCommand(invocation.path, invocation.target, output)
    case 'restore':
      return restoreCommand(invocation.path, invocation.target, invocation.options, output)
    case 'archive':
      return archiveCommand(invocation.path, invocation.before, output)
    case 'prove':
      return proveCommand(invocation.path, invocation.sequence, invocation.head, output)
    case 'check':
      return checkProofCommand(invocation.file, invocation.head, output)
    case 'drill':
      return drillCommand(invocation.options, output)
  }
}

async function print(text: string, output: LineOutput): Promise<number> {
  await output.writeAll([text])
  return 0
}

function version(): string {
  const require = createRequire(import.meta.url)
  return (require('tidewheel/package.json') as { readonly version: string }).version
}

/** Says on stderr what went wrong, and returns the exit code. */
function explain(error: unknown): number {
  if (error instanceof UsageError) {
    const command = error.topic === undefined ? 'tidewheel' : `tidewheel ${error.topic}`
    complain(`${error.message}. See ${command} --help`)
    return WRONG_ARGUMENTS
  }
  if (error instanceof TidewheelError) {
    complain(error.message)
    return error.code === 'UNKNOWN_AGGREGATE' ? WRONG_ARGUMENTS : FAILED
  }
  if (error instanceof OutputError || error instanceof ModuleError || error instanceof DrillError) {
    complain(error.message)
    return FAILED
  }
  // Only a bug gets here, and whoever mends it needs the stack.
  console.error(error)
  return FAILED
}

function complain(message: string): void {
  console.error(`tidewheel: ${printable(message)}`)
}

async function main(): Promise<number> {
  try {
    return await run(parseArguments(process.argv.slice(2)), new LineOutput(process.stdout))
  } catch (error) {
    return explain(error)
  }
}

/** How long a module that was loaded may keep the process, when all is said. */
const LINGERING_MS_MAX = 1000

let isDone = false
process.once('exit', () => {
  if (isDone) return
  complain(
    'the command did not come to its end: a module that it has loaded ended the process. Nothing is known of what was asked; the module may only declare',
  )
  process.exitCode = FAILED
})
process.stderr.on('error', () => undefined)
// Not process.exit: what was written to a pipe may still be on its way.
process.exitCode = await main()
isDone = true
setTimeout(() => process.exit(), LINGERING_MS_MAX).unref()
