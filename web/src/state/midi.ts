/** MIDI controllers: what their bytes mean, and what they are bound to. */

/** What a knob can move. */
export const TARGETS = {
  bpm: { name: 'Tempo', low: 50, high: 200, step: 1 },
  energy: { name: 'Energy', low: 1, high: 5, step: 1 },
  blend: { name: 'Blend', low: 0, high: 1, step: 0.01 },
  strength: { name: 'Variation', low: 0.05, high: 1, step: 0.05 },
  walk: { name: 'Wander', low: 0, high: 1, step: 0.05 },
  morph_bars: { name: 'Change over', low: 0, high: 16, step: 1 },
  volume: { name: 'Volume', low: 0, high: 1, step: 0.01 },
} as const

export type Target = keyof typeof TARGETS

/** Knobs and pads, each by channel and number: "0/21". */
export interface Bindings {
  knobs: Record<string, Target>
  /** What a pad plays. */
  pads: Record<string, string>
}

export type MidiEvent =
  { kind: 'knob'; id: string; share: number } | { kind: 'pad'; id: string } | { kind: 'clock' }

const NOTE_ON = 0x90
const CONTROL = 0xb0
const CLOCK = 0xf8
const CLOCKS_PER_BEAT = 24
const MOST_TEXT = 500

/** What a message says; null for what means nothing here, system exclusive ones among them. */
export function midiEvent(data: Uint8Array): MidiEvent | null {
  const [status = 0, number = 0, value = 0] = data
  if (status === CLOCK) return { kind: 'clock' }
  const id = `${status & 0x0f}/${number}`
  if ((status & 0xf0) === CONTROL && data.length === 3) {
    return { kind: 'knob', id, share: value / 127 }
  }
  // A note that is struck with no force is one that is let go.
  if ((status & 0xf0) === NOTE_ON && data.length === 3 && value > 0) return { kind: 'pad', id }
  return null
}

/** The value of a target where its knob stands, 0 to 1. */
export function valueAt(target: Target, share: number): number {
  const { low, high, step } = TARGETS[target]
  const value = low + Math.round((share * (high - low)) / step) * step
  return Number(Math.max(low, Math.min(high, value)).toFixed(3))
}

/** Tempo of a MIDI clock, from its last two beats. */
export class ClockTempo {
  private times: number[] = []

  /** @param time of a clock message, in milliseconds; gives the tempo, null until two beats came */
  add(time: number): number | null {
    const last = this.times.at(-1)
    // One that stood still begins anew.
    if (last !== undefined && time - last > 500) this.times = []
    this.times.push(time)
    if (this.times.length > 2 * CLOCKS_PER_BEAT + 1) this.times.shift()
    if (this.times.length <= 2 * CLOCKS_PER_BEAT) return null
    const beat = (time - this.times[0]!) / 2
    return beat > 0 ? 60_000 / beat : null
  }
}

/** What is sent to whoever keeps time by this page. */
export const SENT = {
  clock: Uint8Array.of(CLOCK),
  start: Uint8Array.of(0xfa),
  stop: Uint8Array.of(0xfc),
}

/**
 * The samples in [from, to) at which a clock ticks, 24 times a beat.
 *
 * @param bar a sample at which a bar begins
 */
export function clockTicks(
  from: number,
  to: number,
  { bpm, bar, sampleRate }: { bpm: number; bar: number; sampleRate: number },
): number[] {
  const tick = (60 / bpm / CLOCKS_PER_BEAT) * sampleRate
  const ticks = []
  for (let n = Math.ceil((from - bar) / tick); bar + n * tick < to; n++) ticks.push(bar + n * tick)
  return ticks
}

/** Bindings as they were stored; whatever makes no sense in them is left out. */
export function storedBindings(text: string | null): Bindings {
  const found: Bindings = { knobs: {}, pads: {} }
  try {
    const stored = JSON.parse(text ?? '{}') as Partial<Bindings> | null
    for (const [id, target] of Object.entries(stored?.knobs ?? {})) {
      if (isId(id) && target in TARGETS) found.knobs[id] = target
    }
    for (const [id, words] of Object.entries(stored?.pads ?? {})) {
      if (isId(id) && typeof words === 'string') found.pads[id] = words.slice(0, MOST_TEXT)
    }
  } catch {
    // None.
  }
  return found
}

const isId = (text: string): boolean => /^\d{1,2}\/\d{1,3}$/.test(text)
