/** Windows over long and circular grids: `sonoriff.pipeline.tiling`. */
import { Grid, range, roundEven } from './grid'

/** Columns of each window, in the order in which they sound. */
export function windowColumns(
  width: number,
  window: number,
  overlap: number,
  circular: boolean,
): number[][] {
  if (!circular) {
    const starts = windowStarts(width, window, overlap)
    return starts.map((start) => range(start, Math.min(start + window, width)))
  }
  const size = Math.min(window, width)
  const step = Math.max(1, size - Math.max(overlap, Math.floor(size / 2)))
  const count = Math.max(2, Math.ceil(width / step))
  return range(0, count).map((i) => {
    const start = roundEven((i * width) / count)
    return range(0, size).map((k) => (k + start) % width)
  })
}

function windowStarts(width: number, window: number, overlap: number): number[] {
  if (width <= window) return [0]
  const count = Math.ceil((width - overlap) / (window - overlap))
  return range(0, count).map((i) => roundEven((i * (width - window)) / (count - 1)))
}

/** Weights of a window: rise and fall over `overlap`, never zero. */
function fade(window: number, overlap: number): Float32Array {
  const length = Math.min(overlap, window)
  const weights = new Float32Array(window).fill(1)
  const ramp = Float32Array.from({ length }, (_, i) => (i + 0.5) / Math.max(1, length))
  weights.set(ramp)
  for (let i = 0; i < length; i++) {
    const place = window - 1 - i
    weights[place] = Math.min(weights[place]!, ramp[i]!)
  }
  return weights
}

/**
 * Windows as one grid, faded into each other.
 *
 * Bar-Tal et al., MultiDiffusion (2023).
 */
export function merged(parts: Grid[], columns: number[][], width: number, overlap: number): Grid {
  const [first] = parts as [Grid]
  if (parts.length === 1 && columns[0]!.length === width) return first
  const total = new Grid(first.channels, first.rows, width)
  const weight = new Float32Array(width)
  parts.forEach((part, n) => {
    const places = columns[n]!
    const weights = fade(places.length, overlap)
    places.forEach((place, i) => {
      weight[place]! += weights[i]!
      for (let line = 0; line < part.channels * part.rows; line++) {
        total.data[line * width + place]! += part.data[line * part.width + i]! * weights[i]!
      }
    })
  })
  for (let i = 0; i < total.data.length; i++) total.data[i]! /= weight[i % width]!
  return total
}
