/** The denoising loop: `sonoriff.pipeline.paint`, `prediction` and `canvas`, for flows. */
import { Cancelled } from '../errors'
import type { About } from '../model/about'
import { termsOf, type Conditioning, type Embedding, type Term } from '../model/conditioning'
import type { Batch, Networks } from '../model/networks'
import { Grid, roundEven } from './grid'
import { merged, windowColumns } from './tiling'

const OVERLAP = 0.25

/** What to move towards, what to move away from; a scale of 1 leaves the negative one out. */
export interface Guidance {
  positive: Conditioning
  negative: Conditioning
  scale: number
}

export interface Sampling {
  steps: number
  interval: [number, number]
  shift: number
}

/** What is painted, and on what; see `sonoriff.pipeline.canvas.Canvas`. */
export interface Canvas {
  noise: Grid
  guidance: Guidance
  source?: Grid
  /** One channel: the time at which a cell leaves the noised source; 0 never, 1 at once. */
  strength?: Grid
  overlap?: number
  circular?: boolean
  /** Seconds from the beginning of a bar to the first column; null is unknown. */
  sinceBeatS?: number | null
}

/** Told after each step; what it throws stops the work. */
export type OnStep = (step: number, steps: number) => void | Promise<void>

/** The settings that suit a model, with some of them changed. */
export const samplingOf = ({ defaults }: About, steps: number | null): Sampling => ({
  steps: steps ?? defaults.num_inference_steps,
  interval: defaults.guidance_interval,
  shift: defaults.shift,
})

/** Steps that are taken from a time below 1: as long ones as from 1. */
export const numberOfSteps = (steps: number, start: number): number =>
  Math.max(1, Math.ceil(steps * start - 1e-4))

/** Falling times from `start` to 0; see `sonoriff.diffusion.flow.sampling_times`. */
export function samplingTimes(steps: number, start: number, shift: number): number[] {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const time = i === steps ? 0 : 1 - i / steps
    return (start * shift * time) / (1 + (shift - 1) * time)
  })
}

/** Latents of a canvas. */
export async function paint(
  networks: Networks,
  canvas: Canvas,
  sampling: Sampling,
  onStep?: OnStep,
): Promise<Grid> {
  const { source, strength, noise } = canvas
  const start = strength ? strength.data.reduce((most, value) => Math.max(most, value), 0) : 1
  if (start === 0 && source) return source
  const steps = numberOfSteps(sampling.steps, start)
  const times = samplingTimes(steps, start, sampling.shift)
  const prediction = new Prediction(networks, canvas, sampling, start)
  let x = noise
  if (source && start < 1) {
    x = noise.map((value, i) => (1 - start) * source.data[i]! + start * value)
  }
  x = await sampleAb2((at, time) => prediction.velocity(at, time), x, times, onStep)
  if (!source || !strength) return x
  const cells = strength.data.length
  return x.map((value, i) => (strength.data[i % cells] === 0 ? source.data[i]! : value))
}

/**
 * Second-order Adams-Bashforth for uneven steps, one evaluation a step.
 *
 * Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I (1993), section III.5.
 */
async function sampleAb2(
  velocity: (x: Grid, time: number) => Promise<Grid>,
  start: Grid,
  times: number[],
  onStep?: OnStep,
): Promise<Grid> {
  let x = start
  let before: Grid | null = null
  for (let i = 0; i + 1 < times.length; i++) {
    const step = times[i + 1]! - times[i]!
    const now = await velocity(x, times[i]!)
    const last: Grid | null = before
    const ahead = last ? (0.5 * step) / (times[i]! - times[i - 1]!) : 0
    x = x.map((value, k) => {
      const slope = now.data[k]! + (last ? ahead * (now.data[k]! - last.data[k]!) : 0)
      return value + step * slope
    })
    before = now
    await onStep?.(i + 1, times.length - 1)
  }
  return x
}

interface Job {
  window: number
  term: Term
}

/** The guided prediction of a canvas: all windows and branches in one batch. */
class Prediction {
  private readonly overlap: number
  private readonly columns: number[][]
  private readonly plans = new Map<boolean, { jobs: Job[]; batch: Batch }>()
  private readonly known: { source: Grid[]; mask: Grid[] } | null

  constructor(
    private readonly networks: Networks,
    private readonly canvas: Canvas,
    private readonly sampling: Sampling,
    private readonly start: number,
  ) {
    const { noise, source, strength, circular = false, overlap = OVERLAP } = canvas
    const { window } = networks.about.latents
    this.overlap = roundEven(overlap * Math.min(window, noise.width))
    this.columns = windowColumns(noise.width, window, this.overlap, circular)
    const mask = strength?.map((value) => (value === 0 ? 1 : 0))
    this.known =
      source && mask?.data.includes(1)
        ? {
            source: this.columns.map((places) => source.columns(places)),
            mask: this.columns.map((places) => mask.columns(places)),
          }
        : null
  }

  async velocity(x: Grid, time: number): Promise<Grid> {
    const prediction = await this.whole(x, time)
    const { source, strength } = this.canvas
    if (!source || !strength) return prediction
    // The slack is for times that float32 has rounded.
    const least = Math.min(time, this.start) - 1e-6
    const cells = strength.data.length
    return prediction.map((value, i) =>
      strength.data[i % cells]! < least ? (x.data[i]! - source.data[i]!) / time : value,
    )
  }

  private async whole(x: Grid, time: number): Promise<Grid> {
    const [low, high] = this.sampling.interval
    const { jobs, batch } = this.plan(low <= time && time <= high)
    const pick = <T>(of: T[]) => jobs.map(({ window }) => of[window]!)
    const windows = this.columns.map((places) => x.columns(places))
    const results = await this.networks.velocity(
      pick(windows),
      time,
      batch,
      this.known ? pick(this.known.source) : undefined,
      this.known ? pick(this.known.mask) : undefined,
    )
    const parts = windows.map(({ channels, rows, width }) => new Grid(channels, rows, width))
    jobs.forEach(({ window, term }, n) => {
      const sum = parts[window]!.data
      const part = results[n]!.data
      for (let i = 0; i < sum.length; i++) sum[i]! += term.weight * part[i]!
    })
    return merged(parts, this.columns, x.width, this.overlap)
  }

  private plan(guided: boolean): { jobs: Job[]; batch: Batch } {
    let plan = this.plans.get(guided)
    if (!plan) {
      const terms = termsOfGuidance(this.canvas.guidance, guided)
      const jobs = this.columns.flatMap((_, window) => terms.map((term) => ({ window, term })))
      const batch = this.networks.batch(
        jobs.map(({ term }) => term.embedding),
        jobs.map(({ window }) => this.sinceBeatS(window)),
        this.columns[0]!.length,
      )
      plan = { jobs, batch }
      this.plans.set(guided, plan)
    }
    return plan
  }

  private sinceBeatS(window: number): number | null {
    const since = this.canvas.sinceBeatS ?? null
    if (since === null) return null
    const { cell, sonogram } = this.networks.about
    const cellS = (cell.columns * sonogram.hop_length) / sonogram.sample_rate
    return since + this.columns[window]![0]! * cellS
  }
}

/** All evaluations with their weights; equal embeddings are merged. */
function termsOfGuidance(guidance: Guidance, guided: boolean): Conditioning {
  const { positive, negative, scale } = guidance
  if (!guided || scale === 1) return positive
  const weights = new Map<Embedding, number>()
  const add = (terms: Conditioning, share: number) => {
    for (const { weight, embedding } of terms) {
      weights.set(embedding, (weights.get(embedding) ?? 0) + share * weight)
    }
  }
  add(positive, scale)
  add(negative, 1 - scale)
  return termsOf(weights)
}

/** Lets other messages in between two steps, and stops where one of them says so. */
export function breathing(signal: AbortSignal | undefined, onStep?: OnStep): OnStep {
  return async (step, steps) => {
    await onStep?.(step, steps)
    await new Promise((done) => setTimeout(done))
    if (signal?.aborted) throw new Cancelled('stopped')
  }
}
