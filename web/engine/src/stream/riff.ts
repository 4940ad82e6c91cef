/** The riff that variations are made of: `sonoriff.stream.riff`. */
import { BEATS_PER_BAR } from '../model/music'
import { Grid, modulo, range, roundEven } from '../pipeline/grid'
import { Bars } from './position'

/** A riff and the place in it. The first pass paints it; it guides those after. */
export class Riff {
  constructor(
    readonly bars: Bars,
    readonly hopLength: number,
    readonly unitBeats: number,
    readonly units: number,
    /** Number of the next unit, counted from the origin. */
    readonly unit = 0,
    readonly picture: Grid | null = null,
    readonly recorded: Grid | null = null,
    readonly renewing = false,
  ) {}

  /** An unpainted riff at the origin of `bars`; a unit has at most `maxSamples`. */
  static begun(bars: Bars, hopLength: number, count: number | null, maxSamples: number): Riff {
    let beats = 64
    while (beats > 1 && beats * bars.beatSamples > maxSamples) beats /= 2
    const whole = count ? count * BEATS_PER_BAR : Math.max(BEATS_PER_BAR, beats)
    beats = Math.min(beats, whole)
    return new Riff(bars, hopLength, beats, Math.floor(whole / beats))
  }

  with(change: Partial<Pick<Riff, 'unit' | 'picture' | 'recorded' | 'renewing'>>): Riff {
    const { unit, picture, recorded, renewing } = { ...this, ...change }
    const { bars, hopLength, unitBeats, units } = this
    return new Riff(bars, hopLength, unitBeats, units, unit, picture, recorded, renewing)
  }

  /** Number of the next unit within the riff. */
  get place(): number {
    return this.unit % this.units
  }

  /** Sample at which the next unit ends, with its fraction. */
  get unitEnd(): number {
    return this.bars.origin + (this.unit + 1) * this.unitBeats * this.bars.beatSamples
  }

  /** The riff's picture at the stream's columns [start, stop), laid end to end. */
  guide(start: number, stop: number): Grid | null {
    const { picture } = this
    if (!picture) return null
    const first = this.frameOfPass(this.pass)
    return picture.columns(range(start, stop).map((n) => modulo(n - first, picture.width)))
  }

  /** The riff after a unit; `picture` has the stream's columns from `start` on. */
  played(picture: Grid, start: number): Riff {
    const first = this.frameOfPass(this.pass)
    const have = this.recorded?.width ?? 0
    const end =
      this.place + 1 < this.units
        ? roundEven(this.unitEnd / this.hopLength)
        : this.frameOfPass(this.pass + 1)
    const part = picture.slice(first + have - start, end - start)
    const recorded = this.recorded ? Grid.joined([this.recorded, part]) : part
    const following = this.with({ unit: this.unit + 1, recorded })
    if (following.place) return following
    const kept = !this.picture || this.renewing ? recorded : this.picture
    return following.with({ picture: kept, recorded: null, renewing: false })
  }

  private get pass(): number {
    return Math.floor(this.unit / this.units)
  }

  private frameOfPass(number: number): number {
    const length = this.units * this.unitBeats * this.bars.beatSamples
    return roundEven((this.bars.origin + number * length) / this.hopLength)
  }
}
