import { wavFile } from '../riffs/wav'
import type { Recording } from './messages'

/** A recording as it grows: blocks of 16-bit frames and where in the signal they lie. */
export class Reel {
  private readonly blocks: Int16Array[] = []
  private readonly stretches: Recording['stretches'] = []
  private readonly sampleRate: number
  private channels = 1
  private frames = 0

  constructor(sampleRate: number) {
    this.sampleRate = sampleRate
  }

  add(source: number, first: number, frames: Int16Array, channels: number): void {
    const count = frames.length / channels
    this.channels = channels
    this.blocks.push(frames)
    this.frames += count
    const last = this.stretches.at(-1)
    if (last?.source === source && last.end === first) last.end += count
    else this.stretches.push({ source, first, end: first + count })
  }

  finish(): Recording {
    return {
      wav: wavFile(this.blocks, this.channels, this.sampleRate),
      seconds: this.frames / this.sampleRate,
      stretches: this.stretches,
    }
  }
}
