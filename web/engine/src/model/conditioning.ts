/** What the model is told: `sonoriff.models.protocol` and `models.small.prompting`. */
import type { About } from './about'
import { chordVector, parseProgression } from './chords'
import { parsePrompt, textOf, weightsOf, without, wordsOf, type Phrase } from './prompts'
import type { TextEncoder } from './text'

/** Musical attributes besides text; null is unknown. */
export interface Attributes {
  bpm: number | null
  key: string | null
  mode: string | null
  kind: string | null
  /** 1 (calm) to 5 (full). */
  energy: number | null
  /** A progression, such as "Am F C G". */
  chords: string | null
}

/** Nothing but a text. */
export const UNTOLD: Attributes = {
  bpm: null,
  key: null,
  mode: null,
  kind: null,
  energy: null,
  chords: null,
}

/** Conditions of one member of a batch. */
export interface Embedding {
  /** (tokens, width). */
  text: Float32Array
  present: Uint8Array
  bpm: number
  key: number
  mode: number
  kind: number
  energy: number
  /** Of each beat. */
  chords: Float32Array[]
}

/** One evaluation of the model and its share in the sum. */
export interface Term {
  weight: number
  embedding: Embedding
}

export type Conditioning = Term[]

/** A weighted mixture; equal embeddings are evaluated once, a share of 1 gives that one itself. */
export function summed(conditions: Conditioning[], shares: number[]): Conditioning {
  const whole = shares.indexOf(1)
  if (whole >= 0) return conditions[whole]!
  const weights = new Map<Embedding, number>()
  conditions.forEach((condition, i) => {
    for (const { weight, embedding } of condition) {
      weights.set(embedding, (weights.get(embedding) ?? 0) + shares[i]! * weight)
    }
  })
  return termsOf(weights)
}

export const termsOf = (weights: Map<Embedding, number>): Conditioning =>
  [...weights]
    .filter(([, weight]) => weight !== 0)
    .map(([embedding, weight]) => ({ weight, embedding }))

/** Encodes prompts with their weights, shares and attributes. */
export class Conditioner {
  constructor(
    private readonly about: About,
    private readonly encoder: TextEncoder,
  ) {}

  /** Terms whose sum is the prompt; one without words is the unconditional one. */
  async encode(prompt: Phrase[], attributes: Attributes): Promise<Conditioning> {
    const rows = new Map<string, Embedding>()
    const row = async (text: string): Promise<Embedding> => {
      const known = rows.get(text) ?? (await this.row(text, attributes))
      rows.set(text, known)
      return known
    }
    const phrases: Conditioning[] = []
    for (const phrase of prompt) phrases.push(await this.phrase(phrase, row))
    return summed(
      phrases,
      prompt.map(({ share }) => share),
    )
  }

  /** The tempo that such music mostly has; null where the model cannot tell. */
  async likelyBpm(text: string): Promise<number | null> {
    return this.encoder.likelyBpm(wordsOf(parsePrompt(text)))
  }

  /**
   * A weight w adds w - 1 times what the words under it change: the prediction with all words less
   * that without these.
   */
  private async phrase(
    phrase: Phrase,
    row: (text: string) => Promise<Embedding>,
  ): Promise<Conditioning> {
    const extra = weightsOf(phrase).map((weight) => [weight - 1, without(phrase, weight)] as const)
    const first = 1 + extra.reduce((sum, [more]) => sum + more, 0)
    const terms: Term[] = [{ weight: first, embedding: await row(textOf(phrase)) }]
    for (const [more, text] of extra) terms.push({ weight: -more, embedding: await row(text) })
    return terms.filter(({ weight }) => Math.abs(weight) > 1e-9)
  }

  private async row(text: string, attributes: Attributes): Promise<Embedding> {
    const { bpm, key, mode, kind, energy, chords } = attributes
    const { keys, modes, kinds } = this.about
    return {
      ...(await this.encoder.states(text)),
      bpm: bpm ?? 0,
      key: key === null ? -1 : keys.indexOf(key),
      mode: mode === null ? -1 : modes.indexOf(mode),
      kind: kind === null ? -1 : kinds.indexOf(kind),
      energy: energy ?? 0,
      chords: chords === null ? [] : parseProgression(chords).map(chordVector),
    }
  }
}
