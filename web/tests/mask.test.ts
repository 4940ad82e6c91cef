import { expect, test } from 'vitest'
import {
  EMPTY,
  redone,
  snapped,
  undone,
  withLast,
  withStroke,
  type Stroke,
} from '../src/state/mask'
import { bodyOfWish, FIRST_WISH, wishOfRiff } from '../src/state/wish'

const box = (x: number): Stroke => ({
  kind: 'box',
  from: { x: 0, y: 0 },
  to: { x, y: 1 },
  erase: false,
})

test('strokes are undone and done again, until another is painted', () => {
  const two = withStroke(withStroke(EMPTY, box(0.1)), box(0.2))
  expect(undone(undone(undone(two))).count).toBe(0)
  expect(redone(redone(undone(two))).count).toBe(2)
  const other = withStroke(undone(two), box(0.3))
  expect(other.strokes).toEqual([box(0.1), box(0.3)])
  expect(redone(other)).toEqual(other)
  expect(withLast(two, box(0.9)).strokes).toEqual([box(0.1), box(0.9)])
})

test('a place snaps to the nearest bar', () => {
  expect(snapped(0.3, 0.25)).toBe(0.25)
  expect(snapped(0.99, 0.3)).toBeCloseTo(0.9, 9)
  expect(snapped(0.3, null)).toBe(0.3)
})

test('a wish asks for seconds or for bars, and each riff of several for its own seed', () => {
  const wish = { ...FIRST_WISH, prompt: ' dub ', seed: 7, chords: ' ', bars: 2 }
  expect(bodyOfWish(wish, 2)).toMatchObject({
    prompt: 'dub',
    seed: 9,
    duration_s: 12,
    chords: null,
  })
  expect(bodyOfWish({ ...wish, loop: true }, 0)).toMatchObject({ bars: 2, seed: 7 })
  expect(bodyOfWish({ ...wish, loop: true }, 0)).not.toHaveProperty('duration_s')
})

test('more like a riff is its own wish with another seed', () => {
  const settings = {
    bpm: 90,
    key: 'A minor',
    bars: 2,
    negative_prompt: 'drums',
    seed: 1,
    energy: 4,
  }
  const wish = wishOfRiff({ verb: 'loop', prompt: 'dub', settings }, 5)
  expect(wish).toMatchObject({ prompt: 'dub', loop: true, bars: 2, bpm: 90, key: 'A minor' })
  expect(wish).toMatchObject({ negative: 'drums', energy: 4, seed: 5, count: 1 })
  const foreign = { bpm: 'x', key: 3, energy: null }
  expect(wishOfRiff({ verb: 'remix', prompt: '', settings: foreign }, 5)).toMatchObject({
    bpm: null,
    key: null,
    energy: null,
    loop: false,
  })
})
