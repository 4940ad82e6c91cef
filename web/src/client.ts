/** Sonoriff's API and stream for other pages and programs, as one file: docs/protocol.md. */
import { StreamClient, type ClientEvents } from './stream/client'
import type { ColumnsFrame, Scene, SoundFrame, StreamWindow } from './stream/protocol'

export type { Kind, Riff } from './riffs/api'
export { ServerApi as Api } from './riffs/server'
export type { ColumnsFrame, Scene, SoundFrame, StreamWindow }

/** What a listener is told. */
export interface Heard {
  /** Interleaved samples in [-1, 1], without a gap, at `sampleRate`. */
  sound(frame: SoundFrame, sampleRate: number): void
  window?(window: StreamWindow): void
  columns?(frame: ColumnsFrame): void
  /** What is wrong, for people. */
  trouble?(line: string): void
}

const TICK_MS = 50

/** An endless stream, over a WebSocket that is opened again where it is lost. */
export class Listener {
  private readonly client: StreamClient
  private readonly timer: ReturnType<typeof setInterval>
  private socket: WebSocket | null = null
  private sampleRate = 44100
  private got = 0
  private used = 0
  private ids = 0

  /**
   * @param url of the stream, such as `new Api(server).streamUrl`
   * @param scene what to play; fields that are left out have the server's defaults
   */
  constructor(
    private readonly url: string,
    scene: Partial<Scene>,
    heard: Heard,
    key?: string,
  ) {
    const nothing = () => undefined
    const events: ClientEvents = {
      open: () => this.open(),
      send: (message) => this.socket?.send(JSON.stringify(message)),
      close: () => this.close(),
      connection: (_, why) => why && heard.trouble?.(why),
      ready: ({ sample_rate, next_sample }, fresh) => {
        this.sampleRate = sample_rate
        if (fresh) this.got = this.used = next_sample
      },
      window: (window) => heard.window?.(window),
      scheduled: nothing,
      status: nothing,
      error: ({ message }) => heard.trouble?.(message),
      sound: (frame) => {
        this.got = frame.firstSample + frame.count
        heard.sound(frame, this.sampleRate)
      },
      columns: (frame) => heard.columns?.(frame),
    }
    this.client = new StreamClient(events)
    this.client.start(scene, key)
    this.timer = setInterval(() => {
      const level = { position: this.used, underruns: 0, playing: true }
      this.client.tick(performance.now() / 1000, level)
    }, TICK_MS)
  }

  /** Samples that have come and were not yet used. */
  get waiting(): number {
    return this.got - this.used
  }

  /** Say how many samples were played or kept: some seconds are made ahead of them. */
  use(samples: number): void {
    this.used = Math.min(this.got, this.used + samples)
  }

  /** Play something else, as soon as the server can. */
  change(scene: Partial<Scene>): void {
    this.client.changeScene(scene, ++this.ids)
  }

  stop(): void {
    clearInterval(this.timer)
    this.client.stop()
  }

  private open(): void {
    const mine = new WebSocket(this.url)
    mine.binaryType = 'arraybuffer'
    mine.onopen = () => mine === this.socket && this.client.opened()
    mine.onmessage = ({ data }) =>
      mine === this.socket && this.client.received(data as string | ArrayBuffer)
    mine.onclose = ({ code }) => {
      if (mine !== this.socket) return
      this.socket = null
      this.client.closed(code, performance.now() / 1000)
    }
    this.socket = mine
  }

  private close(): void {
    const old = this.socket
    this.socket = null
    old?.close(1000)
  }
}
