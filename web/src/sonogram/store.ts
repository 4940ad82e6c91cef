import type { Format } from './format'

/** Columns that are remembered: six minutes of the usual format. */
const CAPACITY = 1 << 15

/**
 * The columns of one signal by their number; the oldest give way. Column k begins at sample
 * k * hopLength.
 */
export class ColumnStore {
  readonly format: Format
  readonly capacity = CAPACITY
  /** First column that is there. */
  first = 0
  /** One past the last column that is there. */
  end = 0
  private readonly levels: Uint8Array

  constructor(format: Format) {
    this.format = format
    this.levels = new Uint8Array(CAPACITY * format.nMels)
  }

  /** Columns from `first` on; several channels are averaged. Those already there are kept. */
  add(first: number, count: number, levels: Uint8Array): void {
    const { nMels } = this.format
    const channels = levels.length / (count * nMels)
    if (this.end === this.first || first > this.end) this.first = this.end = first
    for (let i = Math.max(0, this.end - first); i < count; i++) {
      const at = (this.end % CAPACITY) * nMels
      const from = i * channels * nMels
      for (let m = 0; m < nMels; m++) {
        let sum = 0
        for (let c = 0; c < channels; c++) sum += levels[from + c * nMels + m]!
        this.levels[at + m] = sum / channels
      }
      this.end += 1
    }
    this.first = Math.max(this.first, this.end - CAPACITY)
  }

  /** One column, low frequencies first; null if it is not there. */
  column(k: number): Uint8Array | null {
    if (k < this.first || k >= this.end) return null
    const at = (k % CAPACITY) * this.format.nMels
    return this.levels.subarray(at, at + this.format.nMels)
  }

  /** Level at a column and row, 0 where nothing is. */
  level(k: number, row: number): number {
    return this.column(k)?.[row] ?? 0
  }

  /** Runs of columns that lie side by side in memory, covering [from, to). */
  *runs(from: number, to: number): Generator<{ first: number; count: number; levels: Uint8Array }> {
    const { nMels } = this.format
    let k = Math.max(from, this.first)
    const end = Math.min(to, this.end)
    while (k < end) {
      const slot = k % CAPACITY
      const count = Math.min(end - k, CAPACITY - slot)
      const levels = this.levels.subarray(slot * nMels, (slot + count) * nMels)
      yield { first: k, count, levels }
      k += count
    }
  }

  /** Column number, with its fraction, at a sample. */
  columnAt(sample: number): number {
    return sample / this.format.hopLength
  }
}
