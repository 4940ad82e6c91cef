/** Spectra to samples and back, piece by piece: `sonoriff.sonogram.overlap`. One channel. */
import { realFft } from '../math/fft'
import type { Native, Tables } from './native'

/** Two runs of numbers as one. */
export function joined(a: Float32Array, b: Float32Array): Float32Array {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const result = new Float32Array(a.length + b.length)
  result.set(a)
  result.set(b, a.length)
  return result
}

/** Numbers that wait for their turn. */
export class Queue {
  private waiting = new Float32Array(0)

  append(values: Float32Array): void {
    this.waiting = new Float32Array(joined(this.waiting, values))
  }

  take(count: number): Float32Array {
    const first = this.waiting.slice(0, count)
    this.waiting = this.waiting.slice(count)
    return first
  }
}

/** Weighted overlap-add of frames as they come; gives the samples that no later frame touches. */
export class Synthesis {
  private readonly overlap: number
  private carry: Float32Array
  private readonly power: Float32Array
  private readonly least: number
  private frames = 0

  constructor(
    private readonly native: Native,
    private readonly window: Float32Array,
  ) {
    const { hop, least_window_power: least } = native.numbers
    this.overlap = Math.ceil(window.length / hop)
    this.carry = new Float32Array((this.overlap - 1) * hop)
    this.power = new Float32Array(this.overlap * hop)
    for (let i = 0; i < window.length; i++) this.power[i] = window[i]! * window[i]!
    this.least = least * Math.max(...this.powerOf(0, this.overlap))
  }

  /** Frames of the window's length, one after the other, in; finished samples out. */
  push(frames: Float32Array): Float32Array {
    const { hop } = this.native.numbers
    const win = this.window.length
    const total = this.opened(frames.length / win)
    for (let n = 0; n * win < frames.length; n++) {
      for (let t = 0; t < win; t++) total[n * hop + t]! += this.window[t]! * frames[n * win + t]!
    }
    return this.closed(total)
  }

  /** `push` of the frames of a waveform, each set to its mel values (N, M). */
  pushConsistent(samples: Float32Array, mel: Float32Array, tables: Tables): Float32Array {
    const total = this.opened(mel.length / tables.start.length)
    if (mel.length > 0) {
      const synthesis = tables.window.map((value) => value / this.native.numbers.n_fft)
      this.native.consistencyStep(samples, mel, tables, synthesis, total)
    }
    return this.closed(total)
  }

  /** The samples that only the last frames reach. */
  flush(): Float32Array {
    return this.normalised(this.carry, this.frames, this.frames - 1)
  }

  private opened(frames: number): Float32Array {
    const total = new Float32Array((frames + this.overlap - 1) * this.native.numbers.hop)
    total.set(this.carry)
    return total
  }

  private closed(total: Float32Array): Float32Array {
    const finished = total.length - this.carry.length
    this.carry = total.slice(finished)
    const first = this.frames
    this.frames += finished / this.native.numbers.hop
    return this.normalised(total.subarray(0, finished), first, null)
  }

  private normalised(samples: Float32Array, first: number, last: number | null): Float32Array {
    const { hop } = this.native.numbers
    const result = new Float32Array(samples.length)
    const whole = this.powerOf(0, this.overlap)
    for (let row = 0; row * hop < samples.length; row++) {
      const place = first + row
      const oldest = last === null ? 0 : Math.max(0, place - last)
      const power =
        last === null && place >= this.overlap - 1 ? whole : this.powerOf(oldest, place + 1)
      for (let i = 0; i < hop; i++) {
        result[row * hop + i] = samples[row * hop + i]! / Math.max(power[i]!, this.least)
      }
    }
    return result
  }

  private powerOf(first: number, last: number): Float32Array {
    const { hop } = this.native.numbers
    const sum = new Float32Array(hop)
    for (let part = first; part < Math.min(last, this.overlap); part++) {
      for (let i = 0; i < hop; i++) sum[i]! += this.power[part * hop + i]!
    }
    return sum
  }
}

/** Stretches of samples that hold whole frames; before and after the sound it is silent. */
export class Analysis {
  private waiting = new Float32Array(0)
  private position = 0
  private started = false

  constructor(private readonly native: Native) {}

  push(samples: Float32Array): Float32Array {
    this.waiting = new Float32Array(joined(this.waiting, samples))
    if (!this.started && this.waiting.length >= this.native.numbers.lead) this.start()
    return this.started ? this.stretch() : new Float32Array(0)
  }

  /** The stretch of the last frames of a sound of `frames` hops. */
  flush(samples: Float32Array, frames: number): Float32Array {
    const { hop, win, lead } = this.native.numbers
    const end = lead + frames * hop - this.position
    this.waiting = joined(this.waiting, samples).slice(0, end)
    if (!this.started) this.start()
    const tail = new Float32Array(Math.max(0, win - lead - hop))
    this.waiting = new Float32Array(joined(this.waiting, tail))
    return this.stretch()
  }

  /** Frames of a stretch. */
  frames(stretch: Float32Array): number {
    const { hop, win } = this.native.numbers
    return Math.max(0, Math.floor((stretch.length - win) / hop) + 1)
  }

  private start(): void {
    this.waiting.fill(0, 0, this.native.numbers.lead)
    this.started = true
  }

  private stretch(): Float32Array {
    const { hop, win } = this.native.numbers
    const frames = this.frames(this.waiting)
    const stretch = this.waiting.slice(0, frames ? (frames - 1) * hop + win : 0)
    this.waiting = this.waiting.slice(frames * hop)
    this.position += frames * hop
    return stretch
  }
}

/**
 * A band-limited waveform at the full rate: pieces under a Hann window, which sum to one, are
 * interpolated by a transform each.
 */
export class Upsampling {
  private readonly window: Float32Array
  private waiting: Float32Array
  private carry: Float32Array
  private toSkip: number

  constructor(
    private readonly hop: number,
    private readonly fullHop: number,
    private readonly span: number,
  ) {
    const length = 2 * span * hop
    this.window = Float32Array.from(
      { length },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length),
    )
    // One span of silence comes before the sound, so that two pieces reach all of it.
    this.waiting = new Float32Array(span * hop)
    this.carry = new Float32Array(span * fullHop)
    this.toSkip = span * fullHop
  }

  push(samples: Float32Array): Float32Array {
    if (this.hop === this.fullHop) return samples
    const waiting = joined(this.waiting, samples)
    const apart = this.span * this.hop
    const fullApart = this.span * this.fullHop
    const pieces = Math.max(0, Math.floor(waiting.length / apart) - 1)
    this.waiting = waiting.slice(pieces * apart)
    const finished = new Float32Array(pieces * fullApart)
    for (let piece = 0; piece < pieces; piece++) {
      const part = waiting.subarray(piece * apart, (piece + 2) * apart)
      const full = this.interpolated(part.map((value, i) => value * this.window[i]!))
      for (let i = 0; i < fullApart; i++) {
        finished[piece * fullApart + i] = this.carry[i]! + full[i]!
      }
      this.carry = full.slice(fullApart)
    }
    const skipped = Math.min(this.toSkip, finished.length)
    this.toSkip -= skipped
    return finished.subarray(skipped)
  }

  /** The rest of the sound, and silence. */
  flush(): Float32Array {
    return this.push(new Float32Array(this.hop === this.fullHop ? 0 : 3 * this.span * this.hop))
  }

  private interpolated(piece: Float32Array): Float32Array {
    const [narrow, wide] = [realFft(piece.length), realFft(2 * this.span * this.fullHop)]
    narrow.forward(piece)
    wide.re.fill(0)
    wide.im.fill(0)
    for (let k = 0; k < narrow.bins - 1; k++) {
      wide.re[k] = (narrow.re[k]! * wide.n) / narrow.n
      wide.im[k] = (narrow.im[k]! * wide.n) / narrow.n
    }
    return Float32Array.from(wide.inverse())
  }
}
