/** The verbs: a whole piece for a prompt, a loop, a source made anew in whole or in part. */
import { circleResampled, decodeLoop } from '../codec/circular'
import { decode } from '../codec/decoder'
import { findKey, findKeyOfPicture, LIKELY_KEY } from '../codec/key'
import { ParameterError } from '../errors'
import type { Attributes } from '../model/conditioning'
import type { Model } from '../model/model'
import { BEATS_PER_BAR, MAX_BPM, MIN_BPM, USUAL_BPM } from '../model/music'
import { Grid, modulo, range, roundEven } from './grid'
import { attributesOf, guidanceOf, type PromptSettings } from './guides'
import { noiseGrid } from './noise'
import { numberOfSteps, paint, samplingOf, type Canvas, type Guidance, type OnStep } from './paint'
import {
  framesOf,
  latentsFromPicture,
  pictureFromLatents,
  pictureFromValues,
  valuesFromPicture,
} from './pictures'

export interface Settings extends PromptSettings {
  seed?: number
  num_inference_steps?: number | null
  guidance_scale?: number | null
}

/** A finished piece: decibels and samples of each channel. */
export interface Piece {
  values: Grid
  samples: Float32Array[]
  settings: Record<string, unknown>
}

const MAX_DURATION_S = 600
const LOOP_OVERLAP = 0.5
/** A stroke reaches so many columns to each side; what is this much softer is not heard. */
const STROKE_FRAMES = 3
const RANGE = 1.3
/** The key is settled early: half of the steps suffice for a preview. */
const PREVIEW_STEPS = 0.5

/** A clip for a prompt; without a length it is one window. */
export async function generate(
  model: Model,
  settings: Settings & { duration_s?: number | null },
  onStep?: OnStep,
): Promise<Piece> {
  const { about, networks } = model
  const { duration_s: duration = null, seed = 0 } = settings
  if (duration !== null && !(duration > 0 && duration <= MAX_DURATION_S)) {
    throw new ParameterError(`duration must be above 0 and at most ${MAX_DURATION_S} s`)
  }
  const frames = framesOf(about, duration)
  const width = Math.ceil(frames / about.cell.columns)
  const noise = noiseGrid(about, width, seed)
  const told = await attributesOf(model.conditioner, settings, true)
  const guidance = await guidanceOfLong(model, settings, told, noise, 0)
  const latents = await paint(
    networks,
    { noise, guidance, sinceBeatS: 0 },
    samplingOf(about, settings.num_inference_steps ?? null),
    onStep,
  )
  const picture = (await pictureFromLatents(networks, latents)).slice(0, frames)
  const values = valuesFromPicture(picture, about.sonogram)
  const samples = decode(model.native, about.sonogram, values)
  return { values, samples, settings: { verb: 'generate', ...settings } }
}

/** Whole bars whose end meets their start. */
export async function loop(
  model: Model,
  settings: Settings & { bars?: number },
  onStep?: OnStep,
): Promise<Piece> {
  const { about, networks, native } = model
  const { sonogram: params, cell } = about
  const { bars = 4, seed = 0 } = settings
  const heard = await attributesOf(model.conditioner, { ...settings, bpm: null }, true)
  const bpm = settings.bpm ?? heard.bpm ?? USUAL_BPM
  const lengthS = (bars * BEATS_PER_BAR * 60) / bpm
  if (!(lengthS >= 1 && lengthS <= MAX_DURATION_S)) {
    throw new ParameterError(
      `${bars} bars at ${bpm} bpm last ${lengthS.toFixed(2)} s, a loop lasts from 1 to ` +
        `${MAX_DURATION_S} s: change the number of bars`,
    )
  }
  const columns = (lengthS * params.sample_rate) / params.hop_length
  const frames = roundEven(columns)
  const cells = Math.max(2, roundEven(columns / cell.columns))
  const told = Math.min(MAX_BPM, Math.max(MIN_BPM, (bpm * columns) / (cells * cell.columns)))
  const noise = noiseGrid(about, cells, seed)
  // The first bar begins in the middle of a cell: at the edge of one a model strikes harder.
  const early = Math.floor(cell.columns / 2)
  const sinceBeatS = (-early * params.hop_length) / params.sample_rate
  const attributes = { ...heard, bpm: told }
  const guidance = await guidanceOfLong(model, settings, attributes, noise, sinceBeatS)
  const latents = await paint(
    networks,
    { noise, guidance, overlap: LOOP_OVERLAP, circular: true, sinceBeatS },
    samplingOf(about, settings.num_inference_steps ?? null),
    onStep,
  )
  const whole = turned(await pictureFromLatents(networks, latents, true), early)
  const resampled = new Grid(whole.channels, whole.rows, frames)
  for (let row = 0; row < whole.channels * whole.rows; row++) {
    const line = whole.data.slice(row * whole.width, (row + 1) * whole.width)
    const values = circleResampled(line, frames)
    resampled.data.set(
      values.map((value) => Math.min(1, Math.max(-1, value))),
      row * frames,
    )
  }
  const picture = turned(resampled, plainestBar(resampled, bars))
  const values = valuesFromPicture(picture, params)
  const count = roundEven(lengthS * params.sample_rate)
  const samples = decodeLoop(native, params, values, count)
  return { values, samples, settings: { verb: 'loop', ...settings, bpm, loop_samples: count } }
}

/** Another way to play a source: image-to-image; a strength of 0 is the source, 1 ignores it. */
export async function remix(
  model: Model,
  source: Grid,
  settings: Settings & { strength?: number },
  onStep?: OnStep,
): Promise<Piece> {
  const { strength = 0.6 } = settings
  if (!(strength >= 0 && strength <= 1)) throw new ParameterError('strength must be in [0, 1]')
  return over(model, 'remix', source, () => strength, settings, onStep)
}

/** A part of a source made anew: where `mask`, of the size of its picture, is above a half. */
export async function inpaint(
  model: Model,
  source: Grid,
  mask: Grid,
  settings: Settings,
  onStep?: OnStep,
): Promise<Piece> {
  const { rows, columns } = model.about.cell
  const isFree = (row: number, cell: number): boolean => {
    for (let y = row * rows; y < (row + 1) * rows; y++) {
      for (let x = cell * columns; x < Math.min(mask.width, (cell + 1) * columns); x++) {
        if (mask.data[y * mask.width + x]! > 0.5) return true
      }
    }
    return false
  }
  return over(
    model,
    'inpaint',
    source,
    (row, cell) => (isFree(row, cell) ? 1 : 0),
    settings,
    onStep,
    mask,
  )
}

/** Paint over a source; `freedom` is the time at which each cell leaves it. */
async function over(
  model: Model,
  verb: string,
  source: Grid,
  freedom: (row: number, cell: number) => number,
  settings: Settings,
  onStep?: OnStep,
  mask?: Grid,
): Promise<Piece> {
  const { about, networks } = model
  const picture = pictureFromValues(source, about.sonogram)
  const latents = await latentsFromPicture(networks, picture)
  const strength = new Grid(1, latents.rows, latents.width)
  for (let row = 0; row < latents.rows; row++) {
    for (let cell = 0; cell < latents.width; cell++) {
      strength.data[row * latents.width + cell] = freedom(row, cell)
    }
  }
  const heard = await attributesOf(model.conditioner, settings, false)
  const sound = decode(model.native, about.sonogram, source.slice(0, KEY_FRAMES))
  const key = heard.key ? null : findKey(sound[0]!, about.sonogram.sample_rate, PLAIN_KEY)
  const attributes = key ? { ...heard, key: key[0], mode: key[1] } : heard
  const canvas: Canvas = {
    noise: noiseGrid(about, latents.width, settings.seed ?? 0),
    guidance: await guided(model, settings, attributes),
    source: latents,
    strength,
    sinceBeatS: null,
  }
  const sampling = samplingOf(about, settings.num_inference_steps ?? null)
  const painted = await paint(networks, canvas, sampling, onStep)
  const made = (await pictureFromLatents(networks, painted)).slice(0, source.width)
  // Outside of the mask the picture is the source's own, not what the decoder makes of it.
  const kept = mask
    ? made.map((value, i) => (mask.data[i]! > 0.5 ? value : picture.data[i]!))
    : made
  const values = valuesFromPicture(kept, about.sonogram)
  const samples = decode(model.native, about.sonogram, values)
  return { values, samples, settings: { verb, ...settings } }
}

const PLAIN_KEY = 0.65
const KEY_FRAMES = 690

const guided = (model: Model, settings: Settings, attributes: Attributes): Promise<Guidance> => {
  const { defaults } = model.about
  const scale = settings.guidance_scale ?? defaults.guidance_scale
  return guidanceOf(model.conditioner, settings, attributes, scale, defaults.paced_share)
}

/**
 * Guidance of a grid that may be longer than a window: its windows would each come out in a key of
 * their own, so the first one is previewed, and its key told to all.
 */
async function guidanceOfLong(
  model: Model,
  settings: Settings,
  attributes: Attributes,
  noise: Grid,
  sinceBeatS: number,
): Promise<Guidance> {
  const { about, networks } = model
  const guidance = await guided(model, settings, attributes)
  const { window } = about.latents
  if (attributes.key || noise.width <= window) return guidance
  const sampling = samplingOf(about, settings.num_inference_steps ?? null)
  const steps = numberOfSteps(sampling.steps, PREVIEW_STEPS)
  const canvas = { noise: noise.slice(0, window), guidance, sinceBeatS }
  const latents = await paint(networks, canvas, { ...sampling, steps })
  const values = valuesFromPicture(await pictureFromLatents(networks, latents), about.sonogram)
  const key = findKeyOfPicture(values, about.sonogram, LIKELY_KEY)
  return key ? guided(model, settings, { ...attributes, key: key[0], mode: key[1] }) : guidance
}

/** A circle that begins `by` columns later. */
const turned = (grid: Grid, by: number): Grid =>
  grid.columns(range(by, by + grid.width).map((place) => modulo(place, grid.width)))

/** The column of a circular picture at which the bar begins whose first stroke is most usual. */
function plainestBar(picture: Grid, bars: number): number {
  const { width, data } = picture
  const least = data.reduce((most, value) => Math.max(most, value), -1) - RANGE
  const rises = new Float32Array(width)
  for (let line = 0; line < picture.channels * picture.rows; line++) {
    for (let n = 0; n < width; n++) {
      const now = Math.max(least, data[line * width + n]!)
      const before = Math.max(least, data[line * width + modulo(n - 1, width)]!)
      rises[n]! += Math.max(0, now - before)
    }
  }
  const beats = bars * BEATS_PER_BAR
  const places = range(0, beats).map((beat) => roundEven((beat * width) / beats))
  const struck = places.map((place) =>
    Math.max(
      ...range(-STROKE_FRAMES, STROKE_FRAMES + 1).map((by) => rises[modulo(place + by, width)]!),
    ),
  )
  const mean = struck.reduce((sum, value) => sum + value, 0) / beats
  const unlike = range(0, bars).map((bar) => Math.abs(struck[bar * BEATS_PER_BAR]! - mean))
  return places[unlike.indexOf(Math.min(...unlike)) * BEATS_PER_BAR]!
}
