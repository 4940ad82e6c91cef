/** A song as the server's JSON has it, and the changes that a person makes to it. */

export type Energy = number | [number, number]
export type Transition = 'cut' | 'crossfade' | 'riser' | 'fill'

export interface Section {
  name: string
  bars: number
  energy?: Energy
  prompt?: string
  alone?: boolean
  chords?: string
  seed?: number
  like?: string
  vary?: number
  transition?: Transition
  transition_bars?: number
}

export interface Song {
  schema?: number
  title?: string
  bpm: number
  key?: string
  seed?: number
  style?: string
  negative?: string
  section: Section[]
}

/** New values of a section; undefined takes one away. */
export type Changes = { [Name in keyof Section]?: Section[Name] | undefined }

export const MAX_BARS = 64
const BEATS = 4

export const barSeconds = (song: Song): number => (BEATS * 60) / song.bpm

export const totalBars = (song: Song): number =>
  song.section.reduce((sum, { bars }) => sum + bars, 0)

export const songSeconds = (song: Song): number => totalBars(song) * barSeconds(song)

/** Seconds at which each section begins, and the end. */
export function sectionStarts(song: Song): number[] {
  const starts = [0]
  for (const { bars } of song.section) starts.push(starts.at(-1)! + bars * barSeconds(song))
  return starts
}

/** Energy at the beginning and end of a section, also where it takes it from another. */
export function energyOf(song: Song, index: number): [number, number] {
  const section = song.section[index]!
  const { energy, like } = section
  if (energy !== undefined) return typeof energy === 'number' ? [energy, energy] : energy
  const origin = song.section.findIndex(({ name }) => name === like)
  return origin >= 0 && origin < index ? energyOf(song, origin) : [3, 3]
}

/** What a section is, in words: for a screen reader and the list on a phone. */
export function sectionText(song: Song, index: number): string {
  const { name, bars, like, prompt } = song.section[index]!
  const [first, last] = energyOf(song, index)
  const energy = first === last ? `energy ${first}` : `energy ${first} to ${last}`
  const more = [like ? `like ${like}` : '', prompt ?? ''].filter(Boolean)
  return [name, `${bars} ${bars === 1 ? 'bar' : 'bars'}`, energy, ...more].join(', ')
}

const within = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value))

/** A song whose section has other values. */
export function withSection(song: Song, index: number, values: Changes): Song {
  const section = song.section.map((one, i) => {
    if (i !== index) return one
    const next = { ...one, ...values } as Section
    for (const name of Object.keys(next) as (keyof Section)[]) {
      if (next[name] === undefined) delete next[name]
    }
    return next
  })
  const before = song.section[index]!.name
  const name = values.name
  if (name === undefined || name === before) return { ...song, section }
  // What was like it stays like it.
  return { ...song, section: section.map((s) => (s.like === before ? { ...s, like: name } : s)) }
}

export const withBars = (song: Song, index: number, bars: number): Song =>
  withSection(song, index, { bars: within(Math.round(bars), 1, MAX_BARS) })

/** One end of a section's energy moved, in halves. */
export function withEnergy(song: Song, index: number, end: 0 | 1, level: number): Song {
  const energy: [number, number] = [...energyOf(song, index)]
  energy[end] = within(Math.round(2 * level) / 2, 1, 5)
  return withSection(song, index, { energy: energy[0] === energy[1] ? energy[0] : energy })
}

/** Another seed for a section; one that returns is varied fully, else its seed had no say. */
export function rerolled(song: Song, index: number): Song {
  const section = song.section[index]!
  const seed = (section.seed ?? (song.seed ?? 0) + index) + 1000
  return withSection(song, index, section.like ? { seed, vary: 1 } : { seed })
}

/** A section at another place. All keep the seeds that they had by their places: the same music. */
export function moved(song: Song, from: number, to: number): Song {
  const place = within(to, 0, song.section.length - 1)
  if (place === from) return song
  const section = pinned(song)
  const [one] = section.splice(from, 1)
  section.splice(place, 0, one!)
  return mended({ ...song, section })
}

export function removed(song: Song, index: number): Song {
  if (song.section.length < 2) return song
  const section = pinned(song)
  const [gone] = section.splice(index, 1)
  return mended({ ...song, section }, gone)
}

/** The section once more, after itself. */
export function doubled(song: Song, index: number): Song {
  const section = pinned(song)
  const one = section[index]!
  const names = new Set(section.map(({ name }) => name))
  let count = 2
  while (names.has(`${one.name} ${count}`)) count += 1
  section.splice(index + 1, 0, {
    name: `${one.name} ${count}`,
    bars: one.bars,
    like: one.like ?? one.name,
  })
  return { ...song, section }
}

/** Copies of the sections, those that are not like another with a seed of their own. */
function pinned(song: Song): Section[] {
  return song.section.map((one, i) =>
    one.like || one.seed !== undefined ? { ...one } : { ...one, seed: (song.seed ?? 0) + i },
  )
}

/** A section that is like one that does not come before it becomes one of its own, as it was. */
function mended(song: Song, gone?: Section): Song {
  const all = gone ? [...song.section, gone] : song.section
  const earlier = new Set<string>()
  const section = song.section.map((one) => {
    const orphan = one.like !== undefined && !earlier.has(one.like)
    earlier.add(one.name)
    if (!orphan) return one
    const origin = rootOf(all, one)
    const { like: _like, vary: _vary, ...rest } = one
    return { ...described(origin), ...rest, ...(one.vary ? {} : { seed: origin.seed }) } as Section
  })
  return { ...song, section }
}

function rootOf(all: Section[], one: Section, depth = 0): Section {
  const next = all.find(({ name }) => name === one.like)
  return next && depth < all.length ? rootOf(all, next, depth + 1) : one
}

function described({ energy, prompt, alone, chords, seed }: Section): Partial<Section> {
  const known = { energy, prompt, alone, chords, seed }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

/** What was, is and was undone. */
export interface Past {
  before: Song[]
  now: Song
  after: Song[]
}

const STEPS = 100

export const begun = (now: Song): Past => ({ before: [], now, after: [] })

export function changed(past: Past, now: Song): Past {
  if (now === past.now) return past
  return { before: [...past.before, past.now].slice(-STEPS), now, after: [] }
}

export function undone(past: Past): Past {
  const last = past.before.at(-1)
  if (!last) return past
  return { before: past.before.slice(0, -1), now: last, after: [past.now, ...past.after] }
}

export function redone(past: Past): Past {
  const [next, ...after] = past.after
  return next ? { before: [...past.before, past.now], now: next, after } : past
}
