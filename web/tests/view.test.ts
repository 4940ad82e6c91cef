import { expect, test } from 'vitest'
import { streamFrame } from '../src/sonogram/view'

/** Columns seen beyond the playhead, and all. */
function columns(width: number): [number, number] {
  const { left, span, head } = streamFrame(width, 5000, true, false)
  return [left + span - head, span]
}

test('what comes has its part of a narrow screen', () => {
  for (const width of [360, 880]) {
    const [coming, span] = columns(width)
    expect(coming / span).toBeCloseTo(0.28)
  }
})

test('a wide screen shows no more of it than the two seconds that are there', () => {
  for (const width of [1200, 2160, 3840]) expect(columns(width)[0]).toBeCloseTo(170)
})
