import { useState } from 'preact/hooks'
import { attributesOf, type Riff } from '../riffs/api'
import { timeText } from '../sonogram/format'
import { keyShown } from '../state/keys'
import { linkFromRiff } from '../state/link'
import { wishOfRiff } from '../state/wish'
import { Downloads } from './Downloads'
import { randomSeed } from './fields'
import { Icon } from './icons'
import { moreLike } from './Make'
import { copyLink } from './Share'
import { api, gallery, painting, said, session, titleOf, view } from './studio'

interface Props {
  riff: Riff
  onChanged: (riff: Riff) => void
  onDelete: () => void
}

/** A riff of the gallery. */
export function Card({ riff, onChanged, onDelete }: Props) {
  const [naming, setNaming] = useState(false)
  const [wrong, setWrong] = useState('')
  const title = titleOf(riff)
  const play = (paint: boolean) => {
    gallery.value = false
    painting.value = false
    session
      .open(riff)
      .then(() => (painting.value = paint))
      .catch((error: Error) => (session.notice.value = error.message))
  }
  const rename = async (text: string) => {
    setNaming(false)
    if (text === title) return
    try {
      onChanged(await api.rename(riff, text))
      said.value = 'Renamed.'
    } catch (error) {
      setWrong((error as Error).message)
    }
  }
  return (
    <li class="card">
      <button class="picture" aria-label={`Play ${title}`} onClick={() => play(false)}>
        <img src={api.file(riff, 'png')} alt="" loading="lazy" />
        <Icon name="play" />
      </button>
      {naming ? (
        <Name title={title} onDone={rename} />
      ) : (
        <button
          class="text"
          title="Rename"
          aria-label={`Rename ${title}`}
          onClick={() => setNaming(true)}
        >
          {title}
        </button>
      )}
      <p class="facts">{factsOf(riff)}</p>
      {wrong && <p role="alert">{wrong}</p>}
      <div class="actions">
        <Downloads riff={riff} />
        {api.shares && (
          <button
            class="round"
            aria-label={`Copy a link to ${title}`}
            title="Copy a link"
            onClick={() => void copyLink(new URL(linkFromRiff(riff.id), location.href).href)}
          >
            <Icon name="link" />
          </button>
        )}
        <button
          class="round"
          aria-label={`More like ${title}`}
          title="More like this"
          onClick={() => {
            gallery.value = false
            view.value = 'make'
            moreLike(wishOfRiff(riff, randomSeed()))
          }}
        >
          <Icon name="dice" />
        </button>
        <button
          class="round"
          aria-label={`Paint on ${title}`}
          title="Paint over what is to be made anew"
          onClick={() => play(true)}
        >
          <Icon name="brush" />
        </button>
        <button class="round" aria-label={`Delete ${title}`} title="Delete" onClick={onDelete}>
          <Icon name="close" />
        </button>
      </div>
    </li>
  )
}

function Name({ title, onDone }: { title: string; onDone: (title: string) => Promise<void> }) {
  const [text, setText] = useState(title)
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault()
        void onDone(text.trim())
      }}
    >
      <input
        class="wide"
        aria-label="Title"
        maxLength={200}
        autofocus
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          // The dialog stays open.
          event.preventDefault()
          void onDone(title)
        }}
      />
      <button class="small">Rename</button>
    </form>
  )
}

/** "27 Nov 10:04 · 0:12 · 90 bpm · A minor · seed 7". */
function factsOf(riff: Riff): string {
  const { bpm, key } = attributesOf(riff)
  const made = new Date(riff.created)
  const { seed } = riff.settings
  return [
    made.toLocaleString(undefined, {
      day: 'numeric',
      month: 'short',
      hour: '2-digit',
      minute: '2-digit',
    }),
    riff.duration_s === null ? '' : timeText(Math.round(riff.duration_s)),
    bpm ? `${Math.round(bpm)} bpm` : '',
    key ? keyShown(key) : '',
    typeof seed === 'number' ? `seed ${seed}` : '',
    riff.verb === 'loop' ? 'loop' : '',
  ]
    .filter(Boolean)
    .join(' · ')
}
