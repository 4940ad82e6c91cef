/// <reference types="audioworklet" />
import type { LevelMessage, SoundMessage, WorkletControl, WorkletOptions } from './messages'
import { Outlet } from './outlet'
import { Tape } from './recorder'

const FADE_S = 0.03
const START_S = 0.15
const RESUME_S = 1.5
const RING_S = 40
const REPORT_EVERY = 1024
const TAPE_BLOCK = 8192

/** Plays what the worker sends over a port of its own; the main thread only says play and pause. */
class SonoriffOutlet extends AudioWorkletProcessor {
  private readonly outlet: Outlet
  private readonly channels: number
  private worker: MessagePort | null = null
  private tape: Tape | null = null
  private sinceReport = REPORT_EVERY
  private lastState = ''

  constructor(options: AudioWorkletNodeOptions) {
    super()
    const { channels } = options.processorOptions as WorkletOptions
    this.channels = channels
    this.outlet = new Outlet({
      channels,
      capacity: Math.round(RING_S * sampleRate),
      fade: Math.round(FADE_S * sampleRate),
      startAt: Math.round(START_S * sampleRate),
      resumeAt: Math.round(RESUME_S * sampleRate),
    })
    this.port.onmessage = (event: MessageEvent<WorkletControl>) => this.control(event.data)
  }

  private control(message: WorkletControl): void {
    if (message.type === 'play') this.outlet.play()
    else if (message.type === 'pause') this.outlet.pause()
    else {
      this.worker = message.port
      this.worker.onmessage = (event: MessageEvent<SoundMessage>) => this.sound(event.data)
    }
  }

  private sound(message: SoundMessage): void {
    if (message.type === 'sound') this.outlet.push(message.source, message.frames)
    else if (message.type === 'load') this.outlet.load(message.source, message.first)
    else if (message.type === 'finish') this.outlet.finish(message.source)
    else this.record(message.on)
  }

  private record(on: boolean): void {
    if (on) {
      this.tape = new Tape(TAPE_BLOCK, this.channels)
      return
    }
    this.sendTape(this.tape?.flush() ?? null)
    this.tape = null
    this.tell({ type: 'recorded' })
  }

  private sendTape(block: { first: number; frames: Int16Array } | null): void {
    if (!block) return
    const { first, frames } = block
    const source = this.outlet.heardSource
    this.tell({ type: 'heard', source, first, frames, channels: this.channels }, frames.buffer)
  }

  private tell(message: LevelMessage, transfer?: ArrayBufferLike): void {
    this.worker?.postMessage(message, transfer ? [transfer as ArrayBuffer] : [])
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const out = outputs[0]
    if (!out?.[0]) return true
    const before = this.outlet.position
    const source = this.outlet.heardSource
    this.outlet.render(out)
    const played = this.outlet.position - before
    if (this.tape && source === this.outlet.heardSource && played > 0) {
      this.sendTape(this.tape.add(out, 0, played, before))
    }
    this.report(source === this.outlet.heardSource ? before : this.outlet.position, played)
    return true
  }

  /** Tell both sides where we are: regularly, and at once when something changes. */
  private report(position: number, played: number): void {
    const { state, heardSource: source, buffered, underruns } = this.outlet
    this.sinceReport += 128
    const now = `${state}${source}`
    if (this.sinceReport < REPORT_EVERY && now === this.lastState) return
    this.sinceReport = 0
    this.lastState = now
    const tick = { time: currentTime, position, rate: played > 0 ? sampleRate : 0 }
    this.port.postMessage({ type: 'tick', tick, state, source, buffered, underruns })
    const next = this.outlet.position
    this.tell({ type: 'level', source, position: next, buffered, underruns, state })
  }
}

registerProcessor('sonoriff-outlet', SonoriffOutlet)
