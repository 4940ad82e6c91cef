import { signal } from '@preact/signals'
import workletUrl from '../audio/worklet.ts?worker&url'
import { Clock, heardTime } from '../audio/clock'
import type { WorkletOptions, WorkletReport } from '../audio/messages'
import type { OutletState } from '../audio/outlet'
import type { WorkerCommand, WorkerEvent } from '../stream/messages'

/** What is on its way to the loudspeaker is heard first. */
const REST_AFTER_MS = 600

/**
 * The audio thread, the stream's worker, and the wire between them. The main thread hands out
 * commands and reads the clock; no sample passes through it.
 */
export class Player {
  /** Whether sound is asked for. */
  readonly wanted = signal(false)
  readonly outlet = signal<OutletState>('paused')
  readonly underruns = signal(0)
  onEvent: (event: WorkerEvent) => void = () => {}
  private context: AudioContext | null = null
  private node: AudioWorkletNode | null = null
  private gain: GainNode | null = null
  private readonly clock = new Clock()
  private readonly worker: Worker
  private heardSource = -1
  /** The signal that is to be heard; null until the worker has numbered it. */
  private meant: number | null = null
  private resting: ReturnType<typeof setTimeout> | null = null
  private opening: Promise<void> | null = null
  /** Loudness, 0 to 1. */
  readonly volume = signal(1)

  /** @param streams where streams come from, if not from a server */
  constructor(streams: MessagePort | null = null) {
    this.worker = new Worker(new URL('../stream/worker.ts', import.meta.url), { type: 'module' })
    this.worker.onmessage = (event: MessageEvent<WorkerEvent>) => {
      const { data } = event
      if (data.type === 'ready' || data.type === 'clip') this.meant = data.source
      this.onEvent(data)
    }
    if (streams) this.command({ type: 'streams', port: streams }, [streams])
  }

  get sampleRate(): number {
    return this.context?.sampleRate ?? 44100
  }

  /** Which signal is heard, as the worker numbers them; -1 before the first. */
  get source(): number {
    return this.heardSource
  }

  /** The sample of that signal that is heard now, with its fraction. */
  position(): number {
    return this.context ? this.clock.positionAt(heardTime(this.context)) : 0
  }

  /** Loudness, 0 to 1; moved smoothly. */
  setVolume(volume: number): void {
    this.volume.value = volume
    if (this.context) {
      this.gain?.gain.setTargetAtTime(volume * volume, this.context.currentTime, 0.02)
    }
  }

  command(command: WorkerCommand, transfer: Transferable[] = []): void {
    if (command.type === 'start' || command.type === 'clip') this.meant = null
    this.worker.postMessage(command, transfer)
  }

  /** To be called by a click or a key: browsers keep quiet otherwise. */
  async play(sampleRate: number): Promise<void> {
    this.wanted.value = true
    this.opening ??= this.open(sampleRate)
    await this.opening
    await this.context?.resume()
    this.tell()
  }

  pause(): void {
    this.wanted.value = false
    this.tell()
  }

  /** Decode a sound file at the rate of this player: interleaved frames. */
  async decoded(
    file: ArrayBuffer,
    sampleRate: number,
  ): Promise<{ frames: Float32Array; channels: number }> {
    const context = new OfflineAudioContext(1, 1, sampleRate)
    const buffer = await context.decodeAudioData(file)
    const channels = Math.min(2, buffer.numberOfChannels)
    const frames = new Float32Array(buffer.length * channels)
    for (let c = 0; c < channels; c++) {
      const data = buffer.getChannelData(c)
      for (let i = 0; i < data.length; i++) frames[i * channels + c] = data[i]!
    }
    return { frames, channels }
  }

  private tell(): void {
    const on = this.wanted.value
    this.node?.port.postMessage({ type: on ? 'play' : 'pause' })
    this.command({ type: 'playing', on })
  }

  private async open(sampleRate: number): Promise<void> {
    const context = new AudioContext({ sampleRate, latencyHint: 'interactive' })
    await context.audioWorklet.addModule(workletUrl)
    const processorOptions: WorkletOptions = { channels: 2, sampleRate }
    const node = new AudioWorkletNode(context, 'sonoriff-outlet', {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions,
    })
    node.port.onmessage = (event: MessageEvent<WorkletReport>) => this.reported(event.data)
    this.gain = new GainNode(context, { gain: this.volume.value ** 2 })
    node.connect(this.gain).connect(context.destination)
    const wire = new MessageChannel()
    node.port.postMessage({ type: 'port', port: wire.port1 }, [wire.port1])
    this.command({ type: 'port', port: wire.port2 }, [wire.port2])
    this.context = context
    this.node = node
  }

  /** Faded out, a context that runs keeps the processor busy for nothing. */
  private restSoon(): void {
    this.resting ??= setTimeout(() => {
      this.resting = null
      if (!this.wanted.value && this.outlet.value === 'paused') void this.context?.suspend()
    }, REST_AFTER_MS)
  }

  private reported(report: WorkletReport): void {
    if (report.source !== this.heardSource) this.clock.reset()
    this.heardSource = report.source
    this.clock.add(report.tick)
    this.outlet.value = report.state
    this.underruns.value = report.underruns
    // The end of what was heard before is no end of what is to come.
    if (report.state === 'ended' && this.wanted.value && report.source === this.meant) this.pause()
    if (report.state === 'paused') this.restSoon()
  }
}
