/**
 * Lines to stdout, in large pieces, no faster than whoever reads them. A reader that goes away, such
 * as `head`, is no error: nothing more is written, and the writer looks at `isClosed`.
 */
import { causeOf } from '../../journal/errors.js'

const PIECE_CHARACTERS = 64 * 1024

/** stdout cannot be written to, for another reason than that nobody reads it. */
export class OutputError extends Error {}

export class LineOutput {
  /** Nobody reads any more. */
  isClosed = false
  private readonly stream: NodeJS.WritableStream
  private pending = ''

  constructor(stream: NodeJS.WritableStream) {
    this.stream = stream
    // Each write reports its own failure; without a listener the stream would end the process.
    stream.on('error', () => undefined)
  }

  /** Resolves at once, or when there is room for more. @throws OutputError */
  write(line: string): Promise<void> | undefined {
    this.pending += `${line}\n`
    return this.pending.length < PIECE_CHARACTERS ? undefined : this.flush()
  }

  /** Resolves when these lines, and what came before, are with the system. @throws OutputError */
  async writeAll(lines: readonly string[]): Promise<void> {
    for (const line of lines) await this.write(line)
    await this.flush()
  }

  /** Resolves when everything is with the system. @throws OutputError */
  flush(): Promise<void> {
    const piece = this.pending
    this.pending = ''
    if (piece === '' || this.isClosed) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.stream.write(piece, (error) => {
        if (error === null || error === undefined) return resolve()
        if ((error as NodeJS.ErrnoException).code !== 'EPIPE') {
          return reject(
            new OutputError(`the output cannot be written (${causeOf(error)})`, { cause: error }),
          )
        }
        this.isClosed = true
        resolve()
      })
    })
  }
}
