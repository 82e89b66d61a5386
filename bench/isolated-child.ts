/** The process that isolated.ts starts: one contender, round after round, until it is told to end. */
import type { Contender } from './benchmark.js'
import { PROFILE_VARIABLE, profiled } from './round-profile.js'

export type IsolatedRequest =
  | { readonly kind: 'prepare'; readonly module: string; readonly options: unknown }
  | { readonly kind: 'round' }
  | { readonly kind: 'end' }

interface ContenderModule {
  prepare(options: unknown): Promise<Contender<unknown>>
}

let contender: Contender<unknown> | undefined

async function answer(request: IsolatedRequest): Promise<unknown> {
  switch (request.kind) {
    case 'prepare': {
      const { prepare } = (await import(request.module)) as ContenderModule
      const prepared = await prepare(request.options)
      const folder = process.env[PROFILE_VARIABLE]
      contender = folder === undefined ? prepared : profiled(prepared, request.module, folder)
      return undefined
    }
    case 'round':
      return contender?.round()
    case 'end':
      return contender?.end()
  }
}

process.on('message', (request: IsolatedRequest) => {
  answer(request)
    .then((value) => process.send?.({ value }))
    .catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
})
// Whoever started it is done with it, or is gone.
process.once('disconnect', () => process.exit())
