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
