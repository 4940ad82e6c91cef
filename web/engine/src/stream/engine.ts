/** The stream: state in; columns, samples and the next state out. `sonoriff.stream.engine`. */
import { StreamingDecoder } from '../codec/decoder'
import { findKey, LIKELY_KEY } from '../codec/key'
import { seedOfUnit } from '../math/random'
import { summed, type Attributes, type Conditioning } from '../model/conditioning'
import type { Model } from '../model/model'
import { bpmInPrompt, USUAL_KIND } from '../model/music'
import { parsePrompt } from '../model/prompts'
import { Grid, roundEven } from '../pipeline/grid'
import { keyBeside, negativeCondition, withEnergy } from '../pipeline/guides'
import { noiseGrid, slerp } from '../pipeline/noise'
import { paint, samplingOf, type Canvas, type Guidance, type OnStep } from '../pipeline/paint'
import { latentsFromPicture, valuesFromPicture } from '../pipeline/pictures'
import {
  Bars,
  begun,
  blendAt,
  entered,
  keyOf,
  moved,
  shareAt,
  wordsIn,
  type Position,
} from './position'
import { Riff } from './riff'
import type { Scene, StreamWindow, WeightedPrompt } from '../protocol'
import { heaviest, sceneAt, type Cue } from './scene'

/** Share of the model's window that the first one has. */
const FIRST = 1 / 2
/** Cells kept back until their successors are known: the decoder looks at its neighbours. */
const HOLD_CELLS = 4
/** Shares of the model's window that are seen of what came before. */
const FLOW_CONTEXT = 3 / 8
const RIFF_CONTEXT = 1 / 4
/** Cells painted beyond a unit of a riff. */
const SPARE_CELLS = 1
const MEMORY = 64

/** All that a stream is at a moment; never changed. */
export interface State {
  decoder: StreamingDecoder
  cells: number
  columns: number
  samples: number
  /** The last of the settled cells; null at the start. */
  latents: Grid | null
  /** Decibels of the columns that the last window gave out. */
  given: Grid | null
  window: StreamWindow | null
  position: Position | null
  riff: Riff | null
}

export interface Made {
  /** Decibels, from the column `before.columns` on. */
  columns: Grid
  /** Of each channel, from the sample `before.samples` on. */
  samples: Float32Array[]
  state: State
}

interface Plan {
  position: Position
  riff: Riff | null
  newCells: number
  blend: WeightedPrompt[]
  kept: Grid
  known: number
  canvas: Canvas
}

/** Endless music of a model. */
export class RiffStream {
  private readonly conditions = new Map<string, Conditioning>()
  private readonly tempi = new Map<string, number | null>()

  constructor(private readonly model: Model) {}

  /** The state before the first sample. */
  start(): State {
    const { native, about } = this.model
    const decoder = new StreamingDecoder(native, about.sonogram)
    const nothing = { latents: null, given: null, window: null, position: null, riff: null }
    return { decoder, cells: 0, columns: 0, samples: 0, ...nothing }
  }

  /** The sound of a window ends at most so many samples before the window. */
  get lagSamples(): number {
    const { codec, sonogram } = this.model.about
    return HOLD_CELLS * this.model.cellSamples + codec.look_ahead_frames * sonogram.hop_length
  }

  /** The next window; what `onStep` throws stops the work. */
  async next(cues: Cue[], state: State, onStep?: OnStep): Promise<Made> {
    const { about, networks, cellSamples } = this.model
    const plan = await this.plan(cues, state)
    const { position, newCells } = plan
    const sampling = samplingOf(about, position.scene.num_inference_steps)
    const painted = await paint(networks, plan.canvas, sampling, onStep)
    const latents = Grid.joined([plan.kept, painted.slice(plan.known)])
    const start = state.cells + newCells - latents.width + (plan.riff ? SPARE_CELLS : 0)
    const picture = await networks.decode(latents)
    const first = state.cells * cellSamples
    const added = plan.riff ? newCells : this.untilCue(cues, state, newCells)
    let { riff } = plan
    if (riff) {
      const renewing = riff.renewing || shareAt(position.morph, first) < 1
      riff = riff.with({ renewing }).played(picture, start * about.cell.columns)
    }
    const cells = state.cells + added
    const after: State = {
      ...state,
      cells,
      latents: latents.slice(0, cells - start),
      window: this.window(state, position, plan.blend, added),
      position: moved(position, paceOf(position, riff)),
      riff,
    }
    const part = this.part(picture, state.columns, start, this.settledColumns(cells))
    return this.given(state, after, part)
  }

  /** What `next` would have given if a cue lay at `cells`, inside its window of flow. */
  cut(before: State, after: State, cells: number): Made {
    const { latents, window, given } = after
    if (after.riff || !latents || !window || !given) throw new Error('only flow can be cut')
    const short: State = {
      ...after,
      cells,
      latents: latents.slice(0, latents.width - (after.cells - cells)),
      window: { ...window, end_sample: cells * this.model.cellSamples },
    }
    const count = Math.max(0, this.settledColumns(cells) - before.columns)
    return this.given(before, short, given.slice(0, count))
  }

  private async plan(cues: Cue[], state: State): Promise<Plan> {
    const { about, networks, cellSamples } = this.model
    const first = state.cells * cellSamples
    const scene = sceneAt(cues, first)
    const rate = about.sonogram.sample_rate
    const likely = await this.likelyBpm(scene)
    let position = state.position
      ? entered(state.position, scene, first, rate, likely)
      : begun(scene, rate, likely)
    const riff = this.riffAt(state.riff, position, first)
    if (riff) position = { ...position, bars: riff.bars }
    const newCells = this.newCells(state, riff)
    const width = newCells + (riff ? SPARE_CELLS : 0)
    const blend = blendAt(position.morph, (state.cells + newCells) * cellSamples)
    const noise = this.noise(position, riff, width)
    const { channels, rows } = noise
    const most = this.cellsOf(FLOW_CONTEXT)
    const { latents } = state
    const kept = latents ? latents.slice(Math.max(0, latents.width - most)) : noise.slice(0, 0)
    const seen = this.contextCells(riff, width)
    const known = kept.slice(Math.max(0, kept.width - seen))
    const { columns } = about.cell
    const guide = riff?.guide(state.cells * columns, (state.cells + width) * columns) ?? null
    const source = guide
      ? await latentsFromPicture(networks, guide)
      : new Grid(channels, rows, width)
    const free = new Grid(1, rows, width).map(() => (guide ? scene.strength : 1))
    const zeros = new Grid(channels, rows, known.width)
    const canvas: Canvas = {
      noise: Grid.joined([zeros, noise]),
      guidance: await this.guidance(position, blend),
      source: Grid.joined([known, source]),
      strength: Grid.joined([new Grid(1, rows, known.width), free]),
      sinceBeatS: position.bars
        ? ((state.cells - known.width) * cellSamples - position.bars.origin) / rate
        : null,
    }
    return { position, riff, newCells, blend, kept, known: known.width, canvas }
  }

  private cellsOf(share: number): number {
    return roundEven(share * this.model.about.latents.window)
  }

  private contextCells(riff: Riff | null, width: number): number {
    const most = this.cellsOf(riff ? RIFF_CONTEXT : FLOW_CONTEXT)
    return Math.min(most, Math.max(0, this.model.about.latents.window - width))
  }

  private newCells(state: State, riff: Riff | null): number {
    if (riff) return Math.max(1, roundEven(riff.unitEnd / this.model.cellSamples) - state.cells)
    return Math.max(1, this.cellsOf(state.latents ? 1 - FLOW_CONTEXT : FIRST))
  }

  /** The riff to go on with, or a new one where mode, tempo or length have changed. */
  private riffAt(riff: Riff | null, { scene, bars }: Position, first: number): Riff | null {
    if (scene.mode !== 'riff' || !bars) return null
    const { latents, sonogram } = this.model.about
    const room = latents.window * (1 - RIFF_CONTEXT) - SPARE_CELLS
    // A riff counts from where it begins, on a bar or not.
    const own = new Bars(bars.bpm, first, bars.sampleRate)
    const fresh = Riff.begun(own, sonogram.hop_length, scene.bars, room * this.model.cellSamples)
    if (!riff || riff.bars.bpm !== own.bpm) return fresh
    const same = riff.unitBeats === fresh.unitBeats && riff.units === fresh.units
    return same ? riff : fresh
  }

  /** Noise of a place on the walk, another one for each unit of a riff. */
  private noise({ walk }: Position, riff: Riff | null, width: number): Grid {
    const unit = riff?.place ?? 0
    const of = (seed: number) => noiseGrid(this.model.about, width, seedOfUnit(seed, unit))
    const first = of(walk.seed)
    return walk.alpha === 0 ? first : slerp(first, of(walk.seed + 1), walk.alpha)
  }

  private async guidance(position: Position, blend: WeightedPrompt[]): Promise<Guidance> {
    const { defaults } = this.model.about
    const { scene } = position
    const conditions: Conditioning[] = []
    for (const { text } of blend) {
      const attributes = attributesIn(position, wordsIn(text))
      conditions.push(await this.encoded(text, attributes, scene.energy))
    }
    const weights = blend.map(({ weight }) => weight)
    const positive = conditions.length === 1 ? conditions[0]! : summed(conditions, weights)
    const negative = await negativeCondition(
      (attributes) => this.encoded(scene.negative_prompt, attributes),
      attributesIn(position, wordsIn(heaviest(scene))),
      defaults.paced_share,
    )
    return { positive, negative, scale: scene.guidance_scale ?? defaults.guidance_scale }
  }

  /** A prompt, with the words of an energy where it is one to be heard. */
  private async encoded(
    text: string,
    attributes: Attributes,
    energy: number | null = null,
  ): Promise<Conditioning> {
    return remembered(this.conditions, JSON.stringify([text, attributes, energy]), () =>
      this.model.conditioner.encode(withEnergy(parsePrompt(text), energy), attributes),
    )
  }

  private async likelyBpm(scene: Scene): Promise<number | null> {
    const text = heaviest(scene)
    return remembered(this.tempi, text, () => this.model.conditioner.likelyBpm(text))
  }

  /** Columns that cells to come no longer change. */
  private settledColumns(cells: number): number {
    return Math.max(0, cells - HOLD_CELLS) * this.model.about.cell.columns
  }

  /** Cells of a window that ends where the scene changes. */
  private untilCue(cues: Cue[], state: State, newCells: number): number {
    const first = state.cells * this.model.cellSamples
    const ends = cues
      .filter(({ at }) => at > first)
      .map(({ at }) => Math.ceil(at / this.model.cellSamples) - state.cells)
    return Math.min(newCells, ...ends)
  }

  /** Columns [first, stop) of a picture that begins at the cell `start`. */
  private part(picture: Grid, first: number, start: number, stop: number): Grid {
    const { cell, sonogram } = this.model.about
    const skip = start * cell.columns
    return valuesFromPicture(picture.slice(first - skip, Math.max(stop, first) - skip), sonogram)
  }

  /** Columns that follow those of `before`, their sound, and `after` with both counted. */
  private given(before: State, after: State, columns: Grid): Made {
    const decoder = before.decoder.clone()
    const samples = decoder.push(columns)
    const state: State = {
      ...after,
      decoder,
      position: after.position && this.heard(before.position, after.position, samples[0]!),
      given: columns,
      columns: before.columns + columns.width,
      samples: before.samples + samples[0]!.length,
    }
    return { columns, samples, state }
  }

  /** The position with the key to go on in: that of before, else that of `samples`, if any. */
  private heard(before: Position | null, after: Position, samples: Float32Array): Position {
    const { scene } = after
    let key = before?.key ?? null
    if (scene.prompts.some(({ text }) => keyOf(scene, wordsIn(text)))) key = null
    else if (!key && samples.length > 0) {
      key = findKey(samples, this.model.about.sonogram.sample_rate, LIKELY_KEY)
    }
    return { ...after, key }
  }

  private window(
    state: State,
    position: Position,
    prompts: WeightedPrompt[],
    newCells: number,
  ): StreamWindow {
    const first = state.cells * this.model.cellSamples
    const { scene, bars, walk } = position
    const key = keyOf(scene, wordsIn(heaviest(scene))) ?? position.key
    return {
      type: 'window',
      index: state.window ? state.window.index + 1 : 0,
      first_sample: first,
      end_sample: first + newCells * this.model.cellSamples,
      mode: scene.mode,
      prompts,
      negative_prompt: scene.negative_prompt,
      seed: walk.seed,
      alpha: walk.alpha,
      bpm: bars?.bpm ?? null,
      key: key ? key.filter(Boolean).join(' ') : null,
      strength: scene.strength,
      bar: bars ? bars.barAt(first) : null,
      first_bar_sample: bars ? bars.nextBar(first) : null,
      scene,
    }
  }
}

/** How far the seed moves after a window. */
function paceOf({ scene }: Position, riff: Riff | null): number {
  if (!riff) return 1
  return riff.place === 0 ? scene.walk : 0
}

function attributesIn(position: Position, words: string): Attributes {
  const { energy, chords } = position.scene
  // A key that was only heard must not contradict the chords that were asked for.
  const named = keyOf(position.scene, words) ?? (chords ? null : position.key) ?? [null, null]
  const [key, mode] = keyBeside(chords, named)
  const bpm = position.bars?.bpm ?? bpmInPrompt(words)
  return { bpm, key, mode, kind: USUAL_KIND, energy, chords }
}

async function remembered<T>(
  memory: Map<string, T>,
  name: string,
  make: () => Promise<T>,
): Promise<T> {
  if (!memory.has(name)) {
    if (memory.size >= MEMORY) memory.delete(memory.keys().next().value!)
    memory.set(name, await make())
  }
  return memory.get(name)!
}
