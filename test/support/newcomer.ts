/**
 * The folder of a newcomer: the package installed, and the code of a page of documentation in files,
 * so that it can be type-checked and run as it stands.
 */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Of the project. Compiled tests lie in dist/test. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** The TypeScript blocks of a page, as written. */
export function codeBlocksOf(page: string): string[] {
  return [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code)
}

/** The file that the first line of a block names: `// bank.ts`. */
export function nameOf(code: string): string | undefined {
  return /^\/\/ (\S+\.ts)\n/.exec(code)?.[1]
}

export class Newcomer {
  readonly folder = mkdtempSync(join(tmpdir(), 'tidewheel-newcomer-'))
  private readonly names: string[]

  /** Writes each file as it is, and compiled. */
  constructor(codeByName: ReadonlyMap<string, string>) {
    this.names = [...codeByName.keys()]
    mkdirSync(join(this.folder, 'node_modules'), { recursive: true })
    symlinkSync(root, join(this.folder, 'node_modules', 'tidewheel'))
    writeFileSync(join(this.folder, 'package.json'), '{ "type": "module" }')
    for (const [name, code] of codeByName) {
      writeFileSync(join(this.folder, name), code)
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      })
      writeFileSync(join(this.folder, name.replace('.ts', '.js')), outputText)
    }
  }

  /** What a user's compiler would say. */
  typeErrors(): string[] {
    const program = ts.createProgram(
      this.names.map((name) => join(this.folder, name)),
      {
        strict: true,
        noImplicitReturns: true,
        exactOptionalPropertyTypes: true,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        target: ts.ScriptTarget.ES2023,
        typeRoots: [join(root, 'node_modules', '@types')],
        types: ['node'],
        skipLibCheck: true,
        noEmit: true,
      },
    )
    return ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
