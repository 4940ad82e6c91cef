import { computed, effect, signal } from '@preact/signals'
import { type Api, type Riff } from '../riffs/api'
import { columnsOfPicture } from '../riffs/picture'
import { HIFI } from '../sonogram/format'
import { ColumnStore } from '../sonogram/store'
import type { Connection } from '../stream/client'
import type { Recording, WorkerEvent } from '../stream/messages'
import type { Ready, Scene, Status, StreamWindow, WeightedPrompt } from '../stream/protocol'
import { remembered } from './list'
import type { Player } from './player'
import { MOST_SOUNDS, promptsOf, shares } from './blend'
import { FIRST_SCENE, promptText, samePrompts, shareOf, single } from './scene'
import { Windows } from './windows'

/** How long a prompt of the queue is heard before the next one comes, in seconds. */
const STAY_S = 20
const MOST_HISTORY = 30
const HISTORY_KEY = 'sonoriff.history'

export interface Waiting {
  id: number
  text: string
}

interface Coming {
  prompts: WeightedPrompt[]
  id: number
  fromSample: number | null
}

interface Signal {
  store: ColumnStore
  windows: Windows
  /** Samples of a riff, after which it may begin anew; none of a stream. */
  turnSamples?: number
}

/** What is played, what is to come, what was: the page's state and what moves it. */
export class Session {
  readonly scene = signal<Scene>(FIRST_SCENE)
  readonly waiting = signal<Waiting[]>([])
  readonly coming = signal<Coming | null>(null)
  readonly history = signal<string[]>(storedHistory())
  /** The sounds of a blend, as the faders have them; none without a blend. */
  readonly mix = signal<WeightedPrompt[]>([])
  readonly heard = signal<StreamWindow | null>(null)
  readonly connection = signal<Connection>('idle')
  readonly status = signal<Status | null>(null)
  /** A line for the person: an error, or why there is no sound. */
  readonly notice = signal('')
  readonly clip = signal<Riff | null>(null)
  /** Whether a riff goes round and round. */
  readonly looping = signal(false)
  /** A riff that the page's link names, to be played first. */
  readonly linked = signal<Riff | null>(null)
  readonly recording = signal(false)
  readonly recorded = signal<Recording | null>(null)
  /** The sound that is on stage: drawn, and heard once it begins. */
  readonly stage = signal<Signal | null>(null)
  readonly started = computed(() => this.stage.value !== null || this.connection.value !== 'idle')
  readonly now = computed(() => this.heard.value?.scene.prompts ?? this.scene.value.prompts)
  /** How far the change of prompts has come, 0 to 1. */
  readonly share = computed(() => {
    const window = this.heard.value
    return window ? shareOf(window.scene.prompts, window.prompts) : 1
  })
  ready: Ready | null = null
  sampleRate = HIFI.sampleRate
  readonly player: Player
  readonly api: Api
  private readonly signals = new Map<number, Signal>()
  private streamSource = -1
  private ids = 0
  private since = 0

  constructor(player: Player, api: Api) {
    this.player = player
    this.api = api
    player.onEvent = (event) => this.received(event)
    effect(() => localStorage.setItem(HISTORY_KEY, JSON.stringify(this.history.value)))
  }

  /** Whether the stream is on, as against a clip or nothing. */
  get streaming(): boolean {
    const state = this.connection.value
    return this.clip.value === null && state !== 'idle' && state !== 'refused'
  }

  /** The signal that is heard, and the sample. */
  place(): { signal: Signal | null; sample: number } {
    const signal = this.signals.get(this.player.source) ?? null
    if (!signal) return { signal, sample: 0 }
    const sample = this.player.position()
    const turn = signal.turnSamples
    return { signal, sample: turn ? sample % turn : sample }
  }

  async toggle(): Promise<void> {
    if (this.player.wanted.value) {
      this.player.pause()
      return
    }
    const linked = this.linked.value
    if (linked) {
      await this.open(linked)
      return
    }
    const clip = this.clip.value
    if (clip && this.player.outlet.value === 'ended') await this.open(clip)
    else if (clip || this.streaming) await this.play()
    else await this.start()
  }

  /** A new stream of the scene. */
  async start(): Promise<void> {
    this.clip.value = null
    this.linked.value = null
    this.ready = null
    this.coming.value = null
    this.heard.value = null
    this.connection.value = 'connecting'
    const { key, streamUrl: url } = this.api
    this.player.command({ type: 'start', url, scene: this.scene.value, ...(key ? { key } : {}) })
    await this.play()
  }

  /** What was typed: heard next, or once those before it were. */
  submit(text: string): void {
    const words = text.trim()
    if (!words) return
    if (!this.streaming) {
      this.mix.value = []
      this.scene.value = { ...this.scene.value, prompts: single(words) }
      void this.start()
    } else if (this.coming.value || this.waiting.value.length > 0) {
      this.waiting.value = [...this.waiting.value, { id: ++this.ids, text: words }]
    } else {
      this.mix.value = []
      this.turnTo(single(words))
    }
  }

  /** Change the prompts as soon as the stream can. */
  turnTo(prompts: WeightedPrompt[]): void {
    const id = ++this.ids
    if (this.streaming) this.coming.value = { prompts, id, fromSample: null }
    this.change({ prompts }, id)
  }

  /** Play one of those that wait, before the others. */
  bringForward(item: Waiting): void {
    this.waiting.value = this.waiting.value.filter(({ id }) => id !== item.id)
    this.playNow(item.text)
  }

  /** Turn to words before all that waits. */
  playNow(text: string): void {
    this.mix.value = []
    this.turnTo(single(text))
    if (!this.streaming) void this.start()
  }

  /** Change settings: heard with the next window that is not made yet. */
  change(change: Partial<Scene>, id = ++this.ids): void {
    this.scene.value = { ...this.scene.value, ...change }
    if (this.streaming) this.player.command({ type: 'scene', change, id })
  }

  /** Mix what is heard with other words, which get an equal share. */
  blend(other: string): void {
    const now = this.mix.value.length > 0 ? this.mix.value : this.scene.value.prompts
    const parts = shares(now.map(({ weight }) => weight))
    const first = now.slice(0, MOST_SOUNDS - 1).map((one, i) => ({ ...one, weight: parts[i]! }))
    this.setMix([...first, { text: other, weight: 1 / first.length }], true)
  }

  /** Move the faders; `heard` where it is to be heard. */
  setMix(mix: WeightedPrompt[], heard: boolean): void {
    const parts = shares(mix.map(({ weight }) => weight))
    this.mix.value = mix.map((one, i) => ({ ...one, weight: parts[i]! }))
    const prompts = promptsOf(this.mix.value)
    if (mix.length === 1) this.mix.value = []
    if (heard && prompts.length > 0) this.turnTo(prompts)
  }

  /** Give the second sound of a blend so much more, or less. */
  nudge(by: number): void {
    const mix = this.mix.value
    if (mix.length < 2) return
    const second = Math.max(0, Math.min(1, mix[1]!.weight + by))
    const rest = shares(mix.filter((_, i) => i !== 1).map(({ weight }) => weight))
    const others = rest.map((share) => share * (1 - second))
    others.splice(1, 0, second)
    this.setMix(
      mix.map((one, i) => ({ ...one, weight: others[i]! })),
      true,
    )
  }

  /** Only the loudest sound of the blend goes on. */
  endBlend(): void {
    const [loudest] = [...this.mix.value].sort((a, b) => b.weight - a.weight)
    this.mix.value = []
    if (loudest) this.turnTo(single(loudest.text))
  }

  /** Whether the riff that is played begins anew at its end. */
  loop(on: boolean): void {
    this.looping.value = on
    this.player.command({ type: 'loop', on })
  }

  /** A riff of the gallery, from its beginning. */
  async open(riff: Riff): Promise<void> {
    this.linked.value = null
    const [sound, store] = await Promise.all([
      this.api.bytes(riff, 'wav'),
      columnsOfPicture(this.api.file(riff, 'png')),
    ])
    const { frames, channels } = await this.player.decoded(sound, this.sampleRate)
    this.ready = null
    this.clip.value = riff
    this.coming.value = null
    this.heard.value = null
    this.stage.value = { store, windows: new Windows(), turnSamples: frames.length / channels }
    this.looping.value = riff.verb === 'loop'
    const loop = this.looping.value
    this.player.command({ type: 'clip', frames, channels, loop }, [frames.buffer])
    await this.play()
  }

  /** Back from a riff to the stream, where it was. */
  async backToStream(): Promise<void> {
    await this.start()
  }

  record(on: boolean): void {
    this.recording.value = on
    this.player.command({ type: 'record', on, sampleRate: this.sampleRate })
  }

  /** Columns of a signal that were heard. */
  columns(source: number): ColumnStore | null {
    return this.signals.get(source)?.store ?? null
  }

  /** The session, where `source` is the stream that is open. */
  sessionOf(source: number): string | null {
    return source === this.streamSource ? (this.ready?.session ?? null) : null
  }

  /** The scene that comes back to the moment that is heard. */
  moment(): Scene {
    const window = this.heard.value
    if (!window) return this.scene.value
    const { prompts, seed, alpha } = window
    return { ...window.scene, prompts, seed, alpha }
  }

  /** To be called a few times a second. */
  tick(): void {
    const { signal, sample } = this.place()
    if (!this.streaming || !signal || this.player.source !== this.streamSource) return
    const window = signal.windows.at(sample)
    if (!window) return
    if (window !== this.heard.peek()) this.enter(window, sample)
    const [first, ...rest] = this.waiting.peek()
    const stayed = sample - this.since > STAY_S * this.sampleRate
    if (first && !this.coming.peek() && stayed) {
      this.waiting.value = rest
      this.mix.value = []
      this.turnTo(single(first.text))
    }
  }

  private enter(window: StreamWindow, sample: number): void {
    const before = this.heard.peek()
    this.heard.value = window
    const turned = before === null || !samePrompts(before.scene.prompts, window.scene.prompts)
    if (!turned) return
    this.since = sample
    const coming = this.coming.peek()
    if (coming && samePrompts(coming.prompts, window.scene.prompts)) this.coming.value = null
    const words = promptText(window.scene.prompts)
    if (words) this.history.value = remembered(this.history.peek(), words, MOST_HISTORY)
  }

  private async play(): Promise<void> {
    try {
      await this.player.play(this.sampleRate)
    } catch (error) {
      this.notice.value = `No sound here: ${error instanceof Error ? error.message : String(error)}`
    }
  }

  private received(event: WorkerEvent): void {
    switch (event.type) {
      case 'connection':
        this.connection.value = event.state
        this.notice.value = event.why
        break
      case 'ready':
        this.receivedReady(event.ready, event.source)
        break
      case 'window':
        this.signals.get(event.source)?.windows.add(event.window)
        break
      case 'scheduled': {
        const coming = this.coming.value
        const { id, from_sample: fromSample } = event.scheduled
        if (coming && coming.id === id) this.coming.value = { ...coming, fromSample }
        break
      }
      case 'status':
        this.status.value = event.status
        break
      case 'error':
        if (event.error.id === this.coming.value?.id) this.coming.value = null
        this.notice.value = event.error.message
        break
      case 'columns':
        this.signals
          .get(event.source)
          ?.store.add(
            event.first / (this.ready?.hop_length ?? HIFI.hopLength),
            event.count,
            event.levels,
          )
        break
      case 'clip':
        if (this.stage.value) this.keep(event.source, this.stage.value)
        break
      case 'recorded':
        this.recorded.value = event.recording
    }
  }

  private receivedReady(ready: Ready, source: number): void {
    this.ready = ready
    this.notice.value = ''
    this.streamSource = source
    if (this.signals.has(source)) return
    const store = new ColumnStore({
      sampleRate: ready.sample_rate,
      hopLength: ready.hop_length,
      nMels: ready.n_mels,
      fMinHz: ready.f_min_hz,
      fMaxHz: ready.f_max_hz,
      dbMin: ready.db_min,
      dbMax: ready.db_max,
    })
    const signal = { store, windows: new Windows() }
    this.keep(source, signal)
    this.stage.value = signal
  }

  /** Hold on to a signal and the one before it, which is heard until the new one begins. */
  private keep(source: number, signal: Signal): void {
    this.signals.set(source, signal)
    for (const old of this.signals.keys()) if (old < source - 1) this.signals.delete(old)
  }
}

function storedHistory(): string[] {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(HISTORY_KEY) ?? '[]')
    const texts = Array.isArray(value) ? value : []
    return texts.filter((text): text is string => typeof text === 'string').slice(0, MOST_HISTORY)
  } catch {
    return []
  }
}
