/** Scenes and their schedule: `sonoriff.stream.scene`, by the wire protocol's names. */
import { ParameterError } from '../errors'
import { parseProgression } from '../model/chords'
import { parseKey, STREAM_MAX_BPM, STREAM_MIN_BPM } from '../model/music'
import { parsePrompt } from '../model/prompts'
import { DEFAULT_SCENE, type Scene } from '../protocol'

export const MAX_STEPS = 50
export const MAX_PROMPT_CHARS = 500
const MAX_PROMPTS = 4
const BARS = [1, 2, 4, 8]
/** Lowest and highest; a bound that is itself out of range is left open. */
const RANGES: [keyof Scene, number, number][] = [
  ['bpm', STREAM_MIN_BPM, STREAM_MAX_BPM],
  ['energy', 1, 5],
  ['seed', 0, Number.MAX_SAFE_INTEGER],
  ['alpha', 0, 1 - Number.EPSILON / 2],
  ['walk', 0, 1],
  ['strength', Number.MIN_VALUE, 1],
  ['morph_bars', 0, 64],
  ['guidance_scale', 1, 20],
  ['num_inference_steps', 1, MAX_STEPS],
]

/** What may be left to the prompt, or to the model. */
const OPEN = new Set<keyof Scene>(['bpm', 'energy', 'guidance_scale'])

/** A whole scene; a ParameterError for what makes no sense. */
export function checkedScene(fields: Partial<Scene>, before: Scene = DEFAULT_SCENE): Scene {
  const scene = { ...before, ...fields }
  const unknown = Object.keys(scene).find((name) => !(name in DEFAULT_SCENE))
  if (unknown) throw new ParameterError(`a scene has no ${unknown}`)
  if (scene.mode !== 'flow' && scene.mode !== 'riff') {
    throw new ParameterError(`mode must be "flow" or "riff", got ${JSON.stringify(scene.mode)}`)
  }
  const { prompts, negative_prompt: negative } = scene
  if (!Array.isArray(prompts) || prompts.length < 1 || prompts.length > MAX_PROMPTS) {
    throw new ParameterError(`need 1 to ${MAX_PROMPTS} prompts`)
  }
  for (const { text, weight } of [...prompts, { text: negative, weight: 1 }]) {
    if (typeof text !== 'string' || text.length > MAX_PROMPT_CHARS) {
      throw new ParameterError(`a prompt has at most ${MAX_PROMPT_CHARS} characters`)
    }
    if (!(weight > 0 && weight <= 100)) {
      throw new ParameterError(`a prompt's weight must be in (0, 100], got ${weight}`)
    }
    parsePrompt(text)
  }
  for (const [name, low, high] of RANGES) {
    const value = scene[name]
    if (value === null && OPEN.has(name)) continue
    if (typeof value !== 'number' || !(value >= low && value <= high)) {
      throw new ParameterError(`${name} must be in [${low}, ${high}], got ${JSON.stringify(value)}`)
    }
  }
  if (![scene.seed, scene.num_inference_steps, scene.energy ?? 1].every(Number.isInteger)) {
    throw new ParameterError('seed, energy and num_inference_steps must be whole numbers')
  }
  if (scene.bars !== null && !BARS.includes(scene.bars)) {
    throw new ParameterError(`bars must be 1, 2, 4 or 8, got ${scene.bars}`)
  }
  if (scene.key !== null) parseKey(scene.key)
  if (scene.chords !== null) parseProgression(scene.chords)
  return scene
}

/** A scene and the first sample at which it may be heard. */
export interface Cue {
  scene: Scene
  at: number
}

/** The scene in force at a sample. */
export const sceneAt = (cues: Cue[], sample: number): Scene =>
  cues.findLast(({ at }) => at <= sample)!.scene

/** The same up to `at`, then `scene`. */
export function withScene(cues: Cue[], scene: Scene, at: number): Cue[] {
  const before = cues.filter((cue) => cue.at < at)
  return [...before, { scene, at: before.length > 0 ? at : 0 }]
}

/** The schedule without cues that end before `sample`. */
export function pruned(cues: Cue[], sample: number): Cue[] {
  const inForce = cues.findLastIndex(({ at }) => at <= sample)
  return [{ scene: cues[inForce]!.scene, at: 0 }, ...cues.slice(inForce + 1)]
}

export const sameScene = (a: Scene, b: Scene): boolean => JSON.stringify(a) === JSON.stringify(b)

/** The text of the prompt that weighs most, the first of equals. */
export const heaviest = ({ prompts }: Scene): string =>
  prompts.reduce((most, prompt) => (prompt.weight > most.weight ? prompt : most)).text
