/** The process that isolated.ts starts. */

interface Start {
  readonly module: string
  readonly options: unknown
}

process.once('message', ({ module, options }: Start) => {
  import(module)
    .then((loaded: { measure(options: unknown): Promise<unknown> }) => loaded.measure(options))
    .then((value) => {
      process.send?.({ value })
      process.disconnect?.()
    })
    .catch((error: unknown) => {
      console.error(error)
      process.exit(1)
    })
})
