/** The twelve notes as major and as minor keys are written: the spelling with fewer signs. */
const MAJOR = ['C', 'Db', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'Ab', 'A', 'Bb', 'B']
const MINOR = ['C', 'C#', 'D', 'Eb', 'E', 'F', 'F#', 'G', 'G#', 'A', 'Bb', 'B']
const STEPS: Record<string, number> = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 }
const SIGNS: Record<string, number> = { '': 0, '#': 1, '♯': 1, b: -1, '♭': -1 }

/** All 24 keys, as the server reads them. */
export const KEYS: readonly string[] = MAJOR.flatMap((name, i) => [
  `${name} major`,
  `${MINOR[i]!} minor`,
])

/** The key of `KEYS` that a text names, however it is spelled; null where it names none. */
export function keyNamed(text: string): string | null {
  const match = /^([A-G])(#|b|♯|♭)? (major|minor)$/i.exec(text.trim())
  if (!match) return null
  const [, letter, sign, mode] = match
  const step = STEPS[letter!.toUpperCase()]! + SIGNS[(sign ?? '').toLowerCase()]! + 12
  const major = mode!.toLowerCase() === 'major'
  return `${(major ? MAJOR : MINOR)[step % 12]!} ${major ? 'major' : 'minor'}`
}

/** A key for people: "B♭ major". What is no key is shown as it is. */
export function keyShown(text: string): string {
  const name = keyNamed(text)
  return name ? name.replace(/^(.)#/, '$1♯').replace(/^(.)b/, '$1♭') : text
}

export type KeyMode = 'major' | 'minor'

/** The twelve roots of each mode, as the server reads the keys and as people read the roots. */
export const ROOTS: Record<KeyMode, { key: string; shown: string }[]> = {
  major: MAJOR.map((name) => ({ key: `${name} major`, shown: signs(name) })),
  minor: MINOR.map((name) => ({ key: `${name} minor`, shown: signs(name) })),
}

/** Root, 0 to 11, and mode of a key of `KEYS`; no root where there is no key. */
export function keyParts(key: string | null): { root: number | null; mode: KeyMode } {
  const name = keyNamed(key ?? '')
  if (name === null) return { root: null, mode: 'major' }
  const mode = name.endsWith('minor') ? 'minor' : 'major'
  return { root: ROOTS[mode].findIndex((one) => one.key === name), mode }
}

function signs(name: string): string {
  return name.replace('#', '♯').replace(/^(.)b/, '$1♭')
}
