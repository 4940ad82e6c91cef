/** Chord names and progressions: `sonoriff.analysis.chords`. */
import { ParameterError } from '../errors'
import { BEATS_PER_BAR, SCALES, KEYS } from './music'

/** Width of a chord's vector: twelve roots, and twelve notes. */
export const CHORD_WIDTH = 24
const MAX_CHORDS = 128
const MAX_BARS = 16
const LETTERS: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }
const SIGNS: Record<string, number> = { '': 0, '#': 1, '♯': 1, b: -1, '♭': -1 }
/** Chords borrow a note now and then. */
const FITTING = 0.7
/** Semitones above the root, by chord symbols. */
const QUALITIES = new Map<string, number[]>(
  (
    [
      ['maj M', [0, 4, 7]],
      ['m min -', [0, 3, 7]],
      ['7 dom7', [0, 4, 7, 10]],
      ['maj7 M7', [0, 4, 7, 11]],
      ['m7 min7 -7', [0, 3, 7, 10]],
      ['dim °', [0, 3, 6]],
      ['dim7 °7', [0, 3, 6, 9]],
      ['m7b5', [0, 3, 6, 10]],
      ['aug +', [0, 4, 8]],
      ['sus2', [0, 2, 7]],
      ['sus4 sus', [0, 5, 7]],
      ['5', [0, 7]],
      ['6', [0, 4, 7, 9]],
      ['m6', [0, 3, 7, 9]],
      ['9', [0, 2, 4, 7, 10]],
      ['add9', [0, 2, 4, 7]],
      ['m9', [0, 2, 3, 7, 10]],
    ] as [string, number[]][]
  ).flatMap(([names, steps]) => names.split(' ').map((name) => [name, steps] as const)),
).set('', [0, 4, 7])

export interface Chord {
  root: number
  tones: number[]
}

/** The chord of a name such as "Am", "F#m7", "G/B"; a ParameterError for what is none. */
export function parseChord(name: string): Chord {
  const match = /^([A-G])([#♯b♭]?)([^/\s]*)(?:\/([A-G])([#♯b♭]?))?$/.exec(name)
  const steps = match && QUALITIES.get(match[3]!)
  if (!match || !steps) {
    const known = [...QUALITIES.keys()].filter(Boolean).join(', ')
    throw new ParameterError(
      `'${name}' is no chord: expected a letter from A to G, # or b, and one of ${known}`,
    )
  }
  const note = (letter: string, sign = '') => (LETTERS[letter]! + SIGNS[sign]! + 12) % 12
  const root = note(match[1]!, match[2])
  const tones = new Set(steps.map((step) => (root + step) % 12))
  if (match[4]) tones.add(note(match[4], match[5]))
  return { root, tones: [...tones].sort((a, b) => a - b) }
}

/** The chord of each beat of "Am F C G" or "Am:2 F": a bar each, or as many as are said. */
export function parseProgression(text: string): Chord[] {
  const names = text.split(/[\s,|]+|\s+-\s+/).filter((name) => name && name !== '-')
  if (names.length === 0) throw new ParameterError('a progression is one chord or more: Am F C G')
  if (names.length > MAX_CHORDS) {
    throw new ParameterError(`at most ${MAX_CHORDS} chords, got ${names.length}`)
  }
  return names.flatMap((name) => {
    const [chord, bars = '1', ...rest] = name.split(':')
    if (rest.length > 0 || !/^\d{1,2}$/.test(bars) || +bars < 1 || +bars > MAX_BARS) {
      throw new ParameterError(
        `'${name}': behind a colon stands how many bars a chord lasts, 1 to ${MAX_BARS}`,
      )
    }
    const parsed = parseChord(chord!)
    return Array.from({ length: Number(bars) * BEATS_PER_BAR }, () => parsed)
  })
}

/** 1 for the root among the first twelve notes and for the tones behind. */
export function chordVector({ root, tones }: Chord): Float32Array {
  const vector = new Float32Array(CHORD_WIDTH)
  for (const place of [root, ...tones.map((tone) => 12 + tone)]) vector[place] = 1
  return vector
}

/** Whether most notes of the chords belong to a key. */
export function chordsFit(beats: Chord[], key: string, mode: string | null): boolean {
  const notes = beats.flatMap(({ tones }) => tones)
  const tonic = KEYS.indexOf(key)
  const scales = mode ? [SCALES[mode]!] : Object.values(SCALES)
  const inside = scales.map(
    (scale) => notes.filter((note) => scale.includes((note - tonic + 12) % 12)).length,
  )
  return Math.max(...inside) > FITTING * notes.length
}
