/** Loads a domain on another thread than the one that declared it first: from its module. */
import { TidewheelError } from '../journal/errors.js'
import { Domain } from './domain.js'
import { fingerprintOf } from './producer.js'

/** What travels to another thread in place of a domain. */
export interface DomainSource {
  readonly domainName: string
  readonly moduleUrl: string
  /** By {@link fingerprintOf}. */
  readonly fingerprint: string
}

/**
 * The domain that the module exports, by default or under any name.
 * @throws TidewheelError DOMAIN_MISMATCH, and what the module throws
 */
export async function loadDomain(
  source: DomainSource,
  load: (url: string) => Promise<Record<string, unknown>> = (url) => import(url),
): Promise<Domain> {
  const { domainName, moduleUrl, fingerprint } = source
  const module = await load(moduleUrl)
  const exported = [module['default'], ...Object.values(module)]
  const domain = exported.find(
    (value): value is Domain => value instanceof Domain && value.name === domainName,
  )
  if (domain === undefined) {
    throw new TidewheelError(
      'DOMAIN_MISMATCH',
      `${moduleUrl} does not export domain ${domainName}; export it from the module whose import.meta.url it was given`,
    )
  }
  if (fingerprintOf(domain) !== fingerprint) {
    throw new TidewheelError(
      'DOMAIN_MISMATCH',
      `domain ${domainName} declares other commands on its own thread than on this one; declare the same, whatever the thread`,
    )
  }
  return domain
}
