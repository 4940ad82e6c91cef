import type { StreamWindow } from '../stream/protocol'

const KEEP = 500

/** The windows of one signal, in order. */
export class Windows {
  private list: StreamWindow[] = []

  /** Add one; after a reconnection those that come again replace themselves. */
  add(window: StreamWindow): void {
    this.list = this.list.filter((known) => known.first_sample < window.first_sample)
    this.list.push(window)
    if (this.list.length > KEEP) this.list.shift()
  }

  /** The one that a sample lies in. */
  at(sample: number): StreamWindow | null {
    for (let i = this.list.length - 1; i >= 0; i--) {
      const window = this.list[i]!
      if (sample >= window.first_sample) return sample < window.end_sample ? window : null
    }
    return null
  }

  /** Those that begin in [from, to) with another scene than the one before: where music turns. */
  turns(from: number, to: number): StreamWindow[] {
    return this.list.filter((window, i) => {
      const before = this.list[i - 1]
      const turned = before !== undefined && text(before) !== text(window)
      return turned && window.first_sample >= from && window.first_sample < to
    })
  }
}

const text = (window: StreamWindow): string => JSON.stringify(window.scene.prompts)
