/** The HTTP part of docs/protocol.md. */

import type { Song } from '../songs/song'
import type {
  Api,
  Info,
  Kind,
  Making,
  Menu,
  Order,
  Riff,
  SongAnswer,
  Songs,
  SoundForm,
  Wish,
} from './api'

const POLL_MS = 400
/** A server that is started again answers within that many questions. */
const PATIENCE = 40

/** Speaks to the server that the page came from. */
export class ServerApi implements Api, Songs {
  key = ''
  readonly maker = 'The server'
  readonly shares = true
  readonly archive = null
  readonly songs = this
  private readonly root: string

  constructor(root: string) {
    this.root = root
  }

  get streamUrl(): string {
    return new URL('api/v1/stream', this.root).href.replace(/^http/, 'ws')
  }

  offers(): boolean {
    return true
  }

  fileName(): string {
    return ''
  }

  /** No header can be set for links and pictures: the key goes into the address. */
  file(riff: Riff, kind: Kind, form?: SoundForm): string {
    const url = new URL(riff.files[kind] ?? '', this.root)
    if (form) {
      url.searchParams.set('rate', String(form.rate))
      url.searchParams.set('bits', form.bits)
    }
    if (this.key) url.searchParams.set('key', this.key)
    return url.href
  }

  async bytes(riff: Riff, kind: Kind): Promise<ArrayBuffer> {
    const answer = await reached(fetch(this.file(riff, kind)))
    if (!answer.ok) throw new Error(await complaint(answer))
    return answer.arrayBuffer()
  }

  riff(id: string): Promise<Riff> {
    return this.json(`riffs/${encodeURIComponent(id)}`)
  }

  async info(): Promise<Info> {
    try {
      return await this.json<Info>('info')
    } catch {
      throw new Error('The server does not answer.')
    }
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

  make(verb: 'generate' | 'loop', body: Record<string, unknown>): Promise<Riff> {
    return this.json(verb === 'loop' ? 'riffs/loop' : 'riffs', json(body))
  }

  rename(riff: Riff, title: string): Promise<Riff> {
    return this.json(`riffs/${riff.id}`, { ...json({ title }), method: 'PATCH' })
  }

  keep(session: string, first: number, end: number): Promise<Riff> {
    const body = { first_sample: first, end_sample: end }
    return this.json(`streams/${encodeURIComponent(session)}/riffs`, json(body))
  }

  remix(source: File | Riff, settings: Making): Promise<Riff> {
    return this.json('riffs/remix', form(source, settings))
  }

  inpaint(source: Riff, mask: Blob, settings: Making): Promise<Riff> {
    const request = form(source, settings)
    ;(request.body as FormData).append('mask', mask, 'mask.png')
    return this.json('riffs/inpaint', request)
  }

  /** The browser sends what is `late` all the same. */
  async remove(riff: Riff, late = false): Promise<void> {
    await this.fetch(`riffs/${riff.id}`, { method: 'DELETE', keepalive: late })
  }

  cancel(riff: Riff): Promise<Riff> {
    return this.json(`riffs/${riff.id}/cancel`, { method: 'POST' })
  }

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

  newSong(body: Wish | { plan: string } | { song: Song }): Promise<SongAnswer> {
    return this.json('songs', json(body))
  }

  putSong(id: string, song: Song): Promise<SongAnswer> {
    return this.json(`songs/${id}`, { ...json({ song }), method: 'PUT' })
  }

  renderSong(id: string, sections: number | null): Promise<Riff> {
    return this.json(`songs/${id}/render`, json(sections === null ? {} : { sections }))
  }

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
