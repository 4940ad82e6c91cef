import type { Kind, Riff, SoundForm } from '../riffs/api'
import { Icon } from './icons'
import { api, titleOf } from './studio'

interface Form {
  kind: Kind
  form?: SoundForm
  name: string
  about: string
}

const FORMS: Form[] = [
  { kind: 'mp3', name: 'MP3', about: 'small, plays everywhere' },
  { kind: 'wav', name: 'WAV', about: '44.1 kHz, 16 bits' },
  {
    kind: 'wav',
    form: { rate: 48000, bits: '24' },
    name: 'WAV for a DAW',
    about: '48 kHz, 24 bits',
  },
  { kind: 'flac', name: 'FLAC', about: 'as made, 24 bits' },
  { kind: 'ogg', name: 'Ogg', about: 'Vorbis' },
  { kind: 'opus', name: 'Opus', about: 'smallest' },
  { kind: 'png', name: 'Picture', about: 'from which it can be made again' },
]

/** Every format that a riff can be taken away in. */
export function Downloads({ riff }: { riff: Riff }) {
  return (
    <details class="menu">
      <summary class="round" aria-label={`Download ${titleOf(riff)}`} title="Download">
        <Icon name="drop" />
      </summary>
      <ul>
        {FORMS.filter(({ kind, form }) => api.offers(kind, form)).map(
          ({ kind, form, name, about }) => (
            <li key={name}>
              <a href={api.file(riff, kind, form)} download={api.fileName(riff, kind)}>
                {name} <span class="about">{about}</span>
              </a>
            </li>
          ),
        )}
      </ul>
    </details>
  )
}
