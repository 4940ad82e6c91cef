/** Speaks the wire protocol for a stream that is made here: what a server does, for one listener. */
import { Cancelled, ParameterError } from '../errors'
import type { Model } from '../model/model'
import { breathing } from '../pipeline/paint'
import { RiffStream, type Made } from './engine'
import { columnBytes, soundBytes } from './frames'
import type { Scene } from '../protocol'
import { checkedScene, MAX_PROMPT_CHARS, MAX_STEPS, sceneAt } from './scene'
import { Session } from './session'

const AHEAD_S = 30
/** Assumed buffer of a player that does not say where it is. */
const LEAD_S = 2
/** Buffer needed to paint a window anew, in multiples of the time that a window takes. */
const HURRY = 1.5
const SILENT_S = 0.5
const STATUS_S = 1

/** What a client of the protocol says; see docs/protocol.md. */
export interface ClientMessage {
  type: string
  id?: number | string
  scene?: Partial<Scene>
  resume?: unknown
  at?: number
  until?: number
  heard?: number
  t?: number
}

/** Takes what is sent: messages as objects, frames as bytes. */
export type Send = (message: object | ArrayBuffer) => void

/** Gives its turn to one piece of work at a time. */
export type Turn = <T>(work: () => Promise<T>) => Promise<T>

const seconds = (): number => performance.now() / 1000

export class StreamHost {
  private readonly stream: RiffStream
  private session: Session | null = null
  private making: AbortController | null = null
  private makingFirst = 0
  private painting = false
  private speed: number | null = null
  private heard: number | null = null
  private heardAt = 0
  private statusAt = -Infinity
  private closed = false

  constructor(
    private readonly model: Model,
    private readonly send: Send,
    private readonly close: (code: number) => void,
    private readonly turn: Turn,
  ) {
    this.stream = new RiffStream(model)
  }

  received(message: ClientMessage): void {
    try {
      this.answer(message)
    } catch (error) {
      if (!(error instanceof ParameterError)) throw error
      const { id } = message
      this.send({
        ...{ type: 'error', code: 'invalid', message: error.message },
        ...(id === undefined ? {} : { id }),
      })
    }
  }

  /** Nobody listens any more. */
  end(): void {
    this.closed = true
    this.stopMaking()
  }

  private answer(message: ClientMessage): void {
    const { session } = this
    if (message.type === 'hello') this.open(message)
    else if (message.type === 'ping') this.send({ type: 'pong', t: message.t })
    else if (message.type === 'bye') {
      this.end()
      this.send({ type: 'end', reason: 'bye' })
      this.close(1000)
    } else if (!session) throw new ParameterError('the first message is hello')
    else if (message.type === 'want') {
      this.heard = message.heard ?? null
      this.heardAt = seconds()
      session.want(message.until ?? 0)
      this.pump()
    } else if (message.type === 'scene') this.change(session, message)
    else throw new ParameterError(`no message is called ${message.type}`)
  }

  private open({ scene, resume }: ClientMessage): void {
    if (resume) {
      this.send({ type: 'error', code: 'not_found', message: 'no such stream in this tab' })
      this.close(4404)
      return
    }
    const { sonogram, codec, name } = this.model.about
    const whole = checkedScene(scene ?? {})
    this.session = new Session(
      {
        sampleRate: sonogram.sample_rate,
        channels: 1,
        hopLength: sonogram.hop_length,
        mels: sonogram.n_mels,
        cellSamples: this.model.cellSamples,
        lagSamples: this.stream.lagSamples,
        columnLead: codec.look_ahead_frames,
      },
      whole,
      AHEAD_S * sonogram.sample_rate,
    )
    this.send({
      ...{ type: 'ready', version: 1, session: 'tab', next_sample: 0, channels: 1 },
      sample_rate: sonogram.sample_rate,
      hop_length: sonogram.hop_length,
      n_mels: sonogram.n_mels,
      f_min_hz: sonogram.f_min,
      f_max_hz: sonogram.f_max,
      db_min: sonogram.db_min,
      db_max: sonogram.db_max,
      model: name,
      scene: whole,
      limits: {
        max_steps: MAX_STEPS,
        max_prompt_chars: MAX_PROMPT_CHARS,
        ahead_s: AHEAD_S,
        resume_s: 0,
      },
    })
  }

  private change(session: Session, { scene, at, id }: ClientMessage): void {
    const whole = checkedScene(scene ?? {}, session.scene)
    session.reserve = this.reserveOf(session)
    const goesOn = this.isNeeded(session)
    const from = session.change(whole, at ?? null, goesOn)
    if (!goesOn && this.makingFirst + this.windowSamples > (at ?? 0)) this.stopMaking()
    this.send({
      ...{ type: 'scheduled', from_sample: from, scene: whole },
      ...(id === undefined ? {} : { id }),
    })
    this.pump()
  }

  /** Send what is there, and see that more is made. */
  private pump(): void {
    const { session } = this
    if (!session || this.closed) return
    for (let sent = session.outgoing(); sent; sent = session.outgoing()) sent.forEach(this.send)
    if (!this.making && this.isShort(session)) void this.makeAll(session)
    this.tellStatus(session)
  }

  private get windowSamples(): number {
    return this.model.about.latents.window * this.model.cellSamples
  }

  /** Whether to make a window: half a window beyond what is asked for is kept ready. */
  private isShort(session: Session): boolean {
    const ahead = session.until + this.windowSamples / 2
    return session.cutTo !== null || (session.until > 0 && session.madeUntil < ahead)
  }

  private async makeAll(session: Session): Promise<void> {
    const mine = new AbortController()
    this.making = mine
    try {
      while (!mine.signal.aborted && this.isShort(session)) {
        await this.makeWindow(session, mine.signal)
        if (mine.signal.aborted) return
        this.pump()
      }
    } catch (error) {
      if (error instanceof Cancelled) return
      this.send({ type: 'error', code: 'failed', message: wordsOfError(error) })
      this.end()
      this.close(1011)
    } finally {
      if (this.making === mine) this.making = null
    }
  }

  /** Cut the last window if it has to end early, else make the next one. */
  private async makeWindow(session: Session, signal: AbortSignal): Promise<void> {
    const { cutTo, state, stateBefore, cues } = session
    const { cellSamples } = this.model
    const before = cutTo === null ? state : stateBefore
    const start = before ?? this.stream.start()
    this.makingFirst = session.nextFirstSample
    let took = 0
    let made: Made
    if (cutTo !== null) made = this.stream.cut(start, state!, cutTo / cellSamples)
    else {
      this.painting = true
      try {
        made = await this.turn(async () => {
          const began = seconds()
          const result = await this.stream.next(cues, start, breathing(signal))
          took = seconds() - began
          return result
        })
      } finally {
        if (!signal.aborted) this.painting = false
      }
    }
    if (signal.aborted) return
    session.add({
      window: made.state.window!,
      firstColumn: start.columns,
      columns: columnBytes(made.columns, this.model.about.sonogram),
      firstSample: start.samples,
      sound: soundBytes(made.samples),
      state: made.state,
    })
    const { first_sample: first, end_sample: end } = made.state.window!
    if (cutTo === null) this.note((end - first) / session.form.sampleRate / Math.max(1e-6, took))
  }

  private note(speed: number): void {
    this.speed = this.speed === null ? speed : 0.5 * (this.speed + speed)
  }

  private stopMaking(): void {
    this.making?.abort()
    this.making = null
    this.painting = false
  }

  /** Upper estimate of the seconds that a window takes. */
  private windowS(session: Session): number {
    return this.windowSamples / session.form.sampleRate / Math.max(0.1, this.speed ?? 1)
  }

  /** Estimated seconds until the player reaches a sample. */
  private inHandS(session: Session, sample: number): number {
    const rate = session.form.sampleRate
    if (this.heard === null) return LEAD_S + (sample - session.nextSample) / rate
    return (sample - this.heard) / rate - Math.min(seconds() - this.heardAt, SILENT_S)
  }

  /** Samples to keep beyond those sent, if making another window takes long. */
  private reserveOf(session: Session): number {
    const windowS = this.windowS(session)
    const short = HURRY * windowS - this.inHandS(session, session.nextSample)
    return Math.round(session.form.sampleRate * Math.min(windowS, Math.max(0, short)))
  }

  /** Whether the window being made must be kept, because there is no time to start over. */
  private isNeeded(session: Session): boolean {
    if (!this.painting || session.nextSample === 0 || this.speed === null) return false
    if (sceneAt(session.cues, this.makingFirst).mode !== 'flow') return false
    return this.inHandS(session, session.madeUntil) < HURRY * this.windowS(session)
  }

  private tellStatus(session: Session): void {
    const now = seconds()
    if (now < this.statusAt + STATUS_S) return
    this.statusAt = now
    const behind = this.speed !== null && this.speed < 1
    this.send({
      type: 'status',
      state: session.satisfied ? 'ahead' : behind ? 'behind' : 'making',
      speed: this.speed ?? 0,
      made_s: session.madeUntil / session.form.sampleRate,
      queue: 0,
    })
  }
}

/** What went wrong, in words. */
export const wordsOfError = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
