import { MAX_SEED } from './scene'

/** What *Make* asks for. */
export interface Wish {
  prompt: string
  negative: string
  loop: boolean
  /** Seconds, of a riff that is no loop. */
  seconds: number
  /** Of a loop. */
  bars: number
  bpm: number | null
  key: string | null
  energy: number | null
  chords: string
  seed: number
  count: number
}

export const FIRST_WISH: Wish = {
  prompt: '',
  negative: '',
  loop: false,
  seconds: 12,
  bars: 4,
  bpm: null,
  key: null,
  energy: null,
  chords: '',
  seed: 0,
  count: 1,
}

export const MOST_SECONDS = 120
export const MOST_BARS = 64
export const MOST_AT_ONCE = 8

/** The body of `POST /api/v1/riffs` or of its loop, for the number `i` of several. */
export function bodyOfWish(wish: Wish, i: number): Record<string, unknown> {
  const { prompt, negative, loop, seconds, bars, bpm, key, energy, chords, seed } = wish
  return {
    prompt: prompt.trim(),
    negative_prompt: negative.trim(),
    bpm,
    key,
    energy,
    chords: chords.trim() || null,
    seed: Math.min(MAX_SEED, seed + i),
    ...(loop ? { bars } : { duration_s: seconds }),
  }
}

/** The wish that a riff was made of, with another seed; what was made of a source is lost. */
export function wishOfRiff(
  riff: { verb: string; prompt: string; settings: Record<string, unknown> },
  seed: number,
): Wish {
  const { settings } = riff
  const number = (name: string): number | null =>
    typeof settings[name] === 'number' ? settings[name] : null
  const text = (name: string): string => (typeof settings[name] === 'string' ? settings[name] : '')
  return {
    ...FIRST_WISH,
    prompt: riff.prompt,
    negative: text('negative_prompt'),
    loop: riff.verb === 'loop',
    seconds: Math.min(MOST_SECONDS, number('duration_s') ?? FIRST_WISH.seconds),
    bars: number('bars') ?? FIRST_WISH.bars,
    bpm: number('bpm'),
    key: text('key') || null,
    energy: number('energy'),
    chords: text('chords'),
    seed,
  }
}
