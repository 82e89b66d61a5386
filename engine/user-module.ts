/** Modules that a tool is given: loads them, and says what is wrong with one. */
import { existsSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { causeOf } from '../journal/errors.js'
import { Domain } from './domain.js'
import { loadModule } from './module-loading.js'

/** A module that cannot be used; the sentence says what to do. */
export class ModuleError extends Error {}

/** @throws ModuleError */
export async function loadUserDomain(path: string): Promise<Domain> {
  const module = await load('--domain', path)
  const exported = module['default']
  if (exported instanceof Domain) return refuseEmpty(path, exported)
  if (looksLikeDomain(exported)) {
    throw new ModuleError(
      `${path} exports a domain of another copy of tidewheel; run the one that is installed beside it: npx tidewheel`,
    )
  }
  throw new ModuleError(
    `${path} exports no domain as default; end it with "export default …" of what domain('name', import.meta.url) returned`,
  )
}

/** The default export of a module, which must be a function. @throws ModuleError */
export async function loadUserFunction(
  option: string,
  path: string,
  shape: string,
): Promise<(...args: never[]) => unknown> {
  const { default: exported } = await load(option, path)
  if (typeof exported === 'function') return exported as (...args: never[]) => unknown
  throw new ModuleError(`${path} exports no function as default; give ${option} ${shape}`)
}

async function load(option: string, path: string): Promise<Record<string, unknown>> {
  const file = resolve(path)
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new ModuleError(
      `there is no file ${file}; give ${option} the path of a compiled JavaScript module`,
    )
  }
  if (/^\.[cm]?tsx?$/.test(extname(file))) {
    throw new ModuleError(
      `${path} is TypeScript, which Node does not load; compile it, and give ${option} the .js file`,
    )
  }
  try {
    return await loadModule(pathToFileURL(file).href)
  } catch (error) {
    throw new ModuleError(
      `${path} cannot be loaded: ${causeOf(error)}. Try it with: node ${path}`,
      { cause: error },
    )
  }
}

function refuseEmpty(path: string, domain: Domain): Domain {
  if (domain.commands.length > 0) return domain
  throw new ModuleError(
    `the domain ${domain.name} that ${path} exports has no commands; import the modules that declare them where it is exported`,
  )
}

function looksLikeDomain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { name, moduleUrl, commands } = value as Record<string, unknown>
  return typeof name === 'string' && typeof moduleUrl === 'string' && Array.isArray(commands)
}
