import { signal } from '@preact/signals'
import type { Riff } from '../riffs/api'
import { promptText } from '../state/scene'
import { api, session } from './studio'

/** Something that is made and the person waits for. */
export interface Job {
  id: number
  what: string
  /** 0 to 1. */
  progress: number
  /** Whether others come first. */
  queued: boolean
  /** Milliseconds of `performance.now` at the first step. */
  since: number | null
  riff: Riff | null
  cancelled: boolean
}

export const jobs = signal<Job[]>([])
let ids = 0

/**
 * Wait for a riff with its progress on the page; `then` gets it. Null where it was cancelled or
 * went wrong, which the page has said.
 */
export async function workOn(
  what: string,
  ask: () => Promise<Riff>,
  then: (riff: Riff) => Promise<void> = (riff) => session.open(riff),
): Promise<Riff | null> {
  const id = ++ids
  const first = { id, what, progress: 0, queued: true, since: null, riff: null, cancelled: false }
  jobs.value = [...jobs.value, first]
  try {
    const asked = await ask()
    update(id, { riff: asked })
    const done = await api.finished(asked, (riff) => {
      const job = jobs.value.find((one) => one.id === id)
      const since = job?.since ?? (riff.progress > 0 ? performance.now() : null)
      update(id, { progress: riff.progress, queued: riff.state === 'queued', since })
    })
    await then(done)
    session.notice.value = ''
    return done
  } catch (error) {
    const job = jobs.value.find((one) => one.id === id)
    if (!job?.cancelled) {
      session.notice.value = error instanceof Error ? error.message : String(error)
    }
    return null
  } finally {
    jobs.value = jobs.value.filter((job) => job.id !== id)
  }
}

export async function cancel(job: Job): Promise<void> {
  update(job.id, { cancelled: true })
  try {
    if (job.riff) await api.cancel(job.riff)
  } catch (error) {
    session.notice.value = error instanceof Error ? error.message : String(error)
  }
}

/** Seconds until a job is done, as fast as it has gone so far; null where nobody knows yet. */
export function secondsLeft(job: Job, now: number): number | null {
  if (job.since === null || job.progress < 0.05) return null
  return ((now - job.since) / 1000) * (1 / job.progress - 1)
}

/** Keep the part of the stream that was just heard, as a riff; null where that cannot be. */
export async function keepHeard(seconds: number): Promise<Riff | null> {
  const stream = session.ready?.session
  const { signal: heard, sample } = session.place()
  if (!stream || !heard) return null
  const { hopLength, sampleRate } = heard.store.format
  const end = Math.floor(sample / hopLength) * hopLength
  const first = Math.max(0, end - Math.round((seconds * sampleRate) / hopLength) * hopLength)
  return api.keep(stream, first, end, {
    columns: heard.store,
    prompt: promptText(session.now.value),
  })
}

function update(id: number, change: Partial<Job>): void {
  jobs.value = jobs.value.map((job) => (job.id === id ? { ...job, ...change } : job))
}
