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
    const mono = this.channels === 2 && this.blocks.every(isMono)
    const blocks = mono
      ? this.blocks.map((block) => block.filter((_, i) => i % 2 === 0))
      : this.blocks
    return {
      wav: wavFile(blocks, mono ? 1 : this.channels, this.sampleRate),
      seconds: this.frames / this.sampleRate,
      stretches: this.stretches,
    }
  }
}

/** Whether both channels of interleaved frames are the same. */
function isMono(block: Int16Array): boolean {
  for (let i = 0; i < block.length; i += 2) if (block[i] !== block[i + 1]) return false
  return true
}
