/**
 * Text of unknown origin, for a terminal: a journal may come from a stranger, and what a terminal
 * takes for a command must not reach it. Control characters, line separators and those that turn the
 * direction of writing come out as escapes of JSON and JavaScript, such as \u001b.
 */

/** What JSON.stringify leaves as it is: DEL, C1 controls, separators, marks of direction, BOM. */
const UNSAFE_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
/** Most names and values: ASCII without quotation mark and backslash. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/
/** The same as UNSAFE_IN_JSON, and C0 controls and lone surrogates. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

/** One line that is safe to show. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escapeCharacter)
}

/** A JSON string literal that is safe to show. */
export function printableJson(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(UNSAFE_IN_JSON, escapeCharacter)
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
