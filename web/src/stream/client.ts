import {
  PROTOCOL_VERSION,
  parseFrame,
  parseMessage,
  type ClientMessage,
  type ColumnsFrame,
  type ErrorMessage,
  type Ready,
  type Scene,
  type Scheduled,
  type SoundFrame,
  type Status,
  type StreamWindow,
} from './protocol'

export type Connection = 'idle' | 'connecting' | 'open' | 'lost' | 'refused'

/** What the client asks of the world around it. */
export interface ClientEvents {
  open(): void
  send(message: ClientMessage): void
  close(): void
  connection(state: Connection, why: string): void
  /** `fresh`: a signal that begins anew, not the one from before the connection was lost. */
  ready(ready: Ready, fresh: boolean): void
  window(window: StreamWindow): void
  scheduled(scheduled: Scheduled): void
  status(status: Status): void
  error(error: ErrorMessage): void
  sound(frame: SoundFrame): void
  columns(frame: ColumnsFrame): void
}

/** Where the player is, in samples of the signal. */
export interface Level {
  position: number
  underruns: number
  playing: boolean
}

const AHEAD_S = 2
const MOST_AHEAD_S = 12
const RETRY_S = [0.3, 1, 2, 4, 8]
/** Close codes after which another attempt makes no sense, and what to say. */
const FINAL: Record<number, string> = {
  4400: 'The server speaks another version of the protocol: reload the page.',
  4401: 'The server wants an API key.',
  4409: 'This stream was opened elsewhere.',
}
const BUSY = new Set([4429, 4503])
/** Errors that are followed by another attempt, not shown. */
const QUIET = new Set(['not_found', 'loading'])
export const LOADING = 'The model is being loaded.'
const BUSY_LINE = 'The server is busy. Trying again.'
const LOST_LINE = 'Connection lost. Reconnecting.'

/**
 * The client's side of the stream: idle -> connecting -> open -> lost -> connecting ...
 *
 * It owns no socket and no clock: they are handed in, so that every path can be tested. Asking is
 * all it does to keep the music coming: `want` names the sample up to which sound is welcome.
 */
export class StreamClient {
  private readonly events: ClientEvents
  private state: Connection = 'idle'
  private scene: Partial<Scene> = {}
  private key: string | undefined
  private session: string | null = null
  private sampleRate = 44100
  private nextSample = 0
  private until = 0
  private retries = 0
  private retryAt = Infinity
  /** Why the connection is about to be closed, as the server said. */
  private trouble = ''
  private place: { seed: number; alpha: number } | null = null

  constructor(events: ClientEvents) {
    this.events = events
  }

  /** Open a new stream; one that runs is left behind. */
  start(scene: Partial<Scene>, key?: string): void {
    if (this.state === 'open') this.events.send({ type: 'bye' })
    if (this.state !== 'idle') this.events.close()
    this.scene = scene
    this.key = key
    this.forget()
    this.retries = 0
    this.connect()
  }

  stop(): void {
    if (this.state === 'open') this.events.send({ type: 'bye' })
    this.change('idle', '')
    this.retryAt = Infinity
    this.events.close()
  }

  /** Change what is played; without a connection it is said when there is one. */
  changeScene(change: Partial<Scene>, id: number, at?: number): void {
    this.scene = { ...this.scene, ...change }
    if (change.seed !== undefined) this.place = null
    if (this.state !== 'open') return
    this.events.send({ type: 'scene', id, scene: change, ...(at === undefined ? {} : { at }) })
  }

  opened(): void {
    const resume = this.session && { session: this.session, next_sample: this.nextSample }
    this.events.send({
      type: 'hello',
      version: PROTOCOL_VERSION,
      ...(resume ? { resume } : { scene: { ...this.scene, ...this.place } }),
      ...(this.key ? { key: this.key } : {}),
    })
  }

  received(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      this.receivedFrame(data)
      return
    }
    const message = parseMessage(data)
    if (message?.type === 'ready') this.receivedReady(message)
    else if (message?.type === 'window') {
      this.place = { seed: message.seed, alpha: message.alpha }
      this.events.window(message)
    } else if (message?.type === 'scheduled') this.events.scheduled(message)
    else if (message?.type === 'status') this.events.status(message)
    else if (message?.type === 'error') {
      this.trouble = message.code
      if (!QUIET.has(message.code)) this.events.error(message)
    }
  }

  closed(code: number, now: number): void {
    if (this.state === 'idle') return
    const final = FINAL[code]
    if (final || code === 1000) {
      this.forget()
      this.change(final ? 'refused' : 'idle', final ?? '')
      return
    }
    if (code === 4404) this.forget()
    const busy = BUSY.has(code)
    const loading = busy && this.trouble === 'loading'
    this.trouble = ''
    const wait = loading
      ? 1
      : busy
        ? 5
        : code === 4404
          ? 0
          : RETRY_S[Math.min(this.retries, RETRY_S.length - 1)]!
    this.retries += 1
    this.retryAt = now + wait
    this.change('lost', loading ? LOADING : busy ? BUSY_LINE : LOST_LINE)
  }

  /** To be called a few times a second. `now` in seconds. */
  tick(now: number, level: Level): void {
    if (this.state === 'lost' && now >= this.retryAt) this.connect()
    if (this.state !== 'open' || !level.playing) return
    const ahead = Math.min(MOST_AHEAD_S, AHEAD_S + 2 * level.underruns)
    const until = level.position + Math.round(ahead * this.sampleRate)
    // A fifth of a second: often enough to keep up, seldom enough not to chatter.
    if (until < this.until + this.sampleRate / 5) return
    this.until = until
    const { position: heard, underruns } = level
    this.events.send({ type: 'want', until, heard, underruns })
  }

  private connect(): void {
    this.retryAt = Infinity
    this.change('connecting', '')
    this.events.open()
  }

  private receivedReady(ready: Ready): void {
    const fresh = this.session !== ready.session
    this.session = ready.session
    this.sampleRate = ready.sample_rate
    this.nextSample = ready.next_sample
    this.until = 0
    this.retries = 0
    this.scene = { ...ready.scene, ...this.scene }
    this.change('open', '')
    this.events.ready(ready, fresh)
  }

  private receivedFrame(data: ArrayBuffer): void {
    const frame = parseFrame(data)
    if (frame?.kind === 'columns') this.events.columns(frame)
    // A frame that does not go on from the one before would be heard as a jump.
    if (frame?.kind !== 'sound' || frame.firstSample !== this.nextSample) return
    this.nextSample += frame.count
    this.events.sound(frame)
  }

  private forget(): void {
    this.session = null
    this.nextSample = 0
    this.until = 0
  }

  private change(state: Connection, why: string): void {
    this.state = state
    this.events.connection(state, why)
  }
}
