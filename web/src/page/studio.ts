import { effect, signal } from '@preact/signals'
import type { Riff } from '../riffs/api'
import { COLOUR_MAPS, mapById } from '../sonogram/colours'
import { riffFromLink, sceneFromLink } from '../state/link'
import { Player } from '../state/player'
import { FIRST_SCENE, single } from '../state/scene'
import { Session } from '../state/session'
import { LOADING } from '../stream/client'
import { backendHere } from './backend'

const POLL_MS = 700
const SLOWEST_POLL_MS = 8000

/** The one of each that the page has. */
const backend = await backendHere()
export const { api } = backend
export const player = new Player(backend.streams)
export const session = new Session(player, api)

export const draft = signal('')
export const colours = signal(mapById(localStorage.getItem('sonoriff.colours') ?? ''))
export const relief = signal(false)
export const painting = signal(false)
export const gallery = signal(false)
export const help = signal(false)
export const dropped = signal<File | null>(null)
/** What the panel is for: an endless stream, or finished riffs. */
export const view = signal<'play' | 'make'>('play')
/** How far the model is loaded, 0 to 1; null once it is. */
export const loading = signal<number | null>(null)
/** Said by a screen reader. */
export const said = signal('')

export const promptField = { current: null as HTMLInputElement | null }

/** What the link that the page was opened by plays. */
export const invitation = signal('')

/** What a riff is called. */
export function titleOf(riff: Riff): string {
  const { title } = riff.settings
  return typeof title === 'string' && title ? title : riff.prompt || 'no words'
}

export function nextColours(): void {
  const at = COLOUR_MAPS.indexOf(colours.value)
  colours.value = COLOUR_MAPS[(at + 1) % COLOUR_MAPS.length]!
}

/** Read the link, ask who makes the music, begin to keep time. */
export function open(): void {
  const asked = sceneFromLink(location.search)
  session.scene.value = { ...FIRST_SCENE, ...asked }
  const { prompts } = session.scene.value
  if (asked.prompts) invitation.value = prompts.map(({ text }) => text).join(' + ')
  if (prompts.length > 1) session.setMix(prompts, false)
  effect(() => {
    localStorage.setItem('sonoriff.colours', colours.value.id)
    document.documentElement.style.setProperty('--accent', colours.value.accent)
  })
  api.key = sessionStorage.getItem('sonoriff.key') ?? ''
  setInterval(() => session.tick(), 100)
  effect(() => {
    if (session.notice.value === LOADING) greetAfter(0)
  })
  greetAfter(0)
  const linked = riffFromLink(location.search)
  if (linked) void offer(linked)
}

let greeting = 0
let wait = POLL_MS

/** Ask the server who it is, once there is time: one question at a time, whoever wants it asked. */
function greetAfter(ms: number): void {
  clearTimeout(greeting)
  greeting = window.setTimeout(() => void greet(), ms)
}

async function greet(): Promise<void> {
  const mine = greeting
  try {
    const info = await api.info()
    session.sampleRate = info.sonogram?.sample_rate ?? session.sampleRate
    loading.value = info.ready ? null : info.loading
    wait = POLL_MS
    if (info.ready && session.notice.value === LOADING) session.notice.value = ''
    if (info.needs_key && !api.key) session.notice.value = 'The server wants an API key.'
    if (info.ready) return
  } catch (error) {
    loading.value = null
    session.notice.value = (error as Error).message
    wait = Math.min(2 * wait, SLOWEST_POLL_MS)
  }
  if (mine === greeting) greetAfter(wait)
}

/** Lay the riff of a link out: browsers play nothing before a click. */
async function offer(id: string): Promise<void> {
  try {
    const riff = await api.riff(id)
    session.scene.value = { ...session.scene.value, prompts: single(riff.prompt) }
    session.linked.value = riff
    invitation.value = titleOf(riff)
  } catch (error) {
    session.notice.value = `The riff of this link cannot be played. ${(error as Error).message}`
  }
}
