/** What the page asks for, wherever it is made. */

import type { Song } from '../songs/song'
import type { ColumnStore } from '../sonogram/store'

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

/** Plans of songs, and renders of them. */
export interface Songs {
  menu(): Promise<Menu>
  /** A song from a wish, a plan as TOML, or a song. */
  newSong(body: Wish | { plan: string } | { song: Song }): Promise<SongAnswer>
  putSong(id: string, song: Song): Promise<SongAnswer>
  /** Render a song, or only its first sections. */
  renderSong(id: string, sections: number | null): Promise<Riff>
  /** The address of a plan as a file. */
  planUrl(id: string): string
}

/** A gallery as one file. */
export interface Archive {
  exported(): Promise<Blob>
  /** Add what the file has to the gallery; how many riffs that were. */
  imported(file: Blob): Promise<number>
}

/** What the page itself knows of a stretch of a stream. */
export interface Excerpt {
  columns: ColumnStore
  prompt: string
}

/** Where music is made and kept: a server, or this tab. */
export interface Api {
  /** Of a server that wants one. */
  key: string
  /** The address of the stream. */
  readonly streamUrl: string
  /** Who makes the music, as a line begins with it. */
  readonly maker: string
  /** Whether others can open links to riffs. */
  readonly shares: boolean
  /** Null where songs cannot be made. */
  readonly songs: Songs | null
  /** Null where the gallery is not this browser's. */
  readonly archive: Archive | null

  /** Whether riffs can be had in a format. */
  offers(kind: Kind, form?: SoundForm): boolean
  /** A file's address, for links and pictures. */
  file(riff: Riff, kind: Kind, form?: SoundForm): string
  /** What a file is to be called; empty where its address says it. */
  fileName(riff: Riff, kind: Kind): string
  /** A file's content. */
  bytes(riff: Riff, kind: Kind): Promise<ArrayBuffer>
  /** A riff by its number. */
  riff(id: string): Promise<Riff>
  /** How things are; throws what to say where nothing can be made. */
  info(): Promise<Info>
  list(
    query?: string,
    order?: Order,
    before?: string,
  ): Promise<{ riffs: Riff[]; next: string | null }>
  /** A riff, or a loop, for words. */
  make(verb: 'generate' | 'loop', body: Record<string, unknown>): Promise<Riff>
  /** Give a riff a title; an empty one takes it away. */
  rename(riff: Riff, title: string): Promise<Riff>
  /** Keep a stretch of a stream as a riff. */
  keep(session: string, first: number, end: number, heard: Excerpt): Promise<Riff>
  /** A sound or picture made anew. */
  remix(source: File | Riff, settings: Making): Promise<Riff>
  /** The white part of `mask` made anew. */
  inpaint(source: Riff, mask: Blob, settings: Making): Promise<Riff>
  /** @param late when the page goes: it is done all the same */
  remove(riff: Riff, late?: boolean): Promise<void>
  cancel(riff: Riff): Promise<Riff>
  /** Wait until a riff is there; throws what went wrong with it. */
  finished(riff: Riff, onProgress: (riff: Riff) => void): Promise<Riff>
}
