/** A grid of latents or a picture, (channels, rows, width), the width innermost. */
export class Grid {
  readonly data: Float32Array<ArrayBuffer>

  constructor(
    readonly channels: number,
    readonly rows: number,
    readonly width: number,
    data?: Float32Array<ArrayBuffer>,
  ) {
    this.data = data ?? new Float32Array(channels * rows * width)
  }

  /** Columns in any order, repeated where they come again. */
  columns(places: ArrayLike<number>): Grid {
    const { channels, rows, width, data } = this
    const result = new Grid(channels, rows, places.length)
    for (let line = 0; line < channels * rows; line++) {
      for (let i = 0; i < places.length; i++) {
        result.data[line * places.length + i] = data[line * width + places[i]!]!
      }
    }
    return result
  }

  /** Columns [first, last). */
  slice(first: number, last = this.width): Grid {
    const { channels, rows, width, data } = this
    const count = Math.max(0, Math.min(last, width) - first)
    const result = new Grid(channels, rows, count)
    for (let line = 0; line < channels * rows; line++) {
      const from = line * width + first
      result.data.set(data.subarray(from, from + count), line * count)
    }
    return result
  }

  /** A value for each place, of this grid's and another's, whose channels may be one. */
  map(change: (value: number, place: number) => number): Grid {
    const { channels, rows, width, data } = this
    const result = new Grid(channels, rows, width)
    for (let i = 0; i < data.length; i++) result.data[i] = change(data[i]!, i)
    return result
  }

  /** Grids one after the other. */
  static joined(parts: Grid[]): Grid {
    const { channels, rows } = parts[0]!
    const width = parts.reduce((sum, part) => sum + part.width, 0)
    const result = new Grid(channels, rows, width)
    let first = 0
    for (const part of parts) {
      for (let line = 0; line < channels * rows; line++) {
        const from = line * part.width
        result.data.set(part.data.subarray(from, from + part.width), line * width + first)
      }
      first += part.width
    }
    return result
  }
}

/** Whole numbers from `first` up to `last`. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i)

/** The remainder that is never negative. */
export const modulo = (a: number, b: number): number => ((a % b) + b) % b

/** Rounding as Python has it: halves to the even neighbour. */
export function roundEven(x: number): number {
  const below = Math.floor(x)
  const part = x - below
  if (part !== 0.5) return part < 0.5 ? below : below + 1
  return below % 2 === 0 ? below : below + 1
}
