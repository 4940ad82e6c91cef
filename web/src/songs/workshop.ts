/** The song that is worked on: its changes, its renders, its link. */

import { computed, signal } from '@preact/signals'
import { api, player as streamPlayer, said, session } from '../page/studio'
import type { Menu, Riff, Songs, Wish } from '../riffs/api'
import { fragmentFromPlan, planFromFragment } from './fragment'
import { SongPlayer } from './player'
import { barSeconds, begun, changed, type Past, redone, type Song, undone } from './song'

export const songView = signal(false)
export const menu = signal<Menu | null>(null)
export const past = signal<Past | null>(null)
export const song = computed(() => past.value?.now ?? null)
export const chosen = signal(0)
/** The last render: of which song, and how many of its sections. */
export const rendered = signal<{ riff: Riff; song: Song; sections: number } | null>(null)
export const work = signal<{ text: string; progress: number } | null>(null)
export const wrong = signal('')
export const songPlayer = new SongPlayer()
/** Number of the song on the server, and whether its render is that of the present plan. */
export const songId = signal<string | null>(null)
export const current = computed(
  () => rendered.value !== null && rendered.value.song === song.value && whole.value,
)
const whole = computed(
  () => rendered.value !== null && rendered.value.sections === rendered.value.song.section.length,
)
let run = 0

/** Who plans and renders songs; says that a server does where there is none. */
export function songs(): Songs {
  if (api.songs) return api.songs
  throw new Error('Songs need a server: `sonoriff serve` is one.')
}

export async function openSongs(): Promise<void> {
  songView.value = true
  try {
    menu.value ??= await songs().menu()
  } catch (error) {
    complain(error)
  }
}

/** The song of a link, if it has one. */
export async function songFromLink(fragment: string): Promise<void> {
  const plan = await planFromFragment(fragment)
  if (plan === null) return
  await openSongs()
  await begin(() => songs().newSong(bodyOf(plan)))
}

function bodyOf(plan: string): { plan: string } | { song: Song } {
  try {
    return { song: JSON.parse(plan) as Song }
  } catch {
    return { plan }
  }
}

export const planWish = (wish: Wish): Promise<void> => begin(() => songs().newSong(wish))

async function begin(make: () => Promise<{ id: string; song: Song }>): Promise<void> {
  wrong.value = ''
  try {
    const made = await make()
    stop()
    songPlayer.clear()
    rendered.value = null
    songId.value = made.id
    chosen.value = 0
    past.value = begun(made.song)
    said.value = `A plan of ${made.song.section.length} sections.`
  } catch (error) {
    complain(error)
  }
}

export function leave(): void {
  stop()
  songPlayer.clear()
  past.value = rendered.value = songId.value = null
}

export function change(now: Song): void {
  if (past.value) past.value = changed(past.value, now)
  chosen.value = Math.min(chosen.value, now.section.length - 1)
}

export function undo(): void {
  if (past.value) past.value = undone(past.value)
  chosen.value = Math.min(chosen.value, song.value!.section.length - 1)
}

export function redo(): void {
  if (past.value) past.value = redone(past.value)
  chosen.value = Math.min(chosen.value, song.value!.section.length - 1)
}

export function stop(): void {
  run += 1
  work.value = null
}

/** Render the song; the first time in growing parts, so that it is heard soon. */
export async function render(): Promise<void> {
  const mine = ++run
  const now = song.value
  if (!now) return
  const count = now.section.length
  const parts = rendered.value ? [count] : [1, 2, 3, 5, 8, 13, 21, 34].filter((n) => n < count)
  if (parts.at(-1) !== count) parts.push(count)
  wrong.value = ''
  let last: Riff | null = null
  let riff: Riff | null = null
  try {
    work.value = { text: 'Asking the server', progress: 0 }
    const id = (songId.value ??= (await songs().newSong({ song: now })).id)
    await songs().putSong(id, now)
    for (const sections of parts) {
      if (mine !== run) return
      riff = await songs().renderSong(id, sections === count ? null : sections)
      riff = await api.finished(riff, (record) => {
        if (mine === run) tell(now, sections, record.progress)
      })
      if (mine !== run) return
      const end = now.section.slice(0, sections).reduce((sum, { bars }) => sum + bars, 0)
      const complete = sections === count
      const seconds = (end - (complete ? 0 : 1)) * barSeconds(now)
      await songPlayer.take(api.file(riff, 'flac'), seconds, complete)
      if (mine !== run) return
      rendered.value = { riff, song: now, sections }
      if (last) void api.remove(last).catch(() => {})
      last = riff
      riff = null
    }
    said.value = 'The song is ready.'
  } catch (error) {
    if (mine === run) complain(error)
  } finally {
    if (mine !== run && riff) void api.cancel(riff).catch(() => {})
    if (mine === run) work.value = null
  }
}

/** Sections are painted first, then the joins between them; each is as much work. */
function tell(now: Song, sections: number, progress: number): void {
  const piece = Math.floor(progress * (2 * sections - 1))
  const section = now.section[Math.min(piece, sections - 1)]!
  const text = piece < sections ? `Painting ${section.name}` : 'Joining the sections'
  work.value = { text, progress }
}

export async function play(): Promise<void> {
  // One music at a time.
  if (!songPlayer.playing.value && streamPlayer.wanted.value) void session.toggle()
  if (!rendered.value && !work.value) void render()
  try {
    await songPlayer.toggle()
  } catch (error) {
    complain(error)
  }
}

/** A link with the plan inside, put into the address bar and, where allowed, the clipboard. */
export async function share(): Promise<void> {
  if (!song.value) return
  const fragment = await fragmentFromPlan(JSON.stringify(song.value))
  const link = new URL(fragment, new URL('.', location.href)).href
  history.replaceState(null, '', link)
  try {
    await navigator.clipboard.writeText(link)
    said.value = 'The link is copied.'
  } catch {
    said.value = 'The link is in the address bar.'
  }
}

function complain(error: unknown): void {
  wrong.value = error instanceof Error ? error.message : String(error)
}
