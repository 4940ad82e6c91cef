/** What was made of a stream and what was sent: `sonoriff.server.streaming.session`. */
import { ParameterError } from '../errors'
import type { Scene, StreamWindow } from '../protocol'
import type { State } from './engine'
import { columnsFrame, MAX_COLUMNS, MAX_SAMPLES, soundFrame } from './frames'
import { pruned, withScene, type Cue } from './scene'

const MAX_CUES = 16
const KEEP_S = 10

/** Result of one call of the engine. */
export interface Chunk {
  window: StreamWindow
  firstColumn: number
  columns: Uint8Array
  firstSample: number
  /** Interleaved. */
  sound: Int16Array
  state: State | null
}

export interface Format {
  sampleRate: number
  channels: number
  hopLength: number
  mels: number
  cellSamples: number
  lagSamples: number
  /** Columns sent ahead of the sound, at most. */
  columnLead: number
}

/** A stream: its schedule, the chunks made so far, and how far they were sent. */
export class Session {
  cues: Cue[]
  nextSample = 0
  until = 0
  /** Samples beyond those sent that a change keeps. */
  reserve = 0
  /** Sample at which the last window has to end early. */
  cutTo: number | null = null
  private chunks: Chunk[] = []
  // Windows below this index have been sent at least in part.
  private opened = 0
  private nextWindow = 0
  private nextColumn = 0

  constructor(
    readonly form: Format,
    public scene: Scene,
    private readonly ahead: number,
  ) {
    this.cues = [{ scene, at: 0 }]
  }

  get madeUntil(): number {
    const last = this.chunks.at(-1)
    return last ? this.endSample(last) : 0
  }

  /** First sample of the next window. */
  get nextFirstSample(): number {
    return this.chunks.at(-1)?.window.end_sample ?? 0
  }

  get state(): State | null {
    return this.chunks.at(-1)?.state ?? null
  }

  /** State of the engine before the last window. */
  get stateBefore(): State | null {
    return this.chunks.at(-2)?.state ?? null
  }

  get satisfied(): boolean {
    return this.nextSample >= this.until
  }

  /** First sample at which another window may begin. */
  get freeFrom(): number {
    const { form, opened } = this
    const kept = this.nextSample + this.reserve + form.lagSamples
    const last = this.chunks
      .map(({ window }) => window)
      .findLast(({ index, first_sample: first }) => index < opened || (opened > 0 && first < kept))
    if (!last) return 0
    if (last.mode !== 'flow') return last.end_sample
    const soonest = Math.max(this.cellEnd(kept), last.first_sample + form.cellSamples)
    return Math.min(last.end_sample, soonest)
  }

  /** Ask for samples; `until` never falls and is capped. */
  want(until: number): void {
    this.until = Math.max(this.until, Math.min(until, this.nextSample + this.ahead))
  }

  /**
   * Turn to a scene; returns the first sample at which it may be heard.
   *
   * Windows that begin there or later are thrown away; a flow window around it is marked to be cut.
   * `goesOn` keeps the flow window that is being made.
   */
  change(scene: Scene, at: number | null, goesOn: boolean): number {
    let from = Math.max(this.freeFrom, at ?? 0)
    if (goesOn) {
      const kept = this.nextSample + this.reserve + this.form.lagSamples
      const soonest = this.nextFirstSample + this.form.cellSamples
      from = Math.max(from, this.cellEnd(kept), soonest)
    }
    const cues = withScene(this.cues, scene, from)
    if (cues.length > MAX_CUES) {
      throw new ParameterError(`at most ${MAX_CUES - 1} changes of scene may be to come`)
    }
    this.scene = scene
    while (this.chunks.length > 0) {
      const { window } = this.chunks.at(-1)!
      if (window.index < this.opened || window.first_sample < from) break
      this.chunks.pop()
      this.cutTo = null
    }
    this.cutAt(from)
    this.cues = pruned(cues, this.nextFirstSample)
    return Math.max(from, this.nextFirstSample)
  }

  /** Add the next window, or the last one after its cut. */
  add(chunk: Chunk): void {
    if (this.cutTo !== null) {
      this.chunks.pop()
      this.cutTo = null
    }
    const first = this.nextFirstSample
    this.chunks.push(chunk)
    // A change that came while this window was made and kept it.
    const cue = this.cues.find(({ at }) => at > first)
    if (cue) this.cutAt(cue.at)
    this.cues = pruned(this.cues, this.nextFirstSample)
  }

  /** The next messages up to one frame of sound; null if there is nothing to send. */
  outgoing(): (StreamWindow | ArrayBuffer)[] | null {
    const place = this.nextSample
    const chunk = this.chunks.find((one) => one.firstSample <= place && place < this.endSample(one))
    if (this.satisfied || !chunk) return null
    const { form } = this
    const messages: (StreamWindow | ArrayBuffer)[] = []
    for (const { window } of this.chunks) {
      if (window.index < this.nextWindow || window.index > chunk.window.index) continue
      if (window.end_sample > place) messages.push(window)
      this.nextWindow = window.index + 1
    }
    this.opened = Math.max(this.opened, chunk.window.index + 1)
    const stop = Math.min(place + MAX_SAMPLES, this.until, this.endSample(chunk))
    // No more columns than belong to the sound: what was sent cannot be changed.
    const lead = Math.ceil(stop / form.hopLength) + form.columnLead
    const lastColumn = Math.min(lead, this.endColumn(chunk))
    for (let first = this.nextColumn; first < lastColumn; first += MAX_COLUMNS) {
      const last = Math.min(lastColumn, first + MAX_COLUMNS)
      messages.push(
        columnsFrame(
          this.columns(first, last),
          form.channels,
          last - first,
          first * form.hopLength,
        ),
      )
    }
    this.nextColumn = Math.max(this.nextColumn, lastColumn)
    messages.push(soundFrame(this.sound(place, stop), form.channels, place))
    this.nextSample = stop
    this.forget()
    return messages
  }

  /** Columns in [start, stop) that are still there, one after the other. */
  columns(start: number, stop: number): Uint8Array {
    const size = this.form.channels * this.form.mels
    const result = new Uint8Array((stop - start) * size)
    for (const { firstColumn, columns } of this.chunks) {
      const part = columns.subarray(
        Math.max(0, start - firstColumn) * size,
        Math.max(0, stop - firstColumn) * size,
      )
      if (part.length > 0) result.set(part, Math.max(0, firstColumn - start) * size)
    }
    return result
  }

  /** Samples in [start, stop) that are still there, interleaved. */
  sound(start: number, stop: number): Int16Array {
    const { channels } = this.form
    const result = new Int16Array((stop - start) * channels)
    for (const { firstSample, sound } of this.chunks) {
      const part = sound.subarray(
        Math.max(0, start - firstSample) * channels,
        Math.max(0, stop - firstSample) * channels,
      )
      if (part.length > 0) result.set(part, Math.max(0, firstSample - start) * channels)
    }
    return result
  }

  /** First sample that `sound` still has. */
  get oldestSample(): number {
    return this.chunks[0]?.firstSample ?? 0
  }

  private endSample({ firstSample, sound }: Chunk): number {
    return firstSample + sound.length / this.form.channels
  }

  private endColumn({ firstColumn, columns }: Chunk): number {
    return firstColumn + columns.length / (this.form.channels * this.form.mels)
  }

  private cellEnd(sample: number): number {
    return Math.ceil(sample / this.form.cellSamples) * this.form.cellSamples
  }

  /** End the last window at a sample, if it is a flow window that goes beyond it. */
  private cutAt(sample: number): void {
    const last = this.chunks.at(-1)
    if (last?.window.mode !== 'flow') return
    const cell = this.cellEnd(sample)
    if (cell >= this.nextFirstSample) return
    this.cutTo = cell
    this.chunks[this.chunks.length - 1] = this.shortened(last, cell)
  }

  /** The part of a chunk that a cut cannot change; keeps its state. */
  private shortened(chunk: Chunk, end: number): Chunk {
    const { form } = this
    const settled = end - form.lagSamples
    const samples = Math.max(0, settled - chunk.firstSample)
    const last = Math.floor(settled / form.hopLength) + form.columnLead
    const columns = Math.max(0, last - chunk.firstColumn)
    this.nextWindow = Math.min(this.nextWindow, chunk.window.index)
    return {
      ...chunk,
      window: { ...chunk.window, end_sample: end },
      columns: chunk.columns.slice(0, columns * form.channels * form.mels),
      sound: chunk.sound.slice(0, samples * form.channels),
    }
  }

  /** Drop states that are no longer needed and chunks that are too old. */
  private forget(): void {
    for (const chunk of this.chunks) if (chunk.window.index < this.opened - 2) chunk.state = null
    const oldest = this.nextSample - KEEP_S * this.form.sampleRate
    while (this.chunks.length > 1 && this.endSample(this.chunks[0]!) < oldest) {
      if (this.chunks[0]!.window.index >= this.opened - 2) break
      this.chunks.shift()
    }
  }
}
