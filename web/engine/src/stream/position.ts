/** Where a stream is: its seeds, its bars, its morph. `sonoriff.stream.position`. */
import {
  BEATS_PER_BAR,
  bpmInPrompt,
  keyInPrompt,
  parseKey,
  STREAM_MAX_BPM,
  STREAM_MIN_BPM,
  USUAL_BPM,
  type Key,
} from '../model/music'
import { parsePrompt, wordsOf } from '../model/prompts'
import { roundEven } from '../pipeline/grid'
import type { Scene, WeightedPrompt } from '../protocol'
import { heaviest, sameScene } from './scene'

/** A place on the path through seeds: a share of the way from one to the next. */
export interface Walk {
  seed: number
  alpha: number
}

/** A tempo and the sample at which its first bar began. */
export class Bars {
  constructor(
    readonly bpm: number,
    readonly origin: number,
    readonly sampleRate: number,
  ) {}

  get beatSamples(): number {
    return (60 / this.bpm) * this.sampleRate
  }

  get barSamples(): number {
    return BEATS_PER_BAR * this.beatSamples
  }

  /** Number of the bar, with its fraction. */
  barAt(sample: number): number {
    return (sample - this.origin) / this.barSamples
  }

  /** First sample at or after `sample` at which a bar begins. */
  nextBar(sample: number): number {
    const number = Math.ceil(this.barAt(sample) - 1e-9)
    return Math.max(sample, roundEven(this.origin + number * this.barSamples))
  }
}

/** A blend of prompts on its way to another; a length of 0 is at once. */
export interface Morph {
  before: WeightedPrompt[]
  after: WeightedPrompt[]
  start: number
  length: number
}

/** How much of the way is done. */
export function shareAt({ start, length }: Morph, sample: number): number {
  return length <= 0 ? 1 : Math.min(1, Math.max(0, (sample - start) / length))
}

/** Prompts and their shares, which add up to 1. */
export function blendAt(morph: Morph, sample: number): WeightedPrompt[] {
  const share = shareAt(morph, sample)
  const totals = new Map<string, number>()
  for (const [blend, part] of [
    [morph.before, 1 - share],
    [morph.after, share],
  ] as const) {
    const whole = blend.reduce((sum, { weight }) => sum + weight, 0)
    for (const { text, weight } of blend) {
      totals.set(text, (totals.get(text) ?? 0) + (part * weight) / whole)
    }
  }
  return [...totals]
    .filter(([, total]) => total > 1e-6)
    .map(([text, total]) => ({ text, weight: total }))
}

/** The scene in force and what has to be remembered of those before. */
export interface Position {
  scene: Scene
  walk: Walk
  morph: Morph
  bars: Bars | null
  /** Heard in what was made; scenes that name none go on in it. */
  key: Key | null
}

export function begun(scene: Scene, sampleRate: number, likelyBpm: number | null): Position {
  const bpm = tempoOf(scene, likelyBpm)
  return {
    scene,
    walk: { seed: scene.seed, alpha: scene.alpha },
    morph: { before: scene.prompts, after: scene.prompts, start: 0, length: 0 },
    bars: bpm ? new Bars(bpm, 0, sampleRate) : null,
    key: null,
  }
}

/** The position once `scene` is in force at `sample`. */
export function entered(
  position: Position,
  scene: Scene,
  sample: number,
  sampleRate: number,
  likelyBpm: number | null,
): Position {
  const before = position.scene
  if (sameScene(scene, before)) return position
  let { walk, morph, bars } = position
  if (scene.seed !== before.seed || scene.alpha !== before.alpha) {
    walk = { seed: scene.seed, alpha: scene.alpha }
  }
  const bpm = tempoOf(scene, likelyBpm)
  if (bpm !== (bars?.bpm ?? null)) bars = bpm ? new Bars(bpm, sample, sampleRate) : null
  if (JSON.stringify(scene.prompts) !== JSON.stringify(before.prompts)) {
    const bar = bars ? bars.barSamples : 2 * sampleRate
    const now = blendAt(morph, sample)
    morph = { before: now, after: scene.prompts, start: sample, length: scene.morph_bars * bar }
  }
  return { ...position, scene, walk, morph, bars }
}

/** The position with its seed `by` further. */
export function moved(position: Position, by: number): Position {
  const total = position.walk.alpha + by
  const whole = Math.floor(total + 1e-9)
  const walk = { seed: position.walk.seed + whole, alpha: Math.max(0, total - whole) }
  return { ...position, walk }
}

/** Beats a minute: the scene's, else those that its heaviest prompt names, else the likely. */
function tempoOf(scene: Scene, likelyBpm: number | null): number | null {
  if (scene.bpm !== null) return scene.bpm
  for (const bpm of [bpmInPrompt(wordsIn(heaviest(scene))), likelyBpm]) {
    if (bpm !== null && bpm >= STREAM_MIN_BPM && bpm <= STREAM_MAX_BPM) return bpm
  }
  return scene.mode === 'riff' || scene.chords ? USUAL_BPM : null
}

/** The key that a scene, or else the words of one of its prompts, name. */
export const keyOf = (scene: Scene, words: string): Key | null =>
  scene.key === null ? keyInPrompt(words) : parseKey(scene.key)

/** The words of a prompt without its weights. */
export const wordsIn = (text: string): string => wordsOf(parsePrompt(text))
