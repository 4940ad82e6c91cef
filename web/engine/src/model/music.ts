/** Keys, tempi and bars: `sonoriff.music` and `sonoriff.pipeline.prompt`. */
import { ParameterError } from '../errors'

export const KEYS = ['C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B']
/** Semitones above the tonic; minor has both of its sevenths. */
export const SCALES: Record<string, number[]> = {
  major: [0, 2, 4, 5, 7, 9, 11],
  minor: [0, 2, 3, 5, 7, 8, 10, 11],
}
export const MIN_BPM = 20
export const MAX_BPM = 400
export const STREAM_MIN_BPM = 30
export const STREAM_MAX_BPM = 300
export const USUAL_BPM = 120
/** What is painted: as played, not as a synthesiser has it. */
export const USUAL_KIND = 'recorded'
export const BEATS_PER_BAR = 4

/** Tonic and mode, such as ("D", "minor"); the mode may be unknown. */
export type Key = [string, string | null]

const SIGN = '[#♯b♭]|[sS][hH][aA][rR][pP]|[fF][lL][aA][tT]'
const MODE = '[mM][aA][jJ][oO][rR]|[mM][iI][nN][oO][rR]'
const SHORT = '[mM][iI][nN]|[mM][aA][jJ]'
// A small note would make a key of "in a minor role".
const KEY_IN_WORDS = new RegExp(
  `(?<![\\p{L}\\p{N}_])[iI][nN]\\s+([A-G])(?:[\\s-]*(${SIGN}))?[\\s-]*(${MODE})(?![\\p{L}\\p{N}_])`,
  'u',
)
const NAME = new RegExp(
  `^\\s*([A-Ga-g])(?:[\\s-]*(${SIGN}))?(?:[\\s-]*(${MODE}|${SHORT}|m))?\\s*$`,
  'u',
)
const BPM = /(?<![\p{L}\p{N}_.])(\p{Nd}{2,3}(?:\.\p{Nd}+)?)[\s-]*[bB][pP][mM](?![\p{L}\p{N}_])/u
const SIGNS: Record<string, string> = {
  ...{ '': '', '#': '#', '♯': '#', sharp: '#', b: 'b', '♭': 'b', flat: 'b' },
}
const NAMES: Record<string, string> = {
  ...{ Db: 'C#', Eb: 'D#', Fb: 'E', Gb: 'F#', Ab: 'G#', Bb: 'A#', Cb: 'B', 'E#': 'F', 'B#': 'C' },
}

/** Key and mode of "Bb minor", "a♯ Minor" or "Bbm"; the mode may be missing. */
export function parseKey(text: string): Key {
  const match = NAME.exec(text)
  if (!match) {
    throw new ParameterError(`a key is a letter and a mode, like 'D minor' or 'Bb', got '${text}'`)
  }
  return keyOfParts(match[1]!, match[2], match[3])
}

/** The key that a prompt's words name ("in D minor"), or null. */
export function keyInPrompt(prompt: string): Key | null {
  const match = KEY_IN_WORDS.exec(prompt)
  return match ? keyOfParts(match[1]!, match[2], match[3]) : null
}

/** The tempo that a prompt's words name ("techno, 132 bpm"), or null. */
export function bpmInPrompt(prompt: string): number | null {
  const match = BPM.exec(prompt)
  const bpm = match ? Number(match[1]) : NaN
  return bpm >= MIN_BPM && bpm <= MAX_BPM ? bpm : null
}

function keyOfParts(letter: string, sign: string | undefined, said: string | undefined): Key {
  const name = letter.toUpperCase() + SIGNS[(sign ?? '').toLowerCase()]!
  const known = NAMES[name] ?? name
  if (said === undefined) return [known, null]
  return [known, said.toLowerCase().startsWith('maj') ? 'major' : 'minor']
}
