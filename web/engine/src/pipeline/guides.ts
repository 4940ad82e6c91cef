/** Guidance from settings: `sonoriff.pipeline.guides`. */
import type { Attributes, Conditioner, Conditioning } from '../model/conditioning'
import { chordsFit, parseProgression } from '../model/chords'
import { summed, UNTOLD } from '../model/conditioning'
import { bpmInPrompt, keyInPrompt, parseKey, USUAL_KIND, type Key } from '../model/music'
import { parsePrompt, textOf, wordsOf, type Phrase } from '../model/prompts'
import type { Guidance } from './paint'

export interface PromptSettings {
  prompt: string
  negative_prompt?: string
  bpm?: number | null
  key?: string | null
  energy?: number | null
  chords?: string | null
}

/** Said beside the number, which alone is heeded too little. */
const ENERGY_WORDS = new Map([
  [1, 'very calm'],
  [2, 'calm'],
  [4, 'energetic'],
  [5, 'powerful, energetic'],
])
const ENERGY_STEPS = 5

/** A prompt with the words of an energy in each of its phrases. */
export function withEnergy(prompt: Phrase[], energy: number | null): Phrase[] {
  const words = ENERGY_WORDS.get(energy ?? 0)
  if (!words) return prompt
  return prompt.map((phrase) => {
    const text = textOf(phrase) ? `, ${words}` : words
    return { ...phrase, spans: [...phrase.spans, { text, weight: 1 }] }
  })
}

/** Tempo and key as given, or as the prompt names them, or, with `guess`, as such music has it. */
export async function attributesOf(
  conditioner: Conditioner,
  settings: PromptSettings,
  guess: boolean,
): Promise<Attributes> {
  const words = wordsOf(parsePrompt(settings.prompt))
  const { energy = null, chords = null } = settings
  const named = (settings.key ? parseKey(settings.key) : keyInPrompt(words)) ?? [null, null]
  const [key, mode] = keyBeside(chords, named)
  let bpm = settings.bpm ?? bpmInPrompt(words)
  if (bpm === null && guess) bpm = await conditioner.likelyBpm(settings.prompt)
  return { bpm, key, mode, kind: USUAL_KIND, energy, chords }
}

/** A key, unless the chords are not of it: they win. */
export function keyBeside(chords: string | null, [key, mode]: Key | [null, null]) {
  const fits = !chords || !key || chordsFit(parseProgression(chords), key, mode)
  return (fits ? [key, mode] : [null, null]) as Key | [null, null]
}

/**
 * What guidance pushes away from: the negative prompt, partly at the tempo of `attributes` and with
 * the opposite energy.
 */
export async function negativeCondition(
  encoded: (attributes: Attributes) => Promise<Conditioning>,
  { bpm, kind, energy }: Attributes,
  pacedShare: number,
): Promise<Conditioning> {
  const nothing = { ...UNTOLD, kind }
  const bare = await encoded(nothing)
  if (bpm === null || pacedShare === 0) return bare
  const opposite = energy === null ? null : 1 + ENERGY_STEPS - energy
  const paced = { ...nothing, bpm, energy: opposite === energy ? null : opposite }
  return summed([bare, await encoded(paced)], [1 - pacedShare, pacedShare])
}

/** Guidance of settings whose attributes are known. */
export async function guidanceOf(
  conditioner: Conditioner,
  settings: PromptSettings,
  attributes: Attributes,
  scale: number,
  pacedShare: number,
): Promise<Guidance> {
  const prompt = withEnergy(parsePrompt(settings.prompt), attributes.energy)
  const against = parsePrompt(settings.negative_prompt ?? '')
  const positive = await conditioner.encode(prompt, attributes)
  const same = JSON.stringify([prompt, attributes])
  const encoded = async (told: Attributes) =>
    JSON.stringify([against, told]) === same ? positive : conditioner.encode(against, told)
  return { positive, negative: await negativeCondition(encoded, attributes, pacedShare), scale }
}
