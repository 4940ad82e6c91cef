/** At context time `time` (s) the frame `position` left the outlet; `rate` frames a second follow. */
export interface Tick {
  time: number
  position: number
  rate: number
}

/**
 * Which sample is heard at a moment. The outlet reports pairs of time and position as they leave
 * it; the ear is behind by the output's latency, so the pairs of the last seconds are kept.
 */
export class Clock {
  private ticks: Tick[] = []
  private readonly keep: number

  /** @param keep seconds of ticks; more than any output's latency */
  constructor(keep = 2) {
    this.keep = keep
  }

  reset(): void {
    this.ticks = []
  }

  add(tick: Tick): void {
    this.ticks.push(tick)
    while (this.ticks.length > 2 && this.ticks[1]!.time < tick.time - this.keep) this.ticks.shift()
  }

  /** The sample heard at context time `time`, with its fraction; 0 before the first tick. */
  positionAt(time: number): number {
    let i = this.ticks.length - 1
    while (i > 0 && this.ticks[i]!.time > time) i--
    const tick = this.ticks[i]
    if (!tick) return 0
    const following = this.ticks[i + 1]
    const position = tick.position + tick.rate * Math.max(0, time - tick.time)
    return following ? Math.min(position, following.position) : position
  }
}

/** The context time of what leaves the loudspeaker now. */
export function heardTime(context: AudioContext): number {
  const { contextTime, performanceTime } = context.getOutputTimestamp()
  if (contextTime === undefined || performanceTime === undefined || contextTime <= 0) {
    return Math.max(0, context.currentTime - (context.outputLatency || context.baseLatency || 0))
  }
  const elapsed = context.state === 'running' ? (performance.now() - performanceTime) / 1000 : 0
  return Math.min(contextTime + elapsed, context.currentTime)
}
