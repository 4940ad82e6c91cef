import type { Riff } from '../riffs/api'
import { api, job, session } from './studio'

/** Wait for a riff with its progress on the page, then play it. */
export async function workOn(what: string, ask: () => Promise<Riff>): Promise<void> {
  job.value = { what, progress: 0 }
  try {
    const asked = await ask()
    const done = await api.finished(asked, ({ progress }) => (job.value = { what, progress }))
    await session.open(done)
    session.notice.value = ''
  } catch (error) {
    session.notice.value = error instanceof Error ? error.message : String(error)
  } finally {
    job.value = null
  }
}

/** Keep the part of the stream that was just heard, as a riff; null where that cannot be. */
export async function keepHeard(seconds: number): Promise<Riff | null> {
  const session_ = session.ready?.session
  const { signal, sample } = session.place()
  if (!session_ || !signal) return null
  const { hopLength, sampleRate } = signal.store.format
  const end = Math.floor(sample / hopLength) * hopLength
  const first = Math.max(0, end - Math.round((seconds * sampleRate) / hopLength) * hopLength)
  return api.keep(session_, first, end)
}
