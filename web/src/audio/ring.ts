/**
 * First in, first out, of interleaved frames; neither side ever allocates.
 *
 * Positions are counted in frames since `clear`: a frame that was read is gone for good, so
 * nothing can be heard twice.
 */
export class Ring {
  readonly channels: number
  readonly capacity: number
  private readonly data: Float32Array
  private head = 0
  private count = 0

  /** @param capacity frames that fit */
  constructor(capacity: number, channels: number) {
    this.capacity = capacity
    this.channels = channels
    this.data = new Float32Array(capacity * channels)
  }

  /** Frames that can be read. */
  get available(): number {
    return this.count
  }

  /** Frames that can be written. */
  get room(): number {
    return this.capacity - this.count
  }

  clear(): void {
    this.head = 0
    this.count = 0
  }

  /** Append interleaved frames; what does not fit is left out. Returns the frames taken. */
  write(frames: Float32Array): number {
    const taken = Math.min(Math.floor(frames.length / this.channels), this.room)
    let at = (this.head + this.count) % this.capacity
    let done = 0
    while (done < taken) {
      const run = Math.min(taken - done, this.capacity - at)
      const part = frames.subarray(done * this.channels, (done + run) * this.channels)
      this.data.set(part, at * this.channels)
      done += run
      at = (at + run) % this.capacity
    }
    this.count += taken
    return taken
  }

  /** Take the next frame into `frame` (one value a channel); false if there is none. */
  read(frame: Float32Array): boolean {
    if (this.count === 0) return false
    const at = this.head * this.channels
    for (let c = 0; c < this.channels; c++) frame[c] = this.data[at + c]!
    this.head = (this.head + 1) % this.capacity
    this.count -= 1
    return true
  }
}
