/**
 * Runs the handler of one command type in the engine's transaction, generated once for each type. Both
 * are constants of the code: V8 can put the handler, and what it asks of the transaction, in one piece.
 *
 *   return (payload) => {
 *     flyweight.$wrap(payload)
 *     try {
 *       const result = decide(flyweight, tx)
 *       if (result !== undefined) tx.failWith(resultError(name, result))
 *     } catch (error) {
 *       tx.failWith(error)
 *     }
 *     flyweight.$poison()
 *   }
 */
import { generate } from '../journal/schema/generated-code.js'
import type { CommandRuntime } from './command-runtime.js'
import type { Transaction } from './transaction.js'

/** @param payload its offset in the bytes that the command's flyweight is attached to */
export type Handler = (payload: number) => void

interface HandlersTransaction extends Transaction {
  /** The handler threw, or did what makes it fail. */
  failWith(error: unknown): void
}

export function compileHandler(command: CommandRuntime, tx: HandlersTransaction): Handler {
  const { name, decide, flyweight } = command
  const source = `return (payload) => {
  flyweight.$wrap(payload)
  try {
    const result = decide(flyweight, tx)
    if (result !== undefined) tx.failWith(resultError(name, result))
  } catch (error) {
    tx.failWith(error)
  }
  flyweight.$poison()
}`
  return generate<Handler>(source, { decide, flyweight, name, resultError, tx })
}

function resultError(command: string, result: unknown): TypeError {
  // What fails later has been refused already, and must not end the process.
  if (result instanceof Promise) result.catch(() => {})
  return new TypeError(
    `decide of ${command} returned a value; it must be a plain function that returns nothing`,
  )
}
