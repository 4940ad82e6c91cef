import { Ring } from './ring'

/** Why no sound comes out: nobody asked for it, it has not arrived, or it is over. */
export type OutletState = 'paused' | 'waiting' | 'playing' | 'ended'

export interface OutletOptions {
  channels: number
  /** Frames that the ring holds. */
  capacity: number
  /** Frames that a fade takes, in or out. */
  fade: number
  /** Frames that have to be there before sound begins. */
  startAt: number
  /** Frames that have to be there before it begins again after it ran dry. */
  resumeAt: number
}

/**
 * What stands between the ring and the loudspeaker. It is silent or plays, and goes from one to
 * the other by a fade: on pause, when another source is put in, and when the frames run out. The
 * fade out begins while there are just enough frames left for it, so it ends before the ring is
 * empty; frames are then held, never repeated and never skipped.
 */
export class Outlet {
  readonly ring: Ring
  /** Index, in the source's own count, of the next frame to be played. */
  position = 0
  /** How often sound was wanted and there was none, since the last `load`. */
  underruns = 0
  private readonly options: OutletOptions
  private readonly frame: Float32Array
  private wanted = false
  private started = false
  private dry = false
  private complete = false
  private level = 0
  private next: {
    source: number
    first: number
    frames: Float32Array[]
    complete: boolean
  } | null = null
  private source = 0

  constructor(options: OutletOptions) {
    this.options = options
    this.ring = new Ring(options.capacity, options.channels)
    this.frame = new Float32Array(options.channels)
  }

  get state(): OutletState {
    if (this.level > 0) return 'playing'
    if (!this.wanted) return 'paused'
    if (this.complete && this.ring.available <= 1) return 'ended'
    return 'waiting'
  }

  /** The source whose frames are heard, after `load`. */
  get heardSource(): number {
    return this.source
  }

  /** Frames that wait, of the newest source. */
  get buffered(): number {
    if (!this.next) return this.ring.available
    return this.next.frames.reduce((sum, part) => sum + part.length, 0) / this.options.channels
  }

  play(): void {
    this.wanted = true
  }

  pause(): void {
    this.wanted = false
  }

  /** Put another source in: what is heard now fades out, the ring starts afresh at `first`. */
  load(source: number, first: number): void {
    this.next = { source, first, frames: [], complete: false }
    if (this.level === 0) this.swap()
  }

  /** Append frames of `source`; those of a source that was replaced are dropped. */
  push(source: number, frames: Float32Array): void {
    if (this.next?.source === source) this.next.frames.push(frames)
    else if (this.source === source) this.ring.write(frames)
  }

  /** Nothing follows what was pushed: to run dry is the end, not an underrun. */
  finish(source: number): void {
    if (this.next?.source === source) this.next.complete = true
    else if (this.source === source) this.complete = true
  }

  /** Fill `out`, one array a channel; a mono source goes to all of them. */
  render(out: Float32Array[]): void {
    const length = out[0]?.length ?? 0
    for (let i = 0; i < length; i++) this.renderFrame(out, i)
  }

  private renderFrame(out: Float32Array[], i: number): void {
    const before = this.level
    this.level = this.nextLevel()
    if (this.level === 0 || !this.ring.read(this.frame)) {
      this.level = 0
      for (const channel of out) channel[i] = 0
      if (before > 0) this.fellSilent()
      if (this.next) this.swap()
      return
    }
    this.started = true
    this.dry = false
    this.position += 1
    const gain = Math.sin((this.level * Math.PI) / 2) ** 2
    for (let c = 0; c < out.length; c++) out[c]![i] = gain * this.frame[c % this.frame.length]!
  }

  private nextLevel(): number {
    const target = this.target()
    const step = 1 / this.options.fade
    const level =
      target > this.level ? Math.min(1, this.level + step) : Math.max(target, this.level - step)
    // A sum of many steps does not end on zero by itself.
    return level < step / 2 ? 0 : level
  }

  /** 1 where sound is to be heard, else 0. */
  private target(): 0 | 1 {
    if (this.next || !this.wanted) return 0
    const left = this.ring.available
    if (this.level > 0) return left > this.level * this.options.fade + 1 ? 1 : 0
    const { startAt, resumeAt, fade } = this.options
    const enough = this.dry ? resumeAt : this.started ? fade + 2 : startAt
    return left >= (this.complete ? Math.min(enough, 2) : enough) ? 1 : 0
  }

  private fellSilent(): void {
    if (this.next || !this.wanted || this.complete) return
    this.underruns += 1
    this.dry = true
  }

  private swap(): void {
    const next = this.next
    if (!next) return
    this.next = null
    this.ring.clear()
    this.source = next.source
    this.position = next.first
    this.complete = next.complete
    this.started = false
    this.dry = false
    this.underruns = 0
    for (const frames of next.frames) this.ring.write(frames)
  }
}
