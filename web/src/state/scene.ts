import { DEFAULT_SCENE } from '@sonoriff/engine/protocol'
import type { Scene, WeightedPrompt } from '../stream/protocol'

/** The defaults, and a prompt to begin with. */
export const FIRST_SCENE: Scene = {
  ...DEFAULT_SCENE,
  prompts: [{ text: 'smooth tropical dance jazz', weight: 1 }],
}

export const MAX_SEED = 2 ** 53 - 1

export const single = (text: string): WeightedPrompt[] => [{ text, weight: 1 }]

/** "a" or "a + b", the loudest first, for a line of text. */
export function promptText(prompts: readonly WeightedPrompt[]): string {
  const sorted = [...prompts].sort((a, b) => b.weight - a.weight)
  return sorted.map((prompt) => prompt.text).join(' + ')
}

export const samePrompts = (a: readonly WeightedPrompt[], b: readonly WeightedPrompt[]): boolean =>
  a.length === b.length &&
  a.every(
    (prompt, i) => prompt.text === b[i]!.text && Math.abs(prompt.weight - b[i]!.weight) < 1e-9,
  )

/** How much of `target` is in `heard`, 0 to 1. */
export function shareOf(
  target: readonly WeightedPrompt[],
  heard: readonly WeightedPrompt[],
): number {
  const total = heard.reduce((sum, prompt) => sum + prompt.weight, 0)
  const texts = new Set(target.map((prompt) => prompt.text))
  const there = heard.reduce((sum, prompt) => sum + (texts.has(prompt.text) ? prompt.weight : 0), 0)
  return total > 0 ? there / total : 1
}
