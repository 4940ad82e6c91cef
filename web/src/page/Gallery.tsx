import { useEffect, useState } from 'preact/hooks'
import type { Kind, Riff } from '../riffs/api'
import { Dialog } from './Dialog'
import { Icon } from './icons'
import { api, dropped, gallery, painting, session } from './studio'

const KINDS: Kind[] = ['wav', 'flac', 'mp3', 'png']

/** Riffs that the server has kept. */
export function Gallery() {
  return gallery.value ? <Riffs /> : null
}

function Riffs() {
  const [query, setQuery] = useState('')
  const [riffs, setRiffs] = useState<Riff[] | null>(null)
  const [more, setMore] = useState<string | null>(null)
  const [wrong, setWrong] = useState('')
  // A list that was asked for before may come after: it still knows what is gone.
  const [gone] = useState(() => new Set<string>())
  const load = async (before?: string) => {
    try {
      const page = await api.list(query, before)
      const done = page.riffs.filter(({ id, state }) => state === 'done' && !gone.has(id))
      setRiffs((known) => [...(before ? (known ?? []) : []), ...done])
      setMore(page.next)
    } catch (error) {
      setWrong(error instanceof Error ? error.message : String(error))
    }
  }
  useEffect(() => {
    const wait = setTimeout(() => void load(), query ? 250 : 0)
    return () => clearTimeout(wait)
  }, [query])
  const forget = async (riff: Riff) => {
    await api.remove(riff)
    gone.add(riff.id)
    setRiffs((known) => known?.filter(({ id }) => id !== riff.id) ?? null)
  }
  return (
    <Dialog title="Gallery" wide onClose={() => (gallery.value = false)}>
      <div class="search">
        <input
          class="wide"
          type="search"
          aria-label="Search"
          placeholder="Words in the prompt"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        <label class="small file">
          Open a file
          <input
            type="file"
            accept="audio/*,image/png,image/jpeg"
            onChange={(event) => {
              gallery.value = false
              dropped.value = event.currentTarget.files?.[0] ?? null
            }}
          />
        </label>
      </div>
      {wrong && <p role="alert">{wrong}</p>}
      {riffs?.length === 0 && (
        <p class="empty">
          Nothing here yet. What you record and keep, remix or paint is found here again.
        </p>
      )}
      <ul class="cards">
        {riffs?.map((riff) => (
          <Card key={riff.id} riff={riff} onForget={() => void forget(riff)} />
        ))}
      </ul>
      {more && (
        <button class="small" onClick={() => void load(more)}>
          Older ones
        </button>
      )}
    </Dialog>
  )
}

function Card({ riff, onForget }: { riff: Riff; onForget: () => void }) {
  const [sure, setSure] = useState(false)
  const play = (paint: boolean) => {
    gallery.value = false
    painting.value = false
    session
      .open(riff)
      .then(() => (painting.value = paint))
      .catch((error: Error) => (session.notice.value = error.message))
  }
  return (
    <li class="card">
      <button class="picture" aria-label={`Play ${riff.prompt}`} onClick={() => play(false)}>
        <img src={api.file(riff, 'png')} alt="" loading="lazy" />
        <Icon name="play" />
      </button>
      <p class="text">{riff.prompt || 'no words'}</p>
      <p class="facts">
        {riff.duration_s === null ? '' : `${riff.duration_s.toFixed(1)} s`}
        {KINDS.map((kind) => (
          <a key={kind} href={api.file(riff, kind)} download={`sonoriff-${riff.id}.${kind}`}>
            {kind}
          </a>
        ))}
        <button class="round" aria-label={`Paint on ${riff.prompt}`} onClick={() => play(true)}>
          <Icon name="brush" />
        </button>
        <button
          class="round"
          aria-label={`Forget ${riff.prompt}`}
          aria-expanded={sure}
          onClick={() => setSure(!sure)}
        >
          <Icon name="close" />
        </button>
      </p>
      {sure && (
        <p class="sure" role="group" aria-label={`Forget ${riff.prompt} for good?`}>
          Gone for good:
          <button class="small" onClick={onForget}>
            Forget it
          </button>
          <button class="small" onClick={() => setSure(false)}>
            Keep it
          </button>
        </p>
      )}
    </li>
  )
}
