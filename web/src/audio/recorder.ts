/** Collects what leaves the outlet into blocks of 16-bit frames; made for the audio thread. */
export class Tape {
  private readonly block: Int16Array
  private readonly channels: number
  private filled = 0
  private first = 0

  /** @param length frames of a block */
  constructor(length: number, channels: number) {
    this.channels = channels
    this.block = new Int16Array(length * channels)
  }

  /**
   * Append what was rendered, `position` being the index of its first frame. Gives the finished
   * block, a copy, when one is full.
   */
  add(out: Float32Array[], from: number, to: number, position: number): TapeBlock | null {
    let done: TapeBlock | null = null
    for (let i = from; i < to; i++) {
      if (this.filled === 0) this.first = position + (i - from)
      for (let c = 0; c < this.channels; c++) {
        const value = Math.max(-1, Math.min(1, out[c]![i]!))
        this.block[this.filled * this.channels + c] = Math.round(value * 32767)
      }
      this.filled += 1
      if (this.filled * this.channels === this.block.length) done = this.flush()
    }
    return done
  }

  /** The part of a block that is there; null if there is none. */
  flush(): TapeBlock | null {
    if (this.filled === 0) return null
    const block = { first: this.first, frames: this.block.slice(0, this.filled * this.channels) }
    this.filled = 0
    return block
  }
}

export interface TapeBlock {
  first: number
  frames: Int16Array
}
