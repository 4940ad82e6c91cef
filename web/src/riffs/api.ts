/** The HTTP part of docs/protocol.md. */

import type { Song } from '../songs/song'

export type Kind = 'png' | 'wav' | 'flac' | 'ogg' | 'opus' | 'mp3'

/** Sample rate and sample format of a sound file. */
export interface SoundForm {
  rate: 44100 | 48000
  bits: '16' | '24' | 'float'
}

export const ORDERS = ['newest', 'oldest', 'longest', 'name'] as const
export type Order = (typeof ORDERS)[number]

export interface Riff {
  id: string
  state: 'queued' | 'running' | 'done' | 'failed' | 'cancelled'
  progress: number
  verb: string
  prompt: string
  settings: Record<string, unknown>
  created: string
  duration_s: number | null
  error: string | null
  files: Partial<Record<Kind, string>>
}

/** Tempo and key, as far as they are known. */
export function attributesOf({ settings }: Riff): { bpm: number | null; key: string | null } {
  const told = (settings.attributes ?? settings) as { bpm?: unknown; key?: unknown }
  return {
    bpm: typeof told.bpm === 'number' ? told.bpm : null,
    key: typeof told.key === 'string' ? told.key : null,
  }
}

export interface Info {
  model: string | null
  ready: boolean
  /** How far the model is loaded, 0 to 1. */
  loading: number
  needs_key: boolean
  sonogram: { sample_rate?: number; hop_length?: number } | null
}

/** What can be chosen instead of written. */
export interface Menu {
  genres: { name: string; bpm: [number, number]; form: string }[]
  moods: string[]
  themes: string[]
  instruments: string[]
  tempi: { name: string }[]
  forms: { name: string; sections: string[] }[]
  energies: string[]
}

export interface Wish {
  wish: string
  length_s: number
  form?: string
  mood?: string
  theme?: string
  instruments?: string[]
  tempo?: string
  energy?: string
}

export interface SongAnswer {
  id: string
  plan: string
  song: Song
  riff: string | null
}

export interface Making {
  prompt: string
  negative_prompt?: string
  seed?: number
  strength?: number
}

const POLL_MS = 400
/** A server that is started again answers within that many questions. */
const PATIENCE = 40

/** Speaks to the server that the page came from. */
export class Api {
  key = ''
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** The address of the stream. */
  get streamUrl(): string {
    return new URL('api/v1/stream', this.root).href.replace(/^http/, 'ws')
  }

  /** A file's address, for links and pictures, where no header can be set. */
  file(riff: Riff, kind: Kind, form?: SoundForm): string {
    const url = new URL(riff.files[kind] ?? '', this.root)
    if (form) {
      url.searchParams.set('rate', String(form.rate))
      url.searchParams.set('bits', form.bits)
    }
    if (this.key) url.searchParams.set('key', this.key)
    return url.href
  }

  /** A file's content. */
  async bytes(riff: Riff, kind: Kind): Promise<ArrayBuffer> {
    const answer = await reached(fetch(this.file(riff, kind)))
    if (!answer.ok) throw new Error(await complaint(answer))
    return answer.arrayBuffer()
  }

  /** A riff by its number. */
  riff(id: string): Promise<Riff> {
    return this.json(`riffs/${encodeURIComponent(id)}`)
  }

  info(): Promise<Info> {
    return this.json('info')
  }

  async list(
    query = '',
    order: Order = 'newest',
    before?: string,
  ): Promise<{ riffs: Riff[]; next: string | null }> {
    const search = new URLSearchParams({ limit: '24', order })
    if (query) search.set('query', query)
    if (before) search.set('before', before)
    return this.json(`riffs?${search.toString()}`)
  }

  /** A riff, or a loop, for words. */
  make(verb: 'generate' | 'loop', body: Record<string, unknown>): Promise<Riff> {
    return this.json(verb === 'loop' ? 'riffs/loop' : 'riffs', json(body))
  }

  /** Give a riff a title; an empty one takes it away. */
  rename(riff: Riff, title: string): Promise<Riff> {
    return this.json(`riffs/${riff.id}`, { ...json({ title }), method: 'PATCH' })
  }

  /** Keep a stretch of a stream as a riff. */
  keep(session: string, first: number, end: number): Promise<Riff> {
    const body = { first_sample: first, end_sample: end }
    return this.json(`streams/${encodeURIComponent(session)}/riffs`, json(body))
  }

  /** A sound or picture made anew. */
  remix(source: File | Riff, settings: Making): Promise<Riff> {
    return this.json('riffs/remix', form(source, settings))
  }

  /** The white part of `mask` made anew. */
  inpaint(source: Riff, mask: Blob, settings: Making): Promise<Riff> {
    const request = form(source, settings)
    ;(request.body as FormData).append('mask', mask, 'mask.png')
    return this.json('riffs/inpaint', request)
  }

  /** @param late when the page goes: the browser sends it all the same */
  async remove(riff: Riff, late = false): Promise<void> {
    await this.fetch(`riffs/${riff.id}`, { method: 'DELETE', keepalive: late })
  }

  cancel(riff: Riff): Promise<Riff> {
    return this.json(`riffs/${riff.id}/cancel`, { method: 'POST' })
  }

  /** Wait until a riff is there; throws what went wrong with it. */
  async finished(riff: Riff, onProgress: (riff: Riff) => void): Promise<Riff> {
    let now = riff
    let unanswered = 0
    while (now.state === 'queued' || now.state === 'running') {
      await new Promise((done) => setTimeout(done, POLL_MS))
      try {
        now = await this.json(`riffs/${riff.id}`)
        unanswered = 0
      } catch (error) {
        unanswered += 1
        if (!(error instanceof Unreachable) || unanswered > PATIENCE) throw error
        continue
      }
      onProgress(now)
    }
    if (now.state !== 'done') throw new Error(now.error ?? `The riff was ${now.state}.`)
    return now
  }

  menu(): Promise<Menu> {
    return this.json('menu')
  }

  /** A song from a wish, a plan as TOML, or a song. */
  newSong(body: Wish | { plan: string } | { song: Song }): Promise<SongAnswer> {
    return this.json('songs', json(body))
  }

  putSong(id: string, song: Song): Promise<SongAnswer> {
    return this.json(`songs/${id}`, { ...json({ song }), method: 'PUT' })
  }

  /** Render a song, or only its first sections. */
  renderSong(id: string, sections: number | null): Promise<Riff> {
    return this.json(`songs/${id}/render`, json(sections === null ? {} : { sections }))
  }

  /** The address of a plan as a file. */
  planUrl(id: string): string {
    const url = new URL(`api/v1/songs/${id}/song.toml`, this.root)
    if (this.key) url.searchParams.set('key', this.key)
    return url.href
  }

  private async json<T>(path: string, request: RequestInit = {}): Promise<T> {
    return (await this.fetch(path, request)).json() as Promise<T>
  }

  private async fetch(path: string, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers)
    if (this.key) headers.set('Authorization', `Bearer ${this.key}`)
    const url = new URL(`api/v1/${path}`, this.root)
    const response = await reached(fetch(url, { ...request, headers }))
    if (response.ok) return response
    throw new Error(await complaint(response))
  }
}

class Unreachable extends Error {}

/** Browsers say "Failed to fetch", each in its own way. */
async function reached(answer: Promise<Response>): Promise<Response> {
  try {
    return await answer
  } catch {
    throw new Unreachable('The server cannot be reached: it may have been stopped.')
  }
}

function json(body: unknown): RequestInit {
  const headers = { 'Content-Type': 'application/json' }
  return { method: 'POST', headers, body: JSON.stringify(body) }
}

function form(source: File | Riff, settings: Making): RequestInit {
  const body = new FormData()
  if (source instanceof File) body.append('source', source)
  else body.append('riff', source.id)
  body.append('settings', JSON.stringify(settings))
  return { method: 'POST', body }
}

async function complaint(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error: { message: string } }
    return error.message
  } catch {
    return `The server answered ${response.status}.`
  }
}
