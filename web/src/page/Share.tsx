import { signal } from '@preact/signals'
import { linkFromRiff, linkFromScene } from '../state/link'
import { Icon } from './icons'
import { api, said, session } from './studio'

const SHOWN_MS = 1800
const copied = signal(false)

/** Copies a link that plays what is heard: the riff, or the moment of the stream. */
export function Share() {
  const riff = api.shares ? session.clip.value : null
  const what = riff ? 'Copy a link to this riff' : 'Copy a link to this moment'
  const share = async () => {
    const query = riff ? linkFromRiff(riff.id) : linkFromScene(session.moment())
    const link = new URL(query, location.href).href
    history.replaceState(null, '', link)
    await copyLink(link)
  }
  return (
    <span class="share">
      <button class="round" aria-label={what} title={what} onClick={() => void share()}>
        <Icon name="link" />
      </button>
      {copied.value && <span class="tip">Link copied</span>}
    </span>
  )
}

/** Put a link into the clipboard, or else into the address bar, and say where it is. */
export async function copyLink(link: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(link)
    copied.value = true
    said.value = 'The link is copied.'
    setTimeout(() => (copied.value = false), SHOWN_MS)
  } catch {
    history.replaceState(null, '', link)
    said.value = 'The link is in the address bar.'
  }
}
