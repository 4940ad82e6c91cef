import { useState } from 'preact/hooks'
import { download, pictureOfColumns } from '../riffs/picture'
import { promptText } from '../state/scene'
import type { Recording } from '../stream/messages'
import { Dialog } from './Dialog'
import { api, session } from './studio'

/** What was recorded, to take away. */
export function Recorded() {
  const recording = session.recorded.value
  return recording ? <Take recording={recording} /> : null
}

function Take({ recording }: { recording: Recording }) {
  const [wrong, setWrong] = useState('')
  const [said, setSaid] = useState('')
  const close = () => (session.recorded.value = null)
  const only = recording.stretches.length === 1 ? recording.stretches[0] : undefined
  const stream = only ? session.sessionOf(only.source) : null
  const name = `sonoriff-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}`
  const tried = (work: Promise<void>) => {
    work.catch((error: Error) => setWrong(error.message))
  }
  const lossless = api.offers('flac')
  const keep = async () => {
    const columns = session.columns(only?.source ?? -1)
    if (!only || !stream || !columns) return
    const prompt = promptText(session.now.value)
    setSaid(lossless ? 'Making the FLAC …' : 'Keeping it …')
    try {
      const riff = await api.keep(stream, only.first, only.end, { columns, prompt })
      if (lossless) download(api.file(riff, 'flac'), `${name}.flac`)
      setSaid(lossless ? 'Saved, and kept in the gallery.' : 'Kept in the gallery.')
    } catch (error) {
      setSaid('')
      throw error
    }
  }
  const picture = async () => download(await drawn(recording), `${name}.png`)
  return (
    <Dialog title="Recorded" onClose={close}>
      <p class="big">{recording.seconds.toFixed(1)} s</p>
      <audio controls src={urlOf(recording)} aria-label="What was recorded" />
      <div class="buttons">
        <button class="primary" onClick={() => download(new Blob([recording.wav]), `${name}.wav`)}>
          WAV
        </button>
        {stream && (
          <button class="small" onClick={() => tried(keep())}>
            {lossless ? 'FLAC, and keep it in the gallery' : 'Keep it in the gallery'}
          </button>
        )}
        <button class="small" onClick={() => tried(picture())}>
          PNG
        </button>
      </div>
      <p role="status">{said}</p>
      {wrong && <p role="alert">{wrong}</p>}
    </Dialog>
  )
}

const urls = new WeakMap<Recording, string>()

function urlOf(recording: Recording): string {
  const known = urls.get(recording)
  if (known) return known
  const url = URL.createObjectURL(new Blob([recording.wav], { type: 'audio/wav' }))
  urls.set(recording, url)
  return url
}

function drawn({ stretches }: Recording): Promise<Blob> {
  const store = session.columns(stretches.at(-1)?.source ?? -1)
  if (!store) throw new Error('The picture of this recording is gone.')
  const same = stretches.filter(({ source }) => source === stretches.at(-1)!.source)
  return pictureOfColumns(
    store,
    same.map(({ first, end }) => ({
      from: Math.max(store.first, Math.floor(store.columnAt(first))),
      to: Math.min(store.end, Math.ceil(store.columnAt(end))),
    })),
  )
}
