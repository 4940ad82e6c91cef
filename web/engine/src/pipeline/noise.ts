/** Seeded noise: `sonoriff.pipeline.noise`. */
import { normalNoise } from '../math/random'
import type { About } from '../model/about'
import { Grid } from './grid'

const MOSTLY_PARALLEL = 0.9995

/** Normal noise, drawn column by column, so that a longer grid begins with the shorter one. */
export function noiseGrid({ latents }: About, width: number, seed: number | bigint): Grid {
  const lines = latents.channels * latents.rows
  const drawn = normalNoise(seed, width * lines)
  const grid = new Grid(latents.channels, latents.rows, width)
  for (let column = 0; column < width; column++) {
    for (let line = 0; line < lines; line++) {
      grid.data[line * width + column] = drawn[column * lines + line]!
    }
  }
  return grid
}

/**
 * Between two noises along the sphere; share 0 is `a` itself, 1 is `b`.
 *
 * Shoemake, Animating Rotation with Quaternion Curves (1985).
 */
export function slerp(a: Grid, b: Grid, share: number): Grid {
  if (share === 0 || share === 1) return share === 0 ? a : b
  let [product, first, second] = [0, 0, 0]
  for (let i = 0; i < a.data.length; i++) {
    const [x, y] = [a.data[i]!, b.data[i]!]
    product += x * y
    first += x * x
    second += y * y
  }
  const cosine = product / Math.max(Math.sqrt(first) * Math.sqrt(second), 1e-12)
  if (Math.abs(cosine) > MOSTLY_PARALLEL) return a.map((x, i) => x + share * (b.data[i]! - x))
  const angle = Math.acos(cosine)
  const [before, after] = [1 - share, share].map((s) => Math.sin(s * angle) / Math.sin(angle))
  return a.map((x, i) => before! * x + after! * b.data[i]!)
}
