/** The prompt language of `sonoriff.models.prompts`: weights inside a prompt, and blends. */
import { ParameterError } from '../errors'

const EMPHASIS = 1.1
const MAX_WEIGHT = 10
const WEIGHT = /^[+-]?(?:\d+\.?\d*|\.\d+)$/
const TAG = /<(lora|lyco|hypernet):([^<>:]*)(?::([^<>]*))?>/gi
const ESCAPED = '()[]\\'
const SHOWN = 80

export interface Span {
  text: string
  weight: number
}

/** One prompt of a blend, and its share of the whole in [0, 1]. */
export interface Phrase {
  spans: Span[]
  share: number
}

/** Read a prompt; a ParameterError for weights and shares out of range. */
export function parsePrompt(given: string): Phrase[] {
  const text = given.replace(TAG, '')
  const parts = splitBlend(text).map(shareOf)
  if (parts.length === 1 || parts.every(([, share]) => share === null)) {
    return [{ spans: spansOf(text), share: 1 }]
  }
  const shares = parts.map(([part, share]) => (share === null ? 1 : checkedShare(share, part)))
  const total = shares.reduce((sum, share) => sum + share, 0)
  if (total === 0) throw new ParameterError('the shares of a blend must not all be 0')
  return parts
    .map(([part], i) => ({ spans: spansOf(part), share: shares[i]! / total }))
    .filter(({ share }) => share > 0)
}

/** The words of all phrases. */
export const wordsOf = (prompt: Phrase[]): string =>
  prompt.map((phrase) => joined(phrase.spans)).join(', ')

/** The words of a phrase. */
export const textOf = (phrase: Phrase): string => joined(phrase.spans)

/** The different weights other than 1, in the order of their first span. */
export const weightsOf = (phrase: Phrase): number[] => [
  ...new Set(phrase.spans.map(({ weight }) => weight).filter((weight) => weight !== 1)),
]

/** The text of a phrase without the words of a weight. */
export const without = (phrase: Phrase, weight: number): string =>
  joined(phrase.spans.filter((span) => span.weight !== weight))

/** Parts between the `+` that stand outside brackets with space around them. */
function splitBlend(text: string): string[] {
  const partners = partnersOf(text)
  const parts: string[] = []
  let start = 0
  let i = 0
  while (i < text.length) {
    if (text.startsWith(' + ', i)) {
      parts.push(text.slice(start, i))
      i = start = i + 3
      continue
    }
    i = (isEscape(text, i, text.length) ? i + 1 : (partners.get(i) ?? i)) + 1
  }
  return [...parts, text.slice(start)]
}

/** The words of a part and the number after its last colon, if it is one. */
function shareOf(part: string): [string, number | null] {
  const colon = part.lastIndexOf(':')
  const number = part.slice(colon + 1)
  if (colon < 0 || !WEIGHT.test(number.trim())) return [part.trim(), null]
  // Whoever writes "tempo: 120" means no share.
  if (number.startsWith(' ') && Number(number) > MAX_WEIGHT) return [part.trim(), null]
  return [part.slice(0, colon).trim(), Number(number)]
}

/** Characters with their weights, joined into runs of equal weight; none that counts 0 times. */
function spansOf(text: string): Span[] {
  const runs: Span[] = []
  for (const { text: piece, weight } of weighted(text.trim())) {
    if (weight === 0) continue
    const last = runs.at(-1)
    if (last && last.weight === weight) last.text += piece
    else runs.push({ text: piece, weight })
  }
  return runs.map((span) => (span.text.trim() ? span : { text: span.text, weight: 1 }))
}

function weighted(text: string): Span[] {
  const partners = partnersOf(text)
  const pieces: Span[] = []
  // Stretches that are open, the innermost last.
  const open = [{ stop: text.length, after: text.length, weight: 1 }]
  let i = 0
  while (open.length > 0) {
    const { stop, after, weight } = open.at(-1)!
    const end = partners.get(i) ?? stop
    if (i >= stop) {
      open.pop()
      i = after
    } else if (isEscape(text, i, stop)) {
      pieces.push({ text: text[i + 1]!, weight })
      i += 2
    } else if (end >= stop) {
      pieces.push({ text: text[i]!, weight })
      i += 1
    } else {
      const [inner, factor] = inside(text, i, end)
      const product = Math.round(weight * factor * 1e6) / 1e6
      open.push({
        stop: inner,
        after: end + 1,
        weight: checked(product, text.slice(i, end + 1)),
      })
      i += 1
    }
  }
  return pieces
}

const isEscape = (text: string, i: number, stop: number): boolean =>
  text[i] === '\\' && i + 1 < stop && ESCAPED.includes(text[i + 1]!)

/** Place of the bracket that closes the one at each place. */
function partnersOf(text: string): Map<number, number> {
  const partners = new Map<number, number>()
  const waiting: Record<string, number[]> = { '(': [], '[': [] }
  const closing: Record<string, string> = { ')': '(', ']': '[' }
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!
    if (character === '\\') i += 1
    else if (character in waiting) waiting[character]!.push(i)
    else if (character in closing) {
      const first = waiting[closing[character]!]!.pop()
      if (first !== undefined) partners.set(first, i)
    }
  }
  return partners
}

/** Where the content of a bracket ends, and how much it multiplies. */
function inside(text: string, start: number, end: number): [number, number] {
  if (text[start] === '[') return [end, 1 / EMPHASIS]
  const colon = text.lastIndexOf(':', end - 1)
  const number = colon > start ? text.slice(colon + 1, end).trim() : ''
  if (!WEIGHT.test(number)) return [end, EMPHASIS]
  return [colon, checked(Number(number), text.slice(start, end + 1))]
}

function checked(weight: number, where: string): number {
  if (weight >= 0 && weight <= MAX_WEIGHT) return weight
  throw new ParameterError(
    `a weight must be in [0, ${MAX_WEIGHT}], got ${weight} in '${shortened(where)}'; ` +
      'what is not wanted goes into the negative prompt',
  )
}

function checkedShare(share: number, words: string): number {
  if (share >= 0 && share <= MAX_WEIGHT) return share
  throw new ParameterError(
    `'${shortened(`${words}:${share}`)}' was read as a part of a blend with the share ${share}: ` +
      `a share must be in [0, ${MAX_WEIGHT}], like 'reggae:0.7 + techno:0.3'`,
  )
}

const shortened = (text: string): string =>
  text.length <= SHOWN ? text : `${text.slice(0, SHOWN - 3)}...`

/** The spans' words, without the commas and spaces that a left-out span leaves. */
function joined(spans: Span[]): string {
  const text = spans
    .map((span) => span.text)
    .join('')
    .replace(/\s+/g, ' ')
    .trim()
  return text
    .replace(/(?:\s*,)+(?=\s*,)/g, '')
    .replace(/\s+,/g, ',')
    .replace(/^[ ,]+|[ ,]+$/g, '')
}
