/** HTML and SVG elements as text; everything that comes from outside is escaped here. */

/** Markup that is already escaped. */
export interface Markup {
  readonly markup: string
}

type Content = Markup | string | number | readonly Content[]
type Attributes = Readonly<Record<string, string | number | undefined>>

const VOID_ELEMENTS = new Set(['meta', 'br', 'hr'])

export function element(name: string, attributes: Attributes = {}, ...content: Content[]): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeText(textOf(value ?? ''))}"`)
    .join('')
  if (VOID_ELEMENTS.has(name)) return { markup: `<${name}${written}>` }
  return { markup: `<${name}${written}>${markupOf(content)}</${name}>` }
}

export function markupOf(content: Content): string {
  if (typeof content === 'string' || typeof content === 'number') {
    return escapeText(textOf(content))
  }
  if ('markup' in content) return content.markup
  return content.map(markupOf).join('')
}

/** Coordinates need no more than a tenth of a pixel. */
function textOf(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 10) / 10) : value
}

export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
