/**
 * Runs one measurement in a process of its own, so that what V8 learned from one does not slow
 * another: the module exports `measure(options)`, which returns plain data.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** @param module URL of the compiled module */
export function measureIsolated<Options, Result>(module: URL, options: Options): Promise<Result> {
  return new Promise((resolve, reject) => {
    const entry = fileURLToPath(new URL('./isolated-child.js', import.meta.url))
    const child = fork(entry, [], { serialization: 'advanced' })
    let result: { value: Result } | undefined
    child.on('message', (message) => {
      result = message as { value: Result }
    })
    child.on('exit', (code) => {
      if (code === 0 && result !== undefined) resolve(result.value)
      else reject(new Error(`${module.pathname} ended with exit code ${code}; see above`))
    })
    child.send({ module: module.href, options })
  })
}
