import { describe, expect, test } from 'vitest'
import { fragmentFromPlan, planFromFragment } from '../src/songs/fragment'
import {
  begun,
  changed,
  doubled,
  energyOf,
  moved,
  redone,
  removed,
  rerolled,
  sectionStarts,
  sectionText,
  type Song,
  undone,
  withBars,
  withEnergy,
  withSection,
} from '../src/songs/song'

const SONG: Song = {
  bpm: 120,
  seed: 7,
  section: [
    { name: 'verse', bars: 4, energy: 2, prompt: 'piano' },
    { name: 'chorus', bars: 8, energy: [3, 5] },
    { name: 'verse 2', bars: 4, like: 'verse' },
  ],
}

describe('a song', () => {
  test('knows its places and says what it is', () => {
    expect(sectionStarts(SONG)).toEqual([0, 8, 24, 32])
    expect(energyOf(SONG, 2)).toEqual([2, 2])
    expect(sectionText(SONG, 1)).toBe('chorus, 8 bars, energy 3 to 5')
    expect(sectionText(SONG, 2)).toBe('verse 2, 4 bars, energy 2, like verse')
  })

  test('is changed section by section', () => {
    expect(withBars(SONG, 0, 1000).section[0]!.bars).toBe(64)
    expect(withBars(SONG, 0, -3).section[0]!.bars).toBe(1)
    expect(withEnergy(SONG, 0, 1, 3.3).section[0]!.energy).toEqual([2, 3.5])
    expect(withEnergy(SONG, 1, 0, 9).section[1]!.energy).toBe(5)
    expect('prompt' in withSection(SONG, 0, { prompt: undefined }).section[0]!).toBe(false)
    expect(SONG.section[0]!.bars).toBe(4)
  })

  test('keeps returns when a section is renamed', () => {
    expect(withSection(SONG, 0, { name: 'A' }).section[2]!.like).toBe('A')
  })

  test('keeps its music when sections move, and comes back', () => {
    const there = moved(SONG, 0, 1)
    expect(there.section.map(({ name }) => name)).toEqual(['chorus', 'verse', 'verse 2'])
    expect(there.section.map(({ seed }) => seed)).toEqual([8, 7, undefined])
    const back = moved(there, 1, 0)
    expect(back.section.map(({ name }) => name)).toEqual(['verse', 'chorus', 'verse 2'])
    expect(back.section.map(({ seed }) => seed)).toEqual([7, 8, undefined])
    expect(moved(SONG, 0, 0)).toBe(SONG)
  })

  test('has no return before what returns', () => {
    const first = moved(SONG, 2, 0).section
    expect(first[0]).toEqual({ name: 'verse 2', bars: 4, energy: 2, prompt: 'piano', seed: 7 })
    const alone = removed(SONG, 0).section
    expect(alone[1]).toEqual({ name: 'verse 2', bars: 4, energy: 2, prompt: 'piano', seed: 7 })
    expect(removed({ ...SONG, section: [SONG.section[0]!] }, 0).section).toHaveLength(1)
  })

  test('repeats a section under a name of its own', () => {
    const names = doubled(doubled(SONG, 0), 0).section.map(({ name }) => name)
    expect(names).toHaveLength(5)
    expect(new Set(names).size).toBe(names.length)
    expect(doubled(SONG, 2).section[3]!.like).toBe('verse')
  })

  test('rerolls a section, a return fully', () => {
    expect(rerolled(SONG, 1).section[1]!.seed).toBe(1008)
    expect(rerolled(SONG, 2).section[2]).toMatchObject({ seed: 1009, vary: 1 })
  })
})

test('changes are undone and done again', () => {
  const longer = withBars(SONG, 0, 8)
  const past = changed(begun(SONG), longer)
  expect(undone(past).now).toBe(SONG)
  expect(redone(undone(past)).now).toBe(longer)
  expect(redone(past)).toBe(past)
  expect(undone(begun(SONG)).now).toBe(SONG)
  expect(changed(undone(past), withBars(SONG, 1, 2)).after).toEqual([])
})

describe('a link', () => {
  test('carries a plan', async () => {
    const plan = `title = "Ünïcode"\n${'[[section]]\nname = "A"\nbars = 8\n'.repeat(40)}`
    const fragment = await fragmentFromPlan(plan)
    expect(fragment).toMatch(/^#song=[\w-]+$/)
    expect(fragment.length).toBeLessThan(300)
    expect(await planFromFragment(fragment)).toBe(plan)
  })

  test('that is damaged carries none', async () => {
    for (const bad of [
      '',
      '#song=',
      '#song=%%%',
      '#song=AAAA',
      '#other',
      `#song=${'A'.repeat(300_000)}`,
    ]) {
      expect(await planFromFragment(bad)).toBeNull()
    }
    const bomb = await fragmentFromPlan('a'.repeat(10_000_000))
    expect(await planFromFragment(bomb)).toBeNull()
  })
})
