/** Words to vectors: `sonoriff.models.small.text`, with the tokenizer of its own file. */
import { Tokenizer } from '@huggingface/tokenizers'
import { fromHalf, readTensors, type Tensor } from '../files/safetensors'
import type { About } from './about'
import type { LoadFile, Networks } from './networks'

const MARKS = 2
const REMEMBERED = 256
const SLOWEST_BPM = 40
const PARTS_AN_OCTAVE = 24

export interface TextStates {
  /** (tokens, width). */
  text: Float32Array
  present: Uint8Array
}

export class TextEncoder {
  private readonly known = new Map<string, TextStates>()

  private constructor(
    private readonly about: About,
    private readonly networks: Networks,
    private readonly tokenizer: Tokenizer,
    private readonly tensors: Map<string, Tensor>,
  ) {}

  static async load(about: About, networks: Networks, load: LoadFile): Promise<TextEncoder> {
    const [vocabulary, weights] = await Promise.all([
      load('tokenizer.json'),
      load('text.safetensors'),
    ])
    const tokenizer = new Tokenizer(JSON.parse(new TextDecoder().decode(vocabulary)) as object, {})
    const tensors = readTensors(weights)
    await networks.ready('text', tensors)
    // The graph has its own by now: what is looked up here is kept, and nothing of the file.
    const kept = ['words.weight', 'words.weight#scale', 'places', 'tempo_guess.weight']
    const tables = new Map(
      [...kept, 'tempo_guess.bias'].flatMap((name) => {
        const tensor = tensors.get(name)
        return tensor ? [[name, { ...tensor, values: tensor.values.slice() }] as const] : []
      }),
    )
    return new TextEncoder(about, networks, tokenizer, tables)
  }

  /** Token numbers of a text, cut at the most that the encoder takes. */
  tokens(text: string): number[] {
    const { ids } = this.tokenizer.encode(text)
    const most = this.about.max_tokens
    return ids.length <= most ? ids : [...ids.slice(0, most - 1), ids.at(-1)!]
  }

  /** States of a text of any length, its chunks one after the other; an empty one has none. */
  async states(text: string): Promise<TextStates> {
    let states = this.known.get(text)
    if (!states) {
      const parts: TextStates[] = []
      for (const part of this.chunks(text)) parts.push(await this.statesOfChunk(part))
      states = parts.length === 1 ? parts[0]! : joined(parts)
      if (this.known.size >= REMEMBERED) this.known.delete(this.known.keys().next().value!)
      this.known.set(text, states)
    }
    return states
  }

  /** The likeliest tempo of a text; null where there is none, or nothing was learned. */
  async likelyBpm(text: string): Promise<number | null> {
    const { text: states, present } = await this.statesOfChunk(text)
    const count = present.reduce((sum, one) => sum + one, 0)
    if (count === 0) return null
    const width = states.length / present.length
    const weight = this.tensors.get('tempo_guess.weight')!.values
    const bias = this.tensors.get('tempo_guess.bias')!.values
    if (weight.every((value: number) => value === 0)) return null
    const pooled = new Float64Array(width)
    for (let i = 0; i < states.length; i++) pooled[i % width]! += states[i]! / count
    const scores = Array.from(bias, (value, tempo) =>
      pooled.reduce((sum, x, k) => sum + x * weight[tempo * width + k]!, value),
    )
    const best = scores.indexOf(Math.max(...scores))
    return best === scores.length - 1 ? null : SLOWEST_BPM * 2 ** (best / PARTS_AN_OCTAVE)
  }

  /** A text in pieces that fit, cut after commas where it can be. */
  private chunks(text: string): string[] {
    const room = this.about.max_tokens - MARKS
    if (this.count(text) <= room) return [text]
    const pieces: string[] = []
    for (const clause of text.match(/[^,]+,?/g) ?? []) {
      const parts = this.count(clause) <= room ? [clause] : this.words(clause, room)
      for (const part of parts) {
        const last = pieces.at(-1)
        if (last !== undefined && this.count(last + part) <= room) pieces.push(pieces.pop()! + part)
        else pieces.push(part)
      }
    }
    return pieces.map((piece) => piece.trim()).filter(Boolean)
  }

  private words(clause: string, room: number): string[] {
    const letters = new RegExp(`.{1,${room}}`, 'gu')
    return (clause.match(/\s*\S+\s*/g) ?? []).flatMap((word) =>
      this.count(word) <= room ? [word] : (word.match(letters) ?? []),
    )
  }

  private count(text: string): number {
    return this.tokenizer.encode(text, { add_special_tokens: false }).ids.length
  }

  private async statesOfChunk(text: string): Promise<TextStates> {
    const ids = this.tokens(text)
    const places = this.tensors.get('places')!
    const width = places.shape[1]!
    const embedded = new Float32Array(ids.length * width)
    ids.forEach((id, i) => {
      this.vector(id, embedded.subarray(i * width, (i + 1) * width))
      for (let k = 0; k < width; k++) embedded[i * width + k]! += places.values[i * width + k]!
    })
    const present = new Uint8Array(ids.length).fill(text.trim() ? 1 : 0)
    return { text: await this.networks.text(embedded, ids.length), present }
  }

  private vector(id: number, result: Float32Array): void {
    const { values } = this.tensors.get('words.weight')!
    const scale = this.tensors.get('words.weight#scale')
    const row = values.subarray(id * result.length, (id + 1) * result.length)
    if (row instanceof Uint16Array) fromHalf(row, result)
    else for (let k = 0; k < row.length; k++) result[k] = row[k]! * (scale?.values[id] ?? 1)
  }
}

function joined(parts: TextStates[]): TextStates {
  const text = new Float32Array(parts.reduce((sum, part) => sum + part.text.length, 0))
  const present = new Uint8Array(parts.reduce((sum, part) => sum + part.present.length, 0))
  let [at, place] = [0, 0]
  for (const part of parts) {
    text.set(part.text, at)
    present.set(part.present, place)
    at += part.text.length
    place += part.present.length
  }
  return { text, present }
}
