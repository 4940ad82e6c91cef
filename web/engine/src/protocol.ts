/** What streams speak of, by the wire protocol's names: docs/protocol.md. */

export interface WeightedPrompt {
  text: string
  weight: number
}

export interface Scene {
  mode: 'flow' | 'riff'
  prompts: WeightedPrompt[]
  negative_prompt: string
  bpm: number | null
  key: string | null
  /** 1 (calm) to 5 (full). */
  energy: number | null
  /** "Am F C G", a bar each. */
  chords: string | null
  seed: number
  alpha: number
  walk: number
  strength: number
  bars: number | null
  morph_bars: number
  guidance_scale: number | null
  num_inference_steps: number
}

export const DEFAULT_SCENE: Scene = {
  mode: 'flow',
  prompts: [{ text: '', weight: 1 }],
  negative_prompt: '',
  bpm: null,
  key: null,
  energy: null,
  chords: null,
  seed: 0,
  alpha: 0,
  walk: 0.25,
  strength: 0.75,
  bars: null,
  morph_bars: 4,
  guidance_scale: null,
  num_inference_steps: 8,
}

/** Description of a stretch of the stream, as the wire protocol has it. */
export interface StreamWindow {
  type: 'window'
  index: number
  first_sample: number
  end_sample: number
  mode: 'flow' | 'riff'
  prompts: WeightedPrompt[]
  negative_prompt: string
  seed: number
  alpha: number
  bpm: number | null
  key: string | null
  strength: number
  bar: number | null
  first_bar_sample: number | null
  scene: Scene
}
