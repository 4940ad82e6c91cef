/** Seeded noise: `sonoriff.pipeline.noise`. */
import { normalNoise } from '../math/random'
import type { About } from '../model/about'
import { Grid } from './grid'

const MOSTLY_PARALLEL = 0.9995
// What the seed of pan and width differs in from that of the music.
const SIDE_SEED = 0x5eed51den

/**
 * Normal noise, drawn column by column, so that a longer grid begins with the shorter one; that of
 * pan and width by itself.
 */
export function noiseGrid({ latents }: About, width: number, seed: number | bigint): Grid {
  const { channels, sides, rows } = latents
  const grid = new Grid(channels, rows, width)
  const middle = (channels - sides) * rows
  fill(grid.data.subarray(0, middle * width), width, seed)
  if (sides > 0) fill(grid.data.subarray(middle * width), width, BigInt(seed) ^ SIDE_SEED)
  return grid
}

function fill(lines: Float32Array, width: number, seed: number | bigint): void {
  const count = lines.length / width
  const drawn = normalNoise(seed, lines.length)
  for (let column = 0; column < width; column++) {
    for (let line = 0; line < count; line++) {
      lines[line * width + column] = drawn[column * count + line]!
    }
  }
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
