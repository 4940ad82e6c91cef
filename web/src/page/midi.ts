import { effect, signal } from '@preact/signals'
import { promptText } from '../state/scene'
import {
  ClockTempo,
  clockTicks,
  midiEvent,
  SENT,
  storedBindings,
  valueAt,
  type Bindings,
  type Target,
} from '../state/midi'
import { player, session } from './studio'

const KEY = 'sonoriff.midi'
/** A knob that is turned says a hundred things a second; the server is told a few. */
const SETTLE_MS = 200
/** A clock's tempo is followed where it differs by more than this. */
const SAME_BPM = 0.5
/** Ticks of the clock are handed to the browser so far ahead, and looked after so often. */
const CLOCK_AHEAD_S = 0.3
const CLOCK_EVERY_MS = 100

export const bindings = signal<Bindings>(storedBindings(localStorage.getItem(KEY)))
/** Controllers that are there; null before anybody asked for them. */
export const controllers = signal<string[] | null>(null)
/** What the next knob or pad is bound to: a target, or words to play. */
export const learning = signal<{ target: Target } | { words: string } | null>(null)
export const trouble = signal('')
export const followsClock = signal(false)
/** Whether instruments are told the beat of what is heard. */
export const sendsClock = signal(false)
/** Instruments that can be told. */
export const instruments = signal<string[]>([])

let access: MIDIAccess | null = null
let settling = 0
const moved = new Map<Target, number>()
const clock = new ClockTempo()

effect(() => localStorage.setItem(KEY, JSON.stringify(bindings.value)))
effect(() => {
  if (!sendsClock.value) return
  const timer = setInterval(sendClock, CLOCK_EVERY_MS)
  return () => {
    clearInterval(timer)
    stopClock()
  }
})

/** Ask the browser for controllers: it asks the person. */
export async function connect(): Promise<void> {
  trouble.value = ''
  if (!('requestMIDIAccess' in navigator)) {
    trouble.value = 'This browser knows no MIDI: Chrome, Edge and Firefox do.'
    return
  }
  try {
    access = await navigator.requestMIDIAccess()
  } catch {
    trouble.value = 'MIDI was refused: allow it beside the address, and ask again.'
    return
  }
  access.onstatechange = (event) => {
    const port = event.port
    if (port?.type === 'input' && port.state === 'disconnected') {
      trouble.value = `${port.name ?? 'The controller'} is gone. What is bound to it stays bound.`
    } else trouble.value = ''
    listen()
  }
  listen()
}

/** Take a knob or a pad away from what it is bound to. */
export function unbind(id: string): void {
  const { knobs, pads } = bindings.value
  const without = <T>(all: Record<string, T>) =>
    Object.fromEntries(Object.entries(all).filter(([one]) => one !== id))
  bindings.value = { knobs: without(knobs), pads: without(pads) }
}

/** Bind the next pad to what is heard. */
export function learnPad(): void {
  learning.value = { words: promptText(session.now.value) }
}

function listen(): void {
  const inputs = [...(access?.inputs.values() ?? [])].filter(({ state }) => state === 'connected')
  for (const input of inputs) {
    input.onmidimessage = (event) => event.data && received(event.data, event.timeStamp)
  }
  instruments.value = outputs().map(({ name }) => name ?? 'an instrument')
  controllers.value = inputs.map(({ name }) => name ?? 'a controller')
}

function received(data: Uint8Array, time: number): void {
  const event = midiEvent(data)
  if (!event) return
  if (event.kind === 'clock') follow(time)
  else if (learning.value) learned(event.kind, event.id)
  else if (event.kind === 'knob') {
    const target = bindings.value.knobs[event.id]
    if (target) turn(target, valueAt(target, event.share))
  } else {
    const words = bindings.value.pads[event.id]
    if (words) session.playNow(words)
  }
}

function learned(kind: 'knob' | 'pad', id: string): void {
  const what = learning.value
  const { knobs, pads } = bindings.value
  if (what && 'target' in what && kind === 'knob') {
    bindings.value = { knobs: { ...knobs, [id]: what.target }, pads }
  } else if (what && 'words' in what && kind === 'pad') {
    bindings.value = { knobs, pads: { ...pads, [id]: what.words } }
  } else return
  learning.value = null
}

function turn(target: Target, value: number): void {
  if (target === 'volume') player.setVolume(value)
  else {
    moved.set(target, value)
    settling ||= window.setTimeout(settle, SETTLE_MS)
  }
}

/** Say where the knobs stand that were turned. */
function settle(): void {
  settling = 0
  const { blend, ...change } = Object.fromEntries(moved) as Partial<Record<Target, number>>
  moved.clear()
  const second = session.mix.value[1]
  if (blend !== undefined && second) session.nudge(blend - second.weight)
  if (Object.keys(change).length > 0) session.change(change)
}

function follow(time: number): void {
  const bpm = clock.add(time)
  if (!followsClock.value || bpm === null || bpm < 30 || bpm > 300) return
  if (Math.abs(bpm - (session.scene.value.bpm ?? 0)) > SAME_BPM) turn('bpm', Math.round(bpm))
}

const outputs = (): MIDIOutput[] =>
  [...(access?.outputs.values() ?? [])].filter(({ state }) => state === 'connected')

/** The signal whose clock runs, and the sample up to which its ticks were sent. */
let ticking: { signal: unknown; to: number } | null = null

/** Send the ticks of the next moments, each at the time at which its sample is heard. */
function sendClock(): void {
  const { signal, sample } = session.place()
  const window = signal?.windows.at(sample)
  const { bpm, first_bar_sample: bar } = window ?? { bpm: null, first_bar_sample: null }
  if (!signal || !window || bpm === null || bar === null || player.outlet.peek() !== 'playing') {
    stopClock()
    return
  }
  const { sampleRate } = session
  const begins = ticking?.signal !== signal
  const from = begins ? sample : ticking!.to
  const to = Math.min(sample + CLOCK_AHEAD_S * sampleRate, window.end_sample)
  const now = performance.now()
  clockTicks(from, to, { bpm, bar, sampleRate }).forEach((tick, i) => {
    const time = now + (1000 * (tick - sample)) / sampleRate
    for (const output of outputs()) {
      if (begins && i === 0) output.send(SENT.start, time)
      output.send(SENT.clock, time)
    }
  })
  ticking = { signal, to: Math.max(from, to) }
}

function stopClock(): void {
  if (ticking) for (const output of outputs()) output.send(SENT.stop)
  ticking = null
}
