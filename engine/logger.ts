/** What the engine says beside its answers. `console` fits, and so does pino. */
export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

/** The default: what needs attention goes to stderr, the rest is in the opening report. */
export const defaultLogger: Logger = {
  info: () => {},
  warn: (message) => console.warn(`tidewheel: ${message}`),
  error: (message) => console.error(`tidewheel: ${message}`),
}

/** The same logger, whose own failures stay its own: a log line must not stop an engine. */
export function guarded(logger: Logger): Logger {
  const guard = (write: (message: string) => void) => (message: string) => {
    try {
      write(message)
    } catch {
      // There is nowhere left to say so.
    }
  }
  return {
    info: guard((message) => logger.info(message)),
    warn: guard((message) => logger.warn(message)),
    error: guard((message) => logger.error(message)),
  }
}
