/** Columns in, samples out, one block at a time: `sonoriff.sonogram.streaming`. */
import { ParameterError } from '../errors'
import { realFft } from '../math/fft'
import { pcgState } from '../math/random'
import type { SonogramParams } from '../model/about'
import type { Grid } from '../pipeline/grid'
import { Shared, type Native, type Tables } from './native'
import { Analysis, joined, Queue, Synthesis, Upsampling } from './overlap'
import { phaseFromMagnitude } from './phase'

const EMPTY: Float32Array = new Float32Array(0)

/** What travels from one step to the next; numbers of each channel. */
interface Signal {
  samples: Float32Array[]
  /** The waveform one step ago; null after the start. */
  earlier: Float32Array[] | null
  /** (n, M) of the columns that `samples` was made of. */
  mel: Float32Array[]
}

/** Mel values to a first waveform; one column of look-ahead. */
class PhaseStart {
  private readonly random: BigUint64Array
  private readonly synthesis: Synthesis[]
  private mel: Float32Array[] | null = null
  private magnitude: Float32Array[] | null = null
  private phase: Float32Array | null = null
  private readonly bins: number
  /** From the centre of the window to its first sample, for each bin. */
  private readonly shifts: Float32Array

  constructor(
    private readonly native: Native,
    private readonly tables: TablesOf,
    channels: number,
    seed: number,
  ) {
    const { n_fft: nFft, win } = native.numbers
    this.bins = 1 + nFft / 2
    this.shifts = Float32Array.from(
      { length: this.bins },
      (_, f) => ((2 * Math.PI * f * (win / 2)) / nFft) % (2 * Math.PI),
    )
    this.random = pcgState(seed)
    this.synthesis = times(channels, () => new Synthesis(native, tables.decode.window))
  }

  push(given: Float32Array[], last: boolean): Signal {
    const { bins } = this
    const bands = this.tables.decode.start.length
    let mel = given
    let magnitude = given.map((part) =>
      this.native.magnitudeFromMel(part, this.tables.decode, bins),
    )
    if (this.mel && this.magnitude) {
      mel = mel.map((part, c) => joined(this.mel![c]!, part))
      magnitude = magnitude.map((part, c) => joined(this.magnitude![c]!, part))
    }
    // Kept from last time: the column before, for its slope, and the one without successor.
    const first = this.phase ? 1 : 0
    const stop = mel[0]!.length / bands - (last ? 0 : 1)
    let frames = mel.map(() => EMPTY)
    if (stop <= first) {
      ;[this.mel, this.magnitude, mel] = [mel, magnitude, mel.map(() => EMPTY)]
    } else {
      const phase = this.phaseOf(magnitude, first, stop)
      frames = magnitude.map((part) => this.frames(part.subarray(first * bins), phase))
      this.mel = mel.map((part) => part.slice((stop - 1) * bands))
      this.magnitude = magnitude.map((part) => part.slice((stop - 1) * bins))
      this.phase = phase.slice(-bins)
      mel = mel.map((part) => part.slice(first * bands, stop * bands))
    }
    const samples = this.synthesis.map((synthesis, c) => {
      const made = synthesis.push(frames[c]!)
      return last ? joined(made, synthesis.flush()) : made
    })
    return { samples, earlier: null, mel }
  }

  /** One phase for all channels, so that they stay coherent. */
  private phaseOf(magnitude: Float32Array[], first: number, stop: number): Float32Array {
    const { bins } = this
    const count = magnitude[0]!.length / bins
    const around = new Float32Array((stop - first + 2) * bins)
    for (let row = first - 1; row <= stop; row++) {
      const from = Math.min(Math.max(row, 0), count - 1) * bins
      const to = (row - first + 1) * bins
      for (const part of magnitude) {
        for (let f = 0; f < bins; f++) around[to + f]! += part[from + f]!
      }
    }
    const turn = Math.fround(2 * Math.PI)
    const random = this.native.uniform(this.random, (stop - first) * bins)
    const start = random.map((value) => value * turn)
    return phaseFromMagnitude(this.native, around, this.phase, start, bins)
  }

  /** Frames of a magnitude with a phase that is measured at the centre of the window. */
  private frames(magnitude: Float32Array, phase: Float32Array): Float32Array {
    const { n_fft: nFft, win } = this.native.numbers
    const fft = realFft(nFft)
    const count = phase.length / this.bins
    const frames = new Float32Array(count * win)
    for (let n = 0; n < count; n++) {
      for (let f = 0; f < this.bins; f++) {
        const at = n * this.bins + f
        const angle = Math.fround(phase[at]! - this.shifts[f]!)
        fft.re[f] = magnitude[at]! * Math.fround(Math.cos(angle))
        fft.im[f] = magnitude[at]! * Math.fround(Math.sin(angle))
      }
      frames.set(fft.inverse().subarray(0, win), n * win)
    }
    return frames
  }
}

/** One step of fast Griffin-Lim whose magnitudes are set through the mel bank. */
class Refiner {
  private readonly synthesis: Synthesis[]
  private readonly analysis: Analysis[]
  private readonly mel: Queue[]
  private readonly earlier: Queue[]

  constructor(
    private readonly native: Native,
    private readonly tables: TablesOf,
    channels: number,
  ) {
    this.synthesis = times(channels, () => new Synthesis(native, tables.decode.window))
    this.analysis = times(channels, () => new Analysis(native))
    this.mel = times(channels, () => new Queue())
    this.earlier = times(channels, () => new Queue())
  }

  /** A waveform in, that of R - 1 frames ago out. */
  push(signal: Signal): Signal {
    return this.step(signal, (channel, samples) => this.analysis[channel]!.push(samples))
  }

  /** The last samples in, all that is left of a picture of `columns` out. */
  finish(signal: Signal, columns: number): Signal {
    const result = this.step(signal, (channel, samples) =>
      this.analysis[channel]!.flush(samples, columns),
    )
    result.samples = result.samples.map((part, c) => joined(part, this.synthesis[c]!.flush()))
    return result
  }

  private step(
    signal: Signal,
    analysed: (channel: number, samples: Float32Array) => Float32Array,
  ): Signal {
    const bands = this.tables.decode.start.length
    const mel: Float32Array[] = []
    const samples = signal.samples.map((given, c) => {
      this.mel[c]!.append(signal.mel[c]!)
      const stretch = analysed(c, this.accelerated(signal, c, given))
      mel.push(this.mel[c]!.take(this.analysis[c]!.frames(stretch) * bands))
      return this.synthesis[c]!.pushConsistent(stretch, mel[c]!, this.tables.decode)
    })
    return { samples, earlier: signal.samples, mel }
  }

  /** The waveform moved on by the momentum; the transforms that follow are linear. */
  private accelerated(signal: Signal, channel: number, samples: Float32Array): Float32Array {
    if (!signal.earlier) return samples
    const queue = this.earlier[channel]!
    queue.append(signal.earlier[channel]!)
    const earlier = queue.take(samples.length)
    const momentum = Math.fround(this.native.numbers.momentum)
    return samples.map((now, i) => now + momentum * Math.fround(now - (earlier[i] ?? 0)))
  }
}

/** The tables of a decode, which all decoders share. */
class TablesOf extends Shared {
  readonly decode: Tables

  constructor(native: Native) {
    super()
    this.decode = native.tables('decode')
  }
}

/**
 * Sonogram columns to samples, any number of columns at a time.
 *
 * The samples do not depend on how the columns are cut into pieces.
 */
export class StreamingDecoder {
  private readonly tables: TablesOf
  private readonly start: PhaseStart
  private readonly refiners: Refiner[]
  private readonly upsampling: Upsampling[]
  private waiting: Float32Array[]
  private toSkip: number
  private columns = 0
  private samples = 0
  private flushed = false

  constructor(
    private readonly native: Native,
    private readonly params: SonogramParams,
    private readonly channels = 1,
    seed = 0,
  ) {
    const { numbers } = native
    this.tables = new TablesOf(native)
    this.start = new PhaseStart(native, this.tables, channels, seed)
    this.refiners = times(numbers.iterations, () => new Refiner(native, this.tables, channels))
    this.upsampling = times(
      channels,
      () => new Upsampling(numbers.hop, params.hop_length, numbers.span),
    )
    this.waiting = times(channels, () => EMPTY)
    this.toSkip = numbers.full_lead
  }

  /** Values (C, M, n), dB, in; the samples of each channel that are final out. */
  push(values: Grid): Float32Array[] {
    if (this.flushed) throw new ParameterError('this decoder was flushed')
    if (values.channels !== this.channels || values.rows !== this.params.n_mels) {
      throw new ParameterError(
        `columns must be (${this.channels}, ${this.params.n_mels}, n), ` +
          `got (${values.channels}, ${values.rows}, ${values.width})`,
      )
    }
    this.columns += values.width
    this.waiting = this.waiting.map((part, c) => joined(part, this.melOf(values, c)))
    const block = this.native.numbers.block_frames * this.params.n_mels
    let made = times(this.channels, () => EMPTY)
    while (this.waiting[0]!.length >= block) {
      const mel = this.waiting.map((part) => part.slice(0, block))
      this.waiting = this.waiting.map((part) => part.slice(block))
      const more = this.run(mel, false)
      made = made.map((part, c) => joined(part, more[c]!))
    }
    this.samples += made[0]!.length
    return made
  }

  /** End the sound: the samples that were still under way. */
  flush(): Float32Array[] {
    this.flushed = true
    if (this.columns === 0) return times(this.channels, () => EMPTY)
    const left = this.columns * this.params.hop_length - this.samples
    return this.run(this.waiting, true).map((part) => part.slice(0, left))
  }

  /** The same decoder once more, which goes its own way from here. */
  clone(): StreamingDecoder {
    return copied(this)
  }

  private run(mel: Float32Array[], last: boolean): Float32Array[] {
    let signal = this.start.push(mel, last)
    for (const refiner of this.refiners) {
      signal = last ? refiner.finish(signal, this.columns) : refiner.push(signal)
    }
    const full = this.upsampling.map((upsampling, c) => {
      const made = upsampling.push(signal.samples[c]!)
      return last ? joined(made, upsampling.flush()) : made
    })
    const skipped = Math.min(this.toSkip, full[0]!.length)
    this.toSkip -= skipped
    return full.map((part) => part.subarray(skipped))
  }

  /** Working mel magnitudes (n, M) of a channel; the lowest level means nothing at all. */
  private melOf(values: Grid, channel: number): Float32Array {
    const { rows, width, data } = values
    const { db_min: low, db_max: high } = this.params
    const unit = Math.fround(this.native.numbers.unit)
    const mel = new Float32Array(width * rows)
    for (let row = 0; row < rows; row++) {
      for (let n = 0; n < width; n++) {
        const level = data[(channel * rows + row) * width + n]!
        if (level <= low) continue
        const power = Math.fround(Math.fround(Math.min(level, high)) / 20)
        mel[n * rows + row] = Math.fround(10 ** power) / unit
      }
    }
    return mel
  }
}

/** Samples of each channel of a whole sonogram. */
export function decode(
  native: Native,
  params: SonogramParams,
  values: Grid,
  seed = 0,
): Float32Array[] {
  const decoder = new StreamingDecoder(native, params, values.channels, seed)
  const made = decoder.push(values)
  const rest = decoder.flush()
  return made.map((part, c) => joined(part, rest[c]!))
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)

/** A deep copy; what is shared stays one. */
function copied<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Shared) return value
  if (ArrayBuffer.isView(value)) return (value as unknown as Float32Array).slice() as unknown as T
  if (Array.isArray(value)) return value.map(copied) as unknown as T
  const copy = Object.create(Object.getPrototypeOf(value) as object) as Record<string, unknown>
  for (const [name, part] of Object.entries(value)) copy[name] = copied(part)
  return copy as T
}
