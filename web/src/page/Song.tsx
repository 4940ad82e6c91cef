import { useEffect, useState } from 'preact/hooks'
import type { Kind, Wish } from '../riffs/api'
import { songSeconds } from '../songs/song'
import {
  change,
  current,
  leave,
  menu,
  past,
  planWish,
  play,
  redo,
  render,
  rendered,
  share,
  song,
  songPlayer,
  songs,
  songView,
  stop,
  undo,
  work,
  wrong,
} from '../songs/workshop'
import { timeText } from '../sonogram/format'
import { Dialog } from './Dialog'
import { Icon } from './icons'
import { SectionEditor } from './SectionEditor'
import { api } from './studio'
import { Timeline } from './Timeline'

const KINDS: Kind[] = ['wav', 'flac', 'mp3', 'png']
const LENGTHS = [30, 60, 90, 120, 180, 240]

/** Songs: planned from a wish, changed section by section, heard while they are painted. */
export function SongView() {
  if (!songView.value) return null
  const close = () => {
    songPlayer.pause()
    songView.value = false
  }
  return (
    <Dialog title="Song" wide onClose={close}>
      {wrong.value && <p role="alert">{wrong.value}</p>}
      {song.value ? <Workshop /> : <WishForm />}
    </Dialog>
  )
}

function WishForm() {
  const [wish, setWish] = useState<Wish>({ wish: '', length_s: 120 })
  const [genre, setGenre] = useState('')
  const [waiting, setWaiting] = useState(false)
  const set = (values: Partial<Wish>) => setWish({ ...wish, ...values })
  const words = [wish.wish.trim(), genre].filter(Boolean).join(', ')
  const send = async (event: Event) => {
    event.preventDefault()
    setWaiting(true)
    const given = Object.entries({ ...wish, wish: words }).filter(([, value]) => value !== '')
    await planWish(Object.fromEntries(given) as unknown as Wish)
    setWaiting(false)
  }
  const all = menu.value
  return (
    <form class="form wish" onSubmit={(event) => void send(event)}>
      <label>
        What the song is
        <input
          value={wish.wish}
          maxLength={480}
          placeholder="lo-fi hip hop, rainy night"
          onInput={(event) => set({ wish: event.currentTarget.value })}
        />
      </label>
      <div class="choices">
        <Choice
          label="Genre"
          names={all?.genres.map(({ name }) => name)}
          onChoose={setGenre}
          value={genre}
        />
        <Choice
          label="Mood"
          names={all?.moods}
          value={wish.mood}
          onChoose={(mood) => set({ mood })}
        />
        <Choice
          label="Theme"
          names={all?.themes}
          value={wish.theme}
          onChoose={(theme) => set({ theme })}
        />
        <Choice
          label="Instrument"
          names={all?.instruments}
          value={wish.instruments?.[0]}
          onChoose={(name) => set({ instruments: name ? [name] : [] })}
        />
        <Choice
          label="Tempo"
          names={all?.tempi.map(({ name }) => name)}
          value={wish.tempo}
          onChoose={(tempo) => set({ tempo })}
        />
        <Choice
          label="Form"
          names={all?.forms.map(({ name }) => name)}
          value={wish.form}
          onChoose={(form) => set({ form })}
        />
        <Choice
          label="Energy"
          names={all?.energies.filter((name) => name !== 'form')}
          value={wish.energy}
          onChoose={(energy) => set({ energy })}
        />
        <label>
          Length
          <select
            value={String(wish.length_s)}
            onChange={(event) => set({ length_s: Number(event.currentTarget.value) })}
          >
            {LENGTHS.map((seconds) => (
              <option key={seconds} value={String(seconds)}>
                {timeText(seconds)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <button class="small" disabled={waiting || words === ''}>
        Plan it
      </button>
    </form>
  )
}

interface ChoiceProps {
  label: string
  names: string[] | undefined
  value: string | undefined
  onChoose: (name: string) => void
}

function Choice({ label, names, value, onChoose }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={value ?? ''} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">as it suits</option>
        {names?.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}

function undoKeys(event: KeyboardEvent): void {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z') return
  // While something is typed, its own undo comes first.
  if (event.target instanceof HTMLInputElement && event.target.type === 'text') return
  event.preventDefault()
  if (event.shiftKey) redo()
  else undo()
}

function Workshop() {
  const now = song.value!
  useEffect(() => {
    // At the window: a block that a change has redrawn loses the focus.
    window.addEventListener('keydown', undoKeys)
    return () => window.removeEventListener('keydown', undoKeys)
  }, [])
  return (
    <div class="workshop">
      <div class="songbar" role="toolbar" aria-label="Song">
        <button
          class="play"
          aria-label={songPlayer.playing.value ? 'Pause the song' : 'Play the song'}
          onClick={() => void play()}
        >
          <Icon name={songPlayer.playing.value ? 'pause' : 'play'} />
        </button>
        <span class="time" role="timer" aria-label="Place in the song">
          {timeText(songPlayer.place.value)} / {timeText(songSeconds(now))}
        </span>
        <input
          class="title"
          type="text"
          aria-label="Title"
          maxLength={200}
          value={now.title ?? ''}
          onChange={(event) => change({ ...now, title: event.currentTarget.value })}
        />
        <span class="spring" />
        <button class="small" disabled={past.value!.before.length === 0} onClick={undo}>
          Undo
        </button>
        <button class="small" disabled={past.value!.after.length === 0} onClick={redo}>
          Redo
        </button>
        {work.value ? (
          <button class="small" onClick={stop}>
            Stop
          </button>
        ) : (
          <button class="small" disabled={current.value} onClick={() => void render()}>
            Render
          </button>
        )}
      </div>
      <Timeline />
      <p class="working" role="status">
        {work.value && (
          <>
            <progress value={work.value.progress} aria-label="Progress" /> {work.value.text}
          </>
        )}
      </p>
      <SectionEditor />
      <Downloads />
    </div>
  )
}

function Downloads() {
  const done = rendered.value
  return (
    <p class="facts downloads">
      {done && current.value
        ? KINDS.map((kind) => (
            <a
              key={kind}
              href={api.file(done.riff, kind)}
              download={`sonoriff-song-${done.riff.id}.${kind}`}
            >
              {kind}
            </a>
          ))
        : 'Render the song to download it. '}
      <button class="small" onClick={() => void savePlan()}>
        Plan as a file
      </button>
      <button class="small" onClick={() => void share()}>
        Copy a link to this song
      </button>
      <button class="small" onClick={leave}>
        New song
      </button>
    </p>
  )
}

async function savePlan(): Promise<void> {
  const now = song.value
  if (!now) return
  try {
    const { plan } = await songs().newSong({ song: now })
    const url = URL.createObjectURL(new Blob([plan], { type: 'application/toml' }))
    const link = document.createElement('a')
    link.href = url
    link.download = 'song.toml'
    link.click()
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
  } catch (error) {
    wrong.value = (error as Error).message
  }
}
