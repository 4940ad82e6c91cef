/** What a server does for the page, done by the engine and the browser's database. */
import type { Result } from '@sonoriff/engine/client'
import type { Picture, Work } from '@sonoriff/engine/messages'
import type {
  Api,
  Archive,
  Excerpt,
  Info,
  Kind,
  Making,
  Order,
  Riff,
  SoundForm,
} from '../riffs/api'
import { wavFile } from '../riffs/wav'
import { GalleryFile } from './archive'
import type { Engine } from './engine'
import {
  framesOfSamples,
  maskOf,
  pictureOfColumns,
  pictureOfFile,
  pngOf,
  samplesOfFile,
} from './pictures'
import { orderedRiffs, pageOf, titleOf } from './lists'
import { RiffStore, type Kept } from './store'

/** A riff that is being made. */
interface Running {
  riff: Riff
  stop: AbortController
  done: Promise<Riff>
  onProgress: (riff: Riff) => void
}

type OnShare = (share: number) => void

export class TabApi implements Api {
  key = ''
  readonly streamUrl = ''
  readonly maker = 'This device'
  readonly shares = false
  readonly songs = null
  readonly archive: Archive
  private readonly running = new Map<string, Running>()
  private readonly addresses = new Map<string, Partial<Record<Kind, string>>>()

  constructor(
    private readonly engine: Engine,
    private readonly store = new RiffStore(),
  ) {
    this.archive = new GalleryFile(store)
  }

  offers(kind: Kind, form?: SoundForm): boolean {
    return kind === 'png' || (kind === 'wav' && !form)
  }

  file(riff: Riff, kind: Kind): string {
    return riff.files[kind] ?? ''
  }

  fileName(riff: Riff, kind: Kind): string {
    const words = titleOf(riff)
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .slice(0, 60)
    return `${words.replace(/^-|-$/g, '') || 'riff'}.${kind}`
  }

  async bytes(riff: Riff, kind: Kind): Promise<ArrayBuffer> {
    const kept = await this.kept(riff.id)
    return (kind === 'png' ? kept.png : kept.wav).arrayBuffer()
  }

  async riff(id: string): Promise<Riff> {
    return this.running.get(id)?.riff ?? this.shown(await this.kept(id))
  }

  async info(): Promise<Info> {
    const { failure, client } = this.engine
    if (failure) throw new Error(failure)
    const { about, loaded } = client
    const sonogram = about?.sonogram ?? null
    return {
      model: about?.name ?? null,
      ready: about !== null,
      loading: loaded,
      needs_key: false,
      sonogram,
    }
  }

  async list(
    query = '',
    order: Order = 'newest',
    before?: string,
  ): Promise<{ riffs: Riff[]; next: string | null }> {
    const kept = new Map((await this.store.all()).map((one) => [one.id, one]))
    const riffs = orderedRiffs(
      [...kept.values()].map(({ riff }) => riff),
      query,
      order,
    )
    const page = pageOf(riffs, before)
    return { ...page, riffs: page.riffs.map(({ id }) => this.shown(kept.get(id)!)) }
  }

  async make(verb: 'generate' | 'loop', body: Record<string, unknown>): Promise<Riff> {
    const settings = body as { prompt: string }
    return this.begin(verb, settings, (done) => done({ verb, settings }))
  }

  async rename(riff: Riff, title: string): Promise<Riff> {
    const kept = await this.kept(riff.id)
    const { title: _, ...settings } = kept.riff.settings
    const now = { ...kept.riff, settings: title ? { ...settings, title } : settings }
    await this.store.put({ ...kept, riff: now })
    return this.shown({ ...kept, riff: now })
  }

  async keep(_: string, first: number, end: number, heard: Excerpt): Promise<Riff> {
    const { columns, prompt } = heard
    const { hopLength } = columns.format
    const from = Math.floor(first / hopLength)
    const source = pictureOfColumns(columns, from, Math.ceil(end / hopLength))
    const begun = this.begin('stream', { prompt }, (done) => done({ verb: 'decode', source }))
    return this.finished(begun, () => {})
  }

  async remix(source: File | Riff, making: Making): Promise<Riff> {
    return this.begin('remix', making, async (done) => {
      const picture = await this.pictureOf(source)
      return done({ verb: 'remix', settings: making, source: picture })
    })
  }

  async inpaint(source: Riff, mask: Blob, making: Making): Promise<Riff> {
    return this.begin('inpaint', making, async (done) => {
      const picture = await this.pictureOf(source)
      const painted = await maskOf(mask, picture)
      return done({ verb: 'inpaint', settings: making, source: picture, mask: painted })
    })
  }

  async remove(riff: Riff): Promise<void> {
    await this.store.remove(riff.id)
    for (const url of Object.values(this.addresses.get(riff.id) ?? {})) URL.revokeObjectURL(url)
    this.addresses.delete(riff.id)
  }

  async cancel(riff: Riff): Promise<Riff> {
    this.running.get(riff.id)?.stop.abort()
    return { ...riff, state: 'cancelled' }
  }

  async finished(riff: Riff, onProgress: (riff: Riff) => void): Promise<Riff> {
    const running = this.running.get(riff.id)
    if (!running) return this.riff(riff.id)
    running.onProgress = onProgress
    try {
      return await running.done
    } finally {
      this.running.delete(riff.id)
    }
  }

  /** Begin a piece of work whose result is kept. */
  private begin(
    verb: string,
    settings: { prompt: string },
    work: (done: (work: Work) => Promise<Result>) => Promise<Result>,
  ): Riff {
    const riff: Riff = {
      ...{ id: newId(), state: 'running', progress: 0, verb, prompt: settings.prompt },
      ...{ settings: { ...settings }, created: new Date().toISOString() },
      ...{ duration_s: null, error: null, files: {} },
    }
    const stop = new AbortController()
    const onShare: OnShare = (progress) => {
      running.riff = { ...running.riff, progress }
      running.onProgress(running.riff)
    }
    const done = this.engine.ready
      .then(() => work((what) => this.engine.client.work(what, onShare, stop.signal)))
      .then((result) => this.saved(riff, result))
    const running: Running = { riff, stop, done, onProgress: () => {} }
    // Whoever waits for the riff hears of it.
    done.catch(() => {})
    this.running.set(riff.id, running)
    return riff
  }

  private async saved(riff: Riff, { picture, samples, settings }: Result): Promise<Riff> {
    const { sonogram } = await this.engine.ready
    const rate = sonogram.sample_rate
    const file = wavFile([framesOfSamples(samples)], samples.length, rate)
    const finished: Riff = {
      ...{ ...riff, state: 'done', progress: 1 },
      settings: { ...riff.settings, ...settings },
      duration_s: samples[0]!.length / rate,
    }
    const kept = {
      id: riff.id,
      riff: finished,
      png: await pngOf(picture, sonogram, finished.settings),
      wav: new Blob([file], { type: 'audio/wav' }),
    }
    await this.store.put(kept)
    return this.shown(kept)
  }

  /** A source as the engine takes it. */
  private async pictureOf(source: File | Riff): Promise<Picture> {
    const { sonogram } = await this.engine.ready
    if (!(source instanceof File)) {
      return pictureOfFile((await this.kept(source.id)).png, sonogram)
    }
    if (source.type.startsWith('image/')) return pictureOfFile(source, sonogram)
    const samples = [await samplesOfFile(source, sonogram)]
    return (await this.engine.client.work({ verb: 'encode', samples })).picture
  }

  private async kept(id: string): Promise<Kept> {
    const kept = await this.store.get(id)
    if (!kept) throw new Error('This browser has no such riff.')
    return kept
  }

  /** A riff with addresses of its files. */
  private shown({ id, riff, png, wav }: Kept): Riff {
    let files = this.addresses.get(id)
    if (!files) {
      files = { png: URL.createObjectURL(png), wav: URL.createObjectURL(wav) }
      this.addresses.set(id, files)
    }
    return { ...riff, files }
  }
}

/** Twelve digits by chance. */
const newId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(6))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
