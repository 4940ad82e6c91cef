/** Guidance from settings: `sonoriff.pipeline.guides`. */
import type { Attributes, Conditioner, Conditioning } from '../model/conditioning'
import { summed } from '../model/conditioning'
import { bpmInPrompt, keyInPrompt, parseKey } from '../model/music'
import { parsePrompt, wordsOf } from '../model/prompts'
import type { Guidance } from './paint'

export interface PromptSettings {
  prompt: string
  negative_prompt?: string
  bpm?: number | null
  key?: string | null
}

/** Tempo and key as given, or as the prompt names them, or, with `guess`, as such music has it. */
export async function attributesOf(
  conditioner: Conditioner,
  settings: PromptSettings,
  guess: boolean,
): Promise<Attributes> {
  const words = wordsOf(parsePrompt(settings.prompt))
  const [key, mode] = (settings.key ? parseKey(settings.key) : keyInPrompt(words)) ?? [null, null]
  let bpm = settings.bpm ?? bpmInPrompt(words)
  if (bpm === null && guess) bpm = await conditioner.likelyBpm(settings.prompt)
  return { bpm, key, mode, kind: 'recorded' }
}

/** What guidance pushes away from: the negative prompt, partly at the tempo of `attributes`. */
export async function negativeCondition(
  encoded: (attributes: Attributes) => Promise<Conditioning>,
  { bpm, kind }: Attributes,
  pacedShare: number,
): Promise<Conditioning> {
  const nothing = { bpm: null, key: null, mode: null, kind }
  const bare = await encoded(nothing)
  if (bpm === null || pacedShare === 0) return bare
  return summed([bare, await encoded({ ...nothing, bpm })], [1 - pacedShare, pacedShare])
}

/** Guidance of settings whose attributes are known. */
export async function guidanceOf(
  conditioner: Conditioner,
  settings: PromptSettings,
  attributes: Attributes,
  scale: number,
  pacedShare: number,
): Promise<Guidance> {
  const prompt = parsePrompt(settings.prompt)
  const against = parsePrompt(settings.negative_prompt ?? '')
  const positive = await conditioner.encode(prompt, attributes)
  const same = JSON.stringify([prompt, attributes])
  const encoded = async (told: Attributes) =>
    JSON.stringify([against, told]) === same ? positive : conditioner.encode(against, told)
  return { positive, negative: await negativeCondition(encoded, attributes, pacedShare), scale }
}
