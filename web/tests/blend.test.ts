import { expect, test } from 'vitest'
import { placesOf, pointOf, promptsOf, shares, sharesAt } from '../src/state/blend'

test.each([2, 3, 4])('on the plane of %i sounds each is alone where it stands', (count) => {
  placesOf(count).forEach((place, i) => {
    expect(sharesAt(place, count)).toEqual(Array.from({ length: count }, (_, k) => +(k === i)))
  })
})

test.each([2, 3, 4])('the point of shares has these shares, %i sounds', (count) => {
  for (const [x, y] of [
    [0.5, 0.5],
    [0.2, 0.5],
    [0.7, 0.3],
  ] as const) {
    const wanted = sharesAt({ x, y: count === 2 ? 0.5 : y }, count)
    const found = sharesAt(pointOf(wanted), count)
    found.forEach((share, i) => expect(share).toBeCloseTo(wanted[i]!, 1))
    expect(found.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9)
  }
})

test('in the middle of two sounds both are heard alike, nearer to one more of it', () => {
  expect(sharesAt({ x: 0.5, y: 0.5 }, 2)).toEqual([0.5, 0.5])
  const [left, right] = sharesAt({ x: 0.25, y: 0.5 }, 2)
  expect(left! / right!).toBeCloseTo(9, 6)
})

test('two sounds have a line between them: how high the point is does not matter', () => {
  expect(sharesAt({ x: 1, y: 0 }, 2)).toEqual([0, 1])
  expect(sharesAt({ x: 0.25, y: 0.9 }, 2)).toEqual(sharesAt({ x: 0.25, y: 0.5 }, 2))
})

test('weights add up to one, also where there are none', () => {
  expect(shares([1, 3])).toEqual([0.25, 0.75])
  expect(shares([0, 0])).toEqual([0.5, 0.5])
})

test('what has no words or no weight is not asked for', () => {
  const mix = [
    { text: ' organ ', weight: 2 },
    { text: '', weight: 5 },
    { text: 'flute', weight: 0 },
    { text: 'choir', weight: 6 },
  ]
  expect(promptsOf(mix)).toEqual([
    { text: 'organ', weight: 0.25 },
    { text: 'choir', weight: 0.75 },
  ])
})
