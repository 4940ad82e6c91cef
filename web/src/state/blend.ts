import type { WeightedPrompt } from '../stream/protocol'

export const MOST_SOUNDS = 4
/** A smaller share is not heard. */
const LEAST_SHARE = 0.02

export interface Point {
  x: number
  y: number
}

/** Where the sounds of a blend stand on its plane, 0 to 1 from the left and from the top. */
const PLACES: Record<number, Point[]> = {
  1: [{ x: 0.5, y: 0.5 }],
  2: [
    { x: 0, y: 0.5 },
    { x: 1, y: 0.5 },
  ],
  3: [
    { x: 0.5, y: 0 },
    { x: 0, y: 1 },
    { x: 1, y: 1 },
  ],
  4: [
    { x: 0, y: 0 },
    { x: 1, y: 0 },
    { x: 0, y: 1 },
    { x: 1, y: 1 },
  ],
}

export const placesOf = (count: number): Point[] => PLACES[count] ?? []

/** Weights that add up to 1; where all are 0, the same for all. */
export function shares(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length))
}

/** Shares of the sounds at a point of the plane: the nearer, the more, and all of it where one stands. */
export function sharesAt(point: Point, count: number): number[] {
  const places = placesOf(count)
  // Between two sounds there is a line, no plane.
  const at = count === 2 ? { x: point.x, y: 0.5 } : point
  const near = places.map(({ x, y }) => Math.hypot(at.x - x, at.y - y))
  const alone = near.findIndex((distance) => distance < 1e-3)
  if (alone >= 0) return places.map((_, i) => (i === alone ? 1 : 0))
  const found = shares(near.map((distance) => 1 / distance ** 2))
  return shares(found.map((share) => (share < LEAST_SHARE ? 0 : share)))
}

/** The point of the plane whose shares are nearest to these; the inverse of `sharesAt`. */
export function pointOf(wanted: readonly number[]): Point {
  const off = (point: Point): number =>
    sharesAt(point, wanted.length).reduce((sum, share, i) => sum + (share - wanted[i]!) ** 2, 0)
  let best = { x: 0.5, y: 0.5 }
  for (let step = 0.25; step > 0.004; step /= 2) {
    for (let moved = true; moved;) {
      moved = false
      for (const [dx, dy] of [
        [step, 0],
        [-step, 0],
        [0, step],
        [0, -step],
      ] as const) {
        const next = {
          x: Math.max(0, Math.min(1, best.x + dx)),
          y: Math.max(0, Math.min(1, best.y + dy)),
        }
        if (off(next) < off(best) - 1e-9) {
          best = next
          moved = true
        }
      }
    }
  }
  return best
}

/** What the server is asked for: sounds with words that can be heard, their weights to a hundredth. */
export function promptsOf(mix: readonly WeightedPrompt[]): WeightedPrompt[] {
  const named = mix.filter(({ text }) => text.trim() !== '')
  const parts = shares(named.map(({ weight }) => weight))
  return named
    .map(({ text }, i) => ({ text: text.trim(), weight: Math.round(100 * parts[i]!) / 100 }))
    .filter(({ weight }) => weight > 0)
}
