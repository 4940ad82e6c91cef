import type { Scene } from '../stream/protocol'
import { mistakeInChords } from './chords'
import { keyNamed } from './keys'
import { MAX_SEED } from './scene'

const NUMBERS: Record<string, [keyof Scene, number, number]> = {
  seed: ['seed', 0, MAX_SEED],
  alpha: ['alpha', 0, 0.9999],
  bpm: ['bpm', 30, 300],
  energy: ['energy', 1, 5],
  strength: ['strength', 0.01, 1],
  walk: ['walk', 0, 1],
  morph: ['morph_bars', 0, 64],
  guidance: ['guidance_scale', 1, 20],
  steps: ['num_inference_steps', 1, 50],
}
/** The query of a link that plays a riff of this server. */
export const linkFromRiff = (id: string): string => `?${new URLSearchParams({ riff: id })}`

/** The riff that a link names, or null. */
export function riffFromLink(link: string): string | null {
  const id = new URLSearchParams(link).get('riff')
  return id && /^[\w-]{1,64}$/.test(id) ? id : null
}

const WHOLE = new Set(['seed', 'steps', 'energy'])
const MAX_TEXT = 500
const MAX_PROMPTS = 4

/** The query of a link that plays this scene: "?prompt=...&seed=...". */
export function linkFromScene(scene: Scene): string {
  const query = new URLSearchParams()
  for (const { text, weight } of scene.prompts) {
    query.append('prompt', text)
    query.append('weight', String(weight))
  }
  if (scene.negative_prompt) query.set('negative', scene.negative_prompt)
  query.set('mode', scene.mode)
  if (scene.key) query.set('key', scene.key)
  if (scene.chords) query.set('chords', scene.chords)
  if (scene.bars) query.set('bars', String(scene.bars))
  for (const [name, [field]] of Object.entries(NUMBERS)) {
    const value = scene[field]
    if (value !== null) query.set(name, String(value))
  }
  return `?${query.toString()}`
}

/** What a link says; whatever makes no sense in it is left out. */
export function sceneFromLink(link: string): Partial<Scene> {
  const query = new URLSearchParams(link)
  const scene: Partial<Scene> = {}
  const texts = query.getAll('prompt').filter((text) => text.trim() !== '')
  const weights = query.getAll('weight').map(Number)
  if (texts.length > 0) {
    scene.prompts = texts.slice(0, MAX_PROMPTS).map((text, i) => {
      const weight = weights[i] ?? 1
      return { text: text.slice(0, MAX_TEXT), weight: weight > 0 && weight <= 100 ? weight : 1 }
    })
  }
  const negative = query.get('negative')
  if (negative) scene.negative_prompt = negative.slice(0, MAX_TEXT)
  const mode = query.get('mode')
  if (mode === 'flow' || mode === 'riff') scene.mode = mode
  const key = keyNamed(query.get('key') ?? '')
  if (key) scene.key = key
  const chords = query.get('chords')
  if (chords && chords.length <= MAX_TEXT && !mistakeInChords(chords)) scene.chords = chords
  const bars = Number(query.get('bars'))
  if ([1, 2, 4, 8].includes(bars)) scene.bars = bars
  const numbers: Record<string, number> = {}
  for (const [name, [field, low, high]] of Object.entries(NUMBERS)) {
    const value = Number.parseFloat(query.get(name) ?? '')
    if (!(value >= low && value <= high)) continue
    numbers[field] = WHOLE.has(name) ? Math.round(value) : value
  }
  return { ...scene, ...numbers }
}
